#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The traffic, the floods and the operator of `make soak`, and what must hold at the end.

First half: the daemon is killed and restarted again and again.  Second half: it stays, so that what it
leaks is seen.  Modes, programs and floods change in both.
"""

import collections
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from world import TCPGUARD, Cases, inside, stats, wait_for

MINUTES = float(os.environ["SOAK_MINUTES"])
SEED = int(os.environ["SOAK_SEED"])
ATTACK, WORK = os.environ["ATTACK"], os.environ["WORK"]
IDLE = 50
RSS_GROWTH_KB = 1024
V1 = "/sys/fs/bpf/tcpguard/v1"
# Nobody legitimate is judged so: strays, forged flags and forged SYNs are the attacker's.
ATTACKS = {"no_flow", "rst_no_flow", "bad_flags", "syn_deferred", "syn_flood", "syn_rate",
           "cookie_invalid", "blocklist"}
CONFIGS = [f"{WORK}/{name}.yaml" for name in ("one", "other")]

cases = Cases()
stop, no_more_kills = threading.Event(), threading.Event()
done, failed = collections.Counter(), []
ids = set()
lock = threading.Lock()


def run(*words, timeout=90):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=timeout)


def note(kind, answer):
    with lock:
        done[kind] += 1
        if answer.returncode:
            failed.append((kind, answer.args, answer.returncode, answer.stderr.strip()[-300:]))


def thread(work, *arguments):
    """Again and again until the end; what it raises is a failure, too."""
    dice = random.Random(f"{SEED} {work.__name__} {arguments}")

    def body():
        try:
            while not stop.is_set():
                work(dice, *arguments)
        except Exception as error:  # pylint: disable=broad-except
            failed.append((work.__name__, repr(error)))
    made = threading.Thread(target=body, name=work.__name__)
    made.start()
    return made


# --- legitimate traffic -----------------------------------------------------------------------------

def fetch(dice, netns, server):
    """A few requests on one connection, sizes from a page to a megabyte, some of them slow."""
    paths = [dice.choice(["page", f"bytes/{dice.randrange(1, 1000000)}", "slow/1/100000", "page?[1-10]"])
             for _ in range(dice.randrange(1, 5))]
    words = ["curl", "-sS", "--fail", "--max-time", "60", "-o", "/dev/null"]
    for path in paths:
        words += [f"http://{server}/{path}"] + (["-o", "/dev/null"] if path != paths[-1] else [])
    enter = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
    note("curl", run(*enter, *words))
    stop.wait(dice.uniform(0, 0.1))


def iperf(dice):
    note("iperf3", run("nsenter", "--net=/run/netns/client", "iperf3", "-c", "10.0.0.1", "-t", 2, "-P", 2,
                       "-b", "10M", *(["-R"] if dice.random() < 0.5 else [])))
    stop.wait(dice.uniform(1, 5))


def idle(dice, pairs):
    """Connections that say a word now and then."""
    client, server = dice.choice(pairs)
    for sender, receiver in ((client, server), (server, client)):
        sender.sendall(b"still there")
        if receiver.recv(100) != b"still there":
            failed.append(("idle", "something else arrived"))
    done["idle words"] += 1
    stop.wait(dice.uniform(0, 60 / IDLE))


# --- the attacker -----------------------------------------------------------------------------------

def flood(dice):
    # SYNs by themselves: what else came from their sources would be judged by the flows they open.
    kind = dice.choice(["ack", "ack", "syn", "rst", "xmas", "synfin", "data"])
    answer = run("nsenter", "--net=/run/netns/attacker", ATTACK, kind, "-i", "eth0", "-m", "02:00:00:00:00:01",
                 "-s", "10.98.0.0/16" if kind == "syn" else "10.99.0.0/16", "-d", "10.0.0.1", "-n", dice.randrange(1000, 20000), "-r",
                 dice.choice([500, 3000, 8000]), "-t", 5)
    note("floods", answer)
    with lock:
        done["forged segments"] += int(answer.stdout.split()[0])
        done[f"forged {kind}"] += int(answer.stdout.split()[0])
    stop.wait(dice.uniform(0, 3))


# --- the operator -----------------------------------------------------------------------------------

def operate(dice):
    words = dice.choice([["monitor", "eth0"], ["enforce", "eth0"], ["enforce", "eth0"], ["attach", "eth0"],
                         ["upgrade"], ["upgrade", "--rollback"], ["upgrade", "--no-daemon"], ["bypass", "on"],
                         ["config", "reload", dice.choice(CONFIGS)],
                         ["block", "add", f"10.99.{dice.randrange(256)}.0/24", "--for", "10s"],
                         ["flows", "list", "-n", "100"], ["stats"], ["status"]])
    # Nothing restarts the daemon while its memory is watched.
    if no_more_kills.is_set() and words == ["upgrade"]:
        words = ["upgrade", "--no-daemon"]
    answer = run(TCPGUARD, *words)
    if words == ["upgrade", "--rollback"] and answer.returncode == 1:
        answer.returncode = 0  # nothing was replaced yet
    note(f"tcpguard {words[0]}", answer)
    if words[0] == "bypass":
        stop.wait(dice.uniform(0, 1))
        note("tcpguard bypass", run(TCPGUARD, "bypass", "off"))
    remember_ids()
    if os.environ.get("SOAK_HOOK"):
        note("hook", run("/bin/sh", "-c", os.environ["SOAK_HOOK"]))
    stop.wait(dice.uniform(0.5, 4))


def remember_ids():
    """Every program and map of ours there ever was: none may be left at the end."""
    for kind, where in (("prog", f"{V1}/iface/0"), ("map", f"{V1}/maps")):
        for name in os.listdir(where):
            if kind == "map" or name.startswith("prog_"):
                answer = run("bpftool", "-j", kind, "show", "pinned", f"{where}/{name}")
                if not answer.returncode:
                    ids.add((kind, json.loads(answer.stdout)["id"]))


def daemons():
    return [int(pid) for pid in run("pgrep", "-f", "[t]cpguard daemon").stdout.split()]


def kill_daemon(dice):
    stop.wait(dice.uniform(1, 10))
    if no_more_kills.is_set():
        stop.wait()
        return
    for pid in daemons()[:1]:
        try:
            os.kill(pid, dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
            done["daemons ended"] += 1
        except ProcessLookupError:
            pass
    subprocess.Popen([TCPGUARD, "daemon"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)


def daemon_state(pid):
    with open(f"/proc/{pid}/status") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
    return rss, len(os.listdir(f"/proc/{pid}/fd"))


def the_daemon():
    def one():
        pids = daemons()
        if not pids:
            subprocess.Popen([TCPGUARD, "daemon"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        return len(pids) == 1 and "running" in run(TCPGUARD, "status").stdout and pids[0]
    return wait_for(one, 20)


# --- what must hold ---------------------------------------------------------------------------------

def counted():
    """Packets: by the interface, by tcpguard; when neither moves any more."""
    def read():
        link = json.loads(run("ip", "-j", "-s", "link", "show", "eth0").stdout)[0]["stats64"]
        ours = next(entry for entry in stats()["interfaces"] if entry["name"] == "eth0")
        # What the cable had no room for has passed the egress hook.
        seen = link["rx"]["packets"] + link["tx"]["packets"] + link["tx"]["dropped"]
        # The answer to a challenged SYN leaves from the XDP program: sent, and judged by nobody.
        return seen, sum(row["packets"] for row in ours["reasons"]) + ours["packets"]["challenge"]
    last = [None]

    def still():
        now = read()
        same, last[0] = now == last[0], now
        return same
    wait_for(still, 30)
    return last[0]


def pins():
    """Everything pinned or noted below our directory, by its path there."""
    return {os.path.relpath(f"{path}/{name}", V1) for path, _, names in os.walk(V1) for name in names}


def check_flows():
    rows = json.loads(run(TCPGUARD, "-j", "flows", "list").stdout)["flows"]
    phases = collections.Counter(row["phase"] for row in rows)
    print(f"# flows at the end: {dict(phases)}")
    # All closed: what is left waits for its timeout, from 60 s (unfinished) to 240 s (TIME_WAIT).
    live = [row for row in rows if row["phase"] in ("established", "half_closed")]
    cases.equal("soak: no flow is stuck in a live phase", live, [])


def write_configs():
    for path, handshake in zip(CONFIGS, ("60s", "30s")):
        with open(path, "w") as file:
            file.write("version: 1\nsynflood: {start_pps: 2000, stop_pps: 500}\n"
                       f"flows: {{timeouts: {{handshake: {handshake}}}}}\n")


def main():
    print(f"# SOAK_SEED={SEED} SOAK_MINUTES={MINUTES}", flush=True)
    listener = socket.create_server(("10.0.0.1", 8000), backlog=IDLE)
    write_configs()
    pairs = []
    for _ in range(IDLE):
        with inside("client"):
            client = socket.create_connection(("10.0.0.1", 8000), 10)
        pairs.append((client, listener.accept()[0]))
    for sock in sum(pairs, ()):
        sock.settimeout(30)
    link_before, ours_before = counted()
    pins_before = pins()
    begun = time.monotonic()
    workers = [thread(fetch, "client", "10.0.0.1") for _ in range(3)]
    workers += [thread(fetch, None, "10.0.0.2"), thread(iperf), thread(idle, pairs), thread(flood),
                thread(operate), thread(kill_daemon)]
    time.sleep(MINUTES * 30)
    no_more_kills.set()
    daemon = the_daemon()
    time.sleep(min(MINUTES * 6, 60))  # warm
    rss_before, fds_before = daemon_state(daemon)
    time.sleep(max(0, begun + MINUTES * 60 - time.monotonic()))
    rss_after, fds_after = daemon_state(daemon)
    stop.set()
    for worker in workers:
        worker.join()
    run(TCPGUARD, "enforce", "eth0")
    for sock in sum(pairs, ()):
        sock.close()
    link_after, ours_after = counted()

    print(f"# {time.monotonic() - begun:.0f} s: " +
          ", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    cases.equal("soak: nothing failed", failed, [])
    cases.check("soak: all of it happened", all(done[kind] for kind in (
        "curl", "iperf3", "idle words", "floods", "daemons ended", "tcpguard upgrade", "tcpguard monitor")), str(done))
    seen, judged = link_after - link_before, ours_after - ours_before
    print(f"# packets: {seen} by the interface, {judged} by tcpguard, difference {seen - judged}")
    # A counter that both directions touch at once on one CPU loses a count (maps.bpf.h).
    cases.check("soak: every packet was counted once", 0 <= seen - judged <= seen // 10000, f"{seen} {judged}")
    ours = next(entry for entry in stats()["interfaces"] if entry["name"] == "eth0")
    refused = {row["name"]: row["drop"] + row["would_drop"] for row in ours["reasons"]
               if row["drop"] or row["would_drop"]}
    print(f"# refused: {refused}")
    cases.equal("soak: nothing but forged segments was refused", set(refused) - ATTACKS, set())
    cases.check("soak: no more than were sent", 0 < sum(refused.values()) <= done["forged segments"],
                f"{refused} of {done['forged segments']}")
    print(f"# daemon: {rss_before} kB, then {rss_after} kB; descriptors {fds_before}, then {fds_after}")
    cases.check("soak: the daemon does not grow", rss_after - rss_before <= RSS_GROWTH_KB)
    cases.equal("soak: nor do its descriptors", fds_after, fds_before)
    cases.equal("soak: it is the same daemon", daemons(), [daemon])
    changed = pins() ^ pins_before
    images = {path for path in changed if path.startswith("lists/")}
    cases.equal("soak: the pins of the beginning, and a former program of each hook",
                changed - images, {"former/0_xdp", "former/0_tc", "former/0_tc_in", "former/0_loaded"})
    cases.equal("soak: one image of the lists", len(images), 1 if done["tcpguard block"] else 0)
    wait_for(lambda: not any(flow["phase"] == "established" for flow in json.loads(
        run(TCPGUARD, "-j", "flows", "list").stdout)["flows"]), 5)
    check_flows()
    with open(f"{WORK}/ids", "w") as file:
        file.writelines(f"{kind} {number}\n" for kind, number in sorted(ids))
    cases.finish()


if __name__ == "__main__":
    main()
