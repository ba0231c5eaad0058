#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tcpguard against what could be used instead, on one machine, in one run (`make bench-peers`).

Each peer is a network namespace whose interface d0 is fed with live frames; all are set up at once and
measured in turn.  The cost of a packet is all of it: generator, veth, NAPI, peer.  Only differences and
ratios within one run mean anything.  Each peer's own counters must account for the packets sent, or its
row is invalid.

usage: peers.py [--rounds N] [--packets N] [--flows N] [--modes MODE,...] [--json FILE]     (as root)
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TCPGUARD = ROOT / "build" / "tcpguard"
GENERATE = ROOT / "build" / "tests" / "bench" / "generate"
GENERATOR_OBJECT = ROOT / "build" / "tests" / "bench" / "generator.bpf.o"
SERVER = "198.18.0.1"
IN_WORLD = "TG_BENCH_WORLD"
MODES = ("established", "hot", "stray", "beyond", "syn")


def sh(command, namespace=None, check=True):
    """Runs a shell command, inside a namespace if one is named; returns what it printed."""
    words = ["nsenter", f"--net=/run/netns/{namespace}"] if namespace else []
    done = subprocess.run(words + ["sh", "-c", command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if check and done.returncode:
        raise SystemExit(f"peers.py: {namespace or ''}: {command}: {done.stdout}")
    return done.stdout


class Peer:
    """A receiver.  `accounted(mode)` is the number of packets its own counters show for a mode."""

    rules = ""  # nft
    forwards = True
    modes = MODES
    needs_flows = False

    def __init__(self, name):
        self.name = name

    def set_up(self, options):
        net, mac = self.name, "02:00:00:00:00:02"
        sh(f"ip netns add {net} && ip netns add {net}_g")
        sh(f"ip link add d0 netns {net} address {mac} type veth peer name g0 netns {net}_g")
        # An answer by XDP_TX arrives where somebody polls: at a program, which drops it.  Alike for all.
        sh("ip link set g0 up; ip link set lo up;"
           f"ip link set dev g0 xdpdrv object {GENERATOR_OBJECT} program bench_sink", f"{net}_g")
        sh("ip link set lo up; ip link set d0 up; ethtool -K d0 gro on; ip addr add 10.255.255.254/8 dev d0;"
           "ip addr add 198.18.255.254/15 dev d0;"
           "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.d0.rp_filter=0"
           " net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.d0.send_redirects=0;"
           "ip neigh flush all; ip route del 10.0.0.0/8 dev d0; ip route add 10.0.0.0/8 via 198.18.0.2;"
           "ip neigh add 198.18.0.1 lladdr 02:00:00:00:00:01 dev d0 nud permanent;"
           "ip neigh add 198.18.0.2 lladdr 02:00:00:00:00:01 dev d0 nud permanent", net)
        sh("tc qdisc add dev d0 clsact && "
           f"tc filter add dev d0 egress bpf direct-action object-file {GENERATOR_OBJECT} section tc", net)
        if self.rules:
            subprocess.run(["nsenter", f"--net=/run/netns/{net}", "nft", "-f", "-"], input=self.rules,
                           text=True, check=True)
        self.prepare(options)

    def prepare(self, options):
        pass

    def target(self):
        return f"{self.name},/run/netns/{self.name}_g,g0,02:00:00:00:00:02"

    def accounted(self, mode):
        """Packets that reached the peer's interface, where it has no counter that says more."""
        del mode
        return int(sh("cat /proc/net/dev | sed -n 's/.*d0: *[0-9]* *\\([0-9]*\\).*/\\1/p'", self.name))

    def arrived(self):
        """Frames that came back to the sender's end of the veth, where each is dropped."""
        return int(re.search(r"xdp_drops: (\d+)", sh("ethtool -S g0", f"{self.name}_g"))[1])

    def sent_back(self):
        """The same and what ended at the egress of d0."""
        queues = json.loads(sh("tc -s -j qdisc show dev d0", self.name))
        return self.arrived() + sum(queue["drops"] for queue in queues if queue["kind"] == "clsact")

    def counter(self, name):
        out = sh(f"nft list counter inet bench {name}", self.name)
        return int(re.search(r"packets (\d+)", out)[1])


class Sink(Peer):
    def prepare(self, options):
        sh(f"ip link set dev d0 xdpdrv object {GENERATOR_OBJECT} program bench_sink", self.name)


class AnswerXdp(Peer):
    """What any XDP program that answers costs here: the frame comes in, is turned round and arrives."""

    modes = ("syn",)

    def prepare(self, options):
        sh(f"ip link set dev d0 xdpdrv object {GENERATOR_OBJECT} program bench_answer", self.name)

    def accounted(self, mode):
        return self.arrived()


class Forward(Peer):
    def accounted(self, mode):
        lines = [line.split() for line in sh("cat /proc/net/snmp", self.name).splitlines() if line.startswith("Ip:")]
        return int(dict(zip(*lines))["ForwDatagrams"])


class ForwardXdp(Forward):
    """What any XDP program that passes packets on costs here."""

    def prepare(self, options):
        sh(f"ip link set dev d0 xdpdrv object {GENERATOR_OBJECT} program bench_pass", self.name)


class RawDrop(Peer):
    modes = ("stray",)
    rules = """table inet bench { counter dropped { packets 0 bytes 0; }
      chain c { type filter hook prerouting priority raw; counter name dropped drop
      }
    }"""

    def accounted(self, mode):
        return self.counter("dropped")


class Conntrack(Peer):
    needs_flows = True
    rules = """table inet bench { counter good { packets 0 bytes 0; }
      counter bad { packets 0 bytes 0; }
      chain c { type filter hook forward priority 0; ct state invalid counter name bad drop
                counter name good accept
      }
    }"""

    def prepare(self, options):
        sh("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0", self.name)
        # Size and limit are the whole machine's and left alone: --flows must stay below the limit.
        limit = int(Path("/proc/sys/net/netfilter/nf_conntrack_max").read_text())
        if options.flows > limit * 3 // 4:
            raise SystemExit(f"peers.py: nf_conntrack_max is {limit}: too small for {options.flows} flows;"
                             " raise it and nf_conntrack_buckets on the host")

    def accounted(self, mode):
        return self.counter("bad" if mode in ("stray", "beyond") else "good")


class Synproxy(Peer):
    """With its own SYN-ACKs untracked: without that conntrack counts each as invalid, at twice the cost."""

    modes = ("syn",)
    rules = """table inet bench {
      chain pre { type filter hook prerouting priority raw; tcp flags syn notrack; }
      chain out { type filter hook output priority raw; notrack; }
      chain c { type filter hook forward priority 0;
                ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
      }
    }"""

    def prepare(self, options):
        sh("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 net.ipv4.tcp_syncookies=1"
           " net.ipv4.tcp_timestamps=1", self.name)

    def accounted(self, mode):
        lines = sh("cat /proc/net/stat/synproxy", self.name).splitlines()[1:]
        return sum(int(line.split()[1], 16) for line in lines)


class Listener(Peer):
    """The kernel's own cookies."""

    modes = ("syn",)
    forwards = False

    def prepare(self, options):
        sh(f"ip addr add {SERVER}/32 dev d0; sysctl -qw net.ipv4.tcp_syncookies=1", self.name)
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.name}", sys.executable, "-c",
             "import socket,time; s=socket.create_server(('', 80), backlog=128);"
             "print('ready', flush=True); time.sleep(86400)"],
            stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def accounted(self, mode):
        out = sh("nstat -asz TcpExtSyncookiesSent", self.name)
        return int(re.search(r"TcpExtSyncookiesSent\s+(\d+)", out)[1])


class Guard(Peer):
    """tcpguard as shipped.  Its SYN cookie mode is one more row: `arguments` that switch it on."""

    modes = ("established", "hot", "stray", "syn")
    needs_flows = True
    # What it chooses by itself on a machine that forwards; the handshakes are no flood.
    arguments = "--profile gateway --synflood off --learn 0s"
    reasons = {"established": {"ok"}, "hot": {"ok"}, "stray": {"no_flow"}, "beyond": {"seq_above"},
               "syn": {"new", "table_full"}}

    def prepare(self, options):
        mount = f"/run/bpffs_{self.name}"
        os.makedirs(mount, exist_ok=True)
        # Each peer its own pins: tcpguard knows one place only.
        sh(f"mount -t bpf bpf {mount}")
        self.enter = f"mount --bind {mount} /sys/fs/bpf && "
        # Twice the flows: the daemon makes room in a table that is nearly full.
        self.guard(f"attach d0 --max-flows {options.flows * 2} {self.arguments}")

    def guard(self, words, check=True):
        return subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.name}", "unshare", "-m", "sh", "-c",
             f"{self.enter}{TCPGUARD} {words}"], text=True, check=check, stdout=subprocess.PIPE).stdout

    def accounted(self, mode):
        stats = json.loads(self.guard("-j stats"))
        wanted = self.reasons[mode]
        self.all = {row["name"]: row["packets"] for row in stats["interfaces"][0]["reasons"] if row["packets"]}
        return sum(row["packets"] for row in stats["interfaces"][0]["reasons"] if row["name"] in wanted)


class GuardHost(Guard):
    """The server is silent in mode beyond, for which a gateway would believe that it does not see it."""

    modes = ("beyond",)
    arguments = "--profile host --no-seed --synflood off --learn 0s"


class GuardCookies(Guard, Listener):
    """In front of the same listener, with every SYN a flood: each is answered with a cookie."""

    modes = ("syn",)
    needs_flows = False
    arguments = "--profile host --no-daemon --synflood challenge --syn-rate 1:0"
    reasons = {"syn": {"syn_cookie"}}

    def prepare(self, options):
        Listener.prepare(self, options)
        Guard.prepare(self, options)

    def accounted(self, mode):
        """Cookies, each of which left the machine."""
        return min(Guard.accounted(self, mode), self.sent_back())


class GuardCookiesByTc(GuardCookies):
    """The other end of the veth does not poll, as most do not: the answers leave through TC ingress."""

    def prepare(self, options):
        sh("ip link set dev g0 xdp off", f"{self.name}_g")
        super().prepare(options)

    def arrived(self):
        return 0


PEERS = [Sink("sink"), AnswerXdp("xdp_tx"), Forward("forward"), ForwardXdp("xdp_pass"), RawDrop("nft_raw"),
         Conntrack("nft_ct"), Synproxy("synproxy"), Listener("listener"), Guard("tcpguard"),
         GuardHost("tcpguard_host"), GuardCookies("tcpguard_cookies"), GuardCookiesByTc("cookies_by_tc")]
TOLERANCE = 0.98  # a few packets of one bucket in a hundred thousand find no slot, cookies are rate limited


def generate(mode, packets, rounds, flows, peers):
    done = subprocess.run([GENERATE, mode, str(packets), str(rounds), str(flows)] +
                          [peer.target() for peer in peers], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def measure(mode, options):
    peers = [peer for peer in PEERS if mode in peer.modes]
    before = [peer.accounted(mode) for peer in peers]
    rows = generate("established" if mode == "hot" else mode, options.packets, options.rounds,
                    1 if mode == "hot" else options.flows, peers)
    for peer, row, was in zip(peers, rows, before):
        row["seen"] = peer.accounted(mode) - was
        row["mode"] = mode
        row["valid"] = row["sent"] * TOLERANCE <= row["seen"] <= row["sent"] * 1.01
        mark = "" if row["valid"] else f"   INVALID: {row['seen']} of {row['sent']} accounted for"
        if not row["valid"] and hasattr(peer, "all"):
            print(f"    counters of {peer.name} since the start: {peer.all}")
        print(f"  {mode:12} {row['peer']:10} {row['min']:8.0f} {row['median']:8.0f} {row['max']:8.0f} ns{mark}",
              flush=True)
    return rows


def minimum(rows, mode, peer):
    found = [row["min"] for row in rows if (row["mode"], row["peer"]) == (mode, peer) and row["valid"]]
    return found[0] if found else None


def ratio(above, below):
    return above / below if above is not None and below else None


def added(rows, mode, peer, without="forward"):
    cost, floor = minimum(rows, mode, peer), minimum(rows, mode, without)
    return None if cost is None or floor is None else cost - floor


def goals(rows):
    def cost(mode, peer):
        return minimum(rows, mode, peer)

    table = [
        ("G6", "accepted packet, all flows: nft ct's added cost / ours", 3, 3.8,
         ratio(added(rows, "established", "nft_ct"), added(rows, "established", "tcpguard"))),
        ("G7", "accepted packet, one flow: the same", 10, 20,
         ratio(added(rows, "hot", "nft_ct"), added(rows, "hot", "tcpguard"))),
        ("G6x", "the same as G6, ours over an XDP program that only passes", 3, 3.8,
         ratio(added(rows, "established", "nft_ct"), added(rows, "established", "tcpguard", "xdp_pass"))),
        ("G7x", "the same as G7, ours over an XDP program that only passes", 10, 20,
         ratio(added(rows, "hot", "nft_ct"), added(rows, "hot", "tcpguard", "xdp_pass"))),
        ("G8", "stray ACK flood: nft ct invalid drop / ours", 4, 5,
         ratio(cost("stray", "nft_ct"), cost("stray", "tcpguard"))),
        ("G9", "beyond the window: nft ct / ours", 3.2, 4,
         ratio(cost("beyond", "nft_ct"), cost("beyond", "tcpguard_host"))),
        ("G11", "SYN flood, cookies: tuned nft synproxy / ours", 6, 9,
         ratio(cost("syn", "synproxy"), cost("syn", "tcpguard_cookies"))),
        ("G12", "SYN flood, cookies: listener / ours", 7.5, 10,
         ratio(cost("syn", "listener"), cost("syn", "tcpguard_cookies"))),
        ("G11v", "the same as G11, our answer by way of TC, as it leaves a veth", 6, 9,
         ratio(cost("syn", "synproxy"), cost("syn", "cookies_by_tc"))),
        ("G12v", "the same as G12, our answer by way of TC, as it leaves a veth", 7.5, 10,
         ratio(cost("syn", "listener"), cost("syn", "cookies_by_tc"))),
    ]
    result = []
    for name, text, must, stretch, value in table:
        grade = "not measured"
        if value is not None:
            grade = "stretch" if value >= stretch else "must" if value >= must else "MISSED"
        result.append({"id": name, "text": text, "must": must, "stretch": stretch, "value": value,
                       "at_least": True, "grade": grade})
        print(f"  {name:4} {grade:12} {'' if value is None else f'{value:.2f}'} >= {must} ({stretch})  {text}")
    return result


def machine():
    directory = Path("/sys/devices/system/cpu/vulnerabilities")
    states = {file.name: file.read_text().strip() for file in sorted(directory.iterdir())}
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "cpu": model[1] if model else "unknown", "processors": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
            "kernel": os.uname().release, "load": Path("/proc/loadavg").read_text().strip(),
            "mitigations": {name: text for name, text in states.items() if text != "Not affected"}}


def write(path, rows, reached):
    document = {"schema": "tcpguard.bench/1", "machine": machine(), "goals": reached, "rows": [
        {"group": f"peers, {row['mode']}", "name": row["peer"], "flows": 0, "unit": "ns", "valid": row["valid"],
         "min": row["min"], "median": row["median"], "max": row["max"],
         "why": f"{row['seen']} of {row['sent']} accounted for"} for row in rows]}
    Path(path).write_text(json.dumps(document, indent=1) + "\n")


def enter_world():
    """A private network, mount and process namespace: nothing outlives the run."""
    os.environ[IN_WORLD] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork",
                          "--kill-child", sys.executable, *sys.argv])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--packets", type=int, default=500_000)
    parser.add_argument("--flows", type=int, default=1 << 17)
    parser.add_argument("--modes", default=",".join(MODES), help="of " + " ".join(MODES))
    parser.add_argument("--json")
    options = parser.parse_args()
    options.modes = options.modes.split(",")
    if not set(options.modes) <= set(MODES):
        parser.error(f"--modes: of {' '.join(MODES)}")
    if options.flows % 512 or options.flows & (options.flows - 1):
        parser.error("--flows must be a power of two, at least 512")
    if os.geteuid():
        raise SystemExit("peers.py: needs root")
    if IN_WORLD not in os.environ:
        enter_world()
    sh("mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; mkdir /run/netns; mount -t bpf bpf /sys/fs/bpf")
    for peer in PEERS:
        peer.set_up(options)
    filled = [peer for peer in PEERS if peer.needs_flows]
    print(f"{options.flows} handshakes to {', '.join(peer.name for peer in filled)}", flush=True)
    generate("handshake", options.flows * 3, 1, options.flows, filled)
    rows = [row for mode in options.modes for row in measure(mode, options)]
    print("goals (ratios of minima)")
    reached = goals(rows)
    if options.json:
        write(options.json, rows, reached)


if __name__ == "__main__":
    main()
