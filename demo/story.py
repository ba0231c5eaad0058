#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's course: clients browse while one attack follows the other; then the books are balanced.

Two independent counts must agree: what tcpguard says (`stats`), and what a packet socket behind XDP saw of
the attacker's frames.  Run by run.sh, in its world.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time

from world import Counter, inside, reasons, tcpguard, wait_for

WORK, ATTACK, TCPGUARD = os.environ["WORK"], os.environ["ATTACK"], os.environ["TCPGUARD"]
SERVER, SERVER_MAC = "10.0.0.1", "02:00:00:00:00:01"
FORGED_MAC = "02:00:00:00:bb:bb"
KEPT = 100
FIRST_PORT = 20000
# Segments of a blind attack that happen to hit the window: the endpoint must see them to answer
# with a challenge ACK (RFC 5961), so tcpguard lets a few of them pass.
CHALLENGED = {"rst_inexact", "rst_closing", "seq_old", "ack_old"}

problems = []


def say(text=""):
    print(text, flush=True)


def problem(text):
    problems.append(text)
    say(f"      PROBLEM: {text}")


def number(value):
    return f"{value:,}".replace(",", " ")


class Browsers:
    """curl in a loop, a new connection for each page, on every client; counts what it gets."""

    def __init__(self, *netns):
        self.stop = threading.Event()
        self.codes = []
        self.slowest = 0.0
        self.errors = []
        self.threads = [threading.Thread(target=self._browse, args=(name,)) for name in netns]
        for thread in self.threads:
            thread.start()

    def _browse(self, netns):
        while not self.stop.is_set():
            done = subprocess.run(
                ["nsenter", f"--net=/run/netns/{netns}", "curl", "-sS", "--fail", "--max-time", "10",
                 "-H", "Connection: close", "-w", "%{http_code} %{time_total}\n",
                 "-o", "/dev/null", f"http://{SERVER}/page?[1-20]",
                 "-o", "/dev/null", f"http://{SERVER}/bytes/200000"],
                capture_output=True, text=True, check=False)
            for line in done.stdout.splitlines():
                code, seconds = line.split()
                self.codes.append(code)
                self.slowest = max(self.slowest, float(seconds))
            if done.returncode:
                self.errors.append(done.stderr.strip())

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        served = self.codes.count("200")
        failed = len(self.codes) - served
        if failed or self.errors:
            problem(f"{failed} requests failed: {self.errors[:3]}")
        if served < 100:
            problem(f"only {served} requests were served")
        return served, failed


class Kept:
    """Connections that stay open and idle; the attacker knows their addresses and ports."""

    def __init__(self):
        listener = socket.create_server((SERVER, 7000), backlog=KEPT)
        self.pairs = []
        with inside("client1"):
            for i in range(KEPT):
                client = socket.create_connection((SERVER, 7000), 5, ("10.0.0.2", FIRST_PORT + i))
                self.pairs.append((client, listener.accept()[0]))

    def alive(self):
        count = 0
        for client, server in self.pairs:
            try:
                client.settimeout(3)
                server.settimeout(3)
                client.sendall(b"are you there?")
                server.recv(100)
                server.sendall(b"yes")
                count += client.recv(100) == b"yes"
            except OSError:
                pass
        return count


class Attacker:
    def __init__(self):
        self.behind = Counter("eth0", FORGED_MAC)
        self.sent = self.dropped = 0

    def run(self, title, kind, count, rate, *options, passes=()):
        """One attack.  What gets behind XDP must be accounted for by the reasons in passes."""
        before, reached = reasons(), self.behind.read()
        done = subprocess.run(
            ["nsenter", "--net=/run/netns/attacker", ATTACK, kind, "-i", "eth0", "-m", SERVER_MAC, "-d",
             SERVER, "-n", str(count), "-r", str(rate), "-t", "15", *options],
            capture_output=True, text=True, check=True)
        sent = int(done.stdout)
        wait_for(lambda: self._dropped_since(before)[1] >= sent, 1)
        by_reason, dropped = self._dropped_since(before)
        let_pass = self._passed_since(before, passes)
        reached = self.behind.read() - reached
        self.sent += sent
        self.dropped += dropped

        say(f"  {title:<46} {number(sent):>8} sent {number(dropped):>8} dropped"
            f" {number(reached):>8} reached the server")
        for name, packets in sorted(by_reason.items(), key=lambda item: -item[1]):
            say(f"      {name:<20} {number(packets):>10}")
        self._balance(title, sent, dropped, let_pass, reached)

    def _balance(self, title, sent, dropped, let_pass, reached):
        if reached > let_pass:
            problem(f"{title}: {reached} segments reached the server, only {let_pass} of them on purpose")
        # The virtual cable may lose some of a flood before XDP sees it.
        if dropped + let_pass < sent * 0.5:
            problem(f"{title}: of {sent} segments only {dropped + let_pass} are in the statistics")

    @staticmethod
    def _dropped_since(before):
        by_reason = {}
        for (name, verdict), packets in reasons().items():
            more = packets - before.get((name, verdict), 0)
            if verdict == "drop" and more:
                by_reason[name] = more
        return by_reason, sum(by_reason.values())

    @staticmethod
    def _passed_since(before, passes):
        return sum(packets - before.get((name, verdict), 0)
                   for (name, verdict), packets in reasons().items()
                   if name in passes and verdict != "drop")


def attach():
    done = subprocess.run([TCPGUARD, "attach", "eth0"], capture_output=True, text=True, check=False)
    say("# tcpguard attach eth0")
    say((done.stdout + done.stderr).rstrip())
    if done.returncode:
        sys.exit(f"DEMO FAILED: attach ended with exit code {done.returncode}")


def count_flows(*filters):
    return json.loads(tcpguard("-j", "flows", "count", *filters))


def show(*words):
    say()
    say("# tcpguard " + " ".join(words))
    say(subprocess.run([TCPGUARD, *words], capture_output=True, text=True, check=False).stdout.rstrip())


def attacks(attacker):
    known = ("-s", "10.0.0.2", "-S", f"{FIRST_PORT}-{FIRST_PORT + KEPT - 1}", "-D", "7000")
    anyone = ("-s", "203.0.113.0/24")  # not those of the flood: some of them have opened a flow
    attacker.run("SYN flood, forged addresses, port 80", "syn", 100000, 25000, "-s", "198.51.100.0/24",
                 passes={"new", "syn_reinit", "syn_retrans", "syn_new_isn", "table_full", "busy",
                         "tw_reuse", "tw_syn_old"})
    attacker.run("ACK flood", "ack", 200000, 100000, *anyone)
    attacker.run("SYN-ACK reflection", "synack", 50000, 100000, *anyone)
    attacker.run("FIN flood", "fin", 50000, 100000, *anyone)
    attacker.run("RST flood", "rst", 50000, 100000, *anyone)
    attacker.run(f"blind RST at the {KEPT} open connections", "rst", 100000, 100000, *known,
                 passes=CHALLENGED)
    attacker.run(f"blind data at the {KEPT} open connections", "data", 100000, 100000, *known, "-l", "32",
                 passes=CHALLENGED)
    for kind, name in (("null", "NULL"), ("xmas", "XMAS"), ("finscan", "FIN"), ("synfin", "SYN+FIN"),
                       ("ack", "ACK")):
        attacker.run(f"{name} scan of ports 1-10000", kind, 10000, 100000, "-s", "198.51.100.7", "-D",
                     "1-10000", "-x", "0")


def report(browsers, kept, attacker, began):
    served, failed = browsers.finish()
    show("stats")
    by_state = count_flows()["by_state"]
    say()
    say("flows by state: " + ", ".join(f"{name} {number(by_state[name])}" for name in by_state
                                       if by_state[name]))
    tracked = count_flows("--state", "established", "--dport", "7000")["flows"]
    alive = kept.alive()
    if alive != KEPT:
        problem(f"only {alive} of {KEPT} idle connections survived")
    if tracked != KEPT:
        problem(f"only {tracked} of {KEPT} idle connections are still tracked as established")
    say(f"requests served: {number(served)}, failed: {failed},"
        f" slowest {browsers.slowest * 1000:.0f} ms")
    say(f"idle connections the attacker knew: {KEPT}, still alive: {alive}")
    say(f"attack segments: {number(attacker.sent)} sent, {number(attacker.dropped)} dropped by tcpguard;"
        f" {time.monotonic() - began:.0f} s")


def detach():
    done = subprocess.run([TCPGUARD, "detach", "--all", "--purge"], capture_output=True, text=True,
                          check=False)
    left = [name for name in os.listdir("/sys/fs/bpf") if "tcpguard" in name]
    if done.returncode or left:
        problem(f"detach left something behind: {done.stderr.strip()} {left}")


def main():
    began = time.monotonic()
    say("A web server behind tcpguard, two clients, one attacker, in network namespaces.")
    say()
    attach()
    kept = Kept()
    browsers = Browsers("client1", "client2")
    say()
    attacker = Attacker()
    attacks(attacker)
    report(browsers, kept, attacker, began)
    detach()
    say()
    if problems:
        say(f"DEMO FAILED, {len(problems)} problems:")
        for text in problems:
            say(f"  {text}")
        sys.exit(1)
    say("Every client request succeeded, and nothing that had to be dropped reached the server.")


if __name__ == "__main__":
    main()
