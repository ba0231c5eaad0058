# SPDX-License-Identifier: GPL-2.0-or-later
"""The receivers of `make bench-floods`: a web server each, behind what is compared.

Each is a network namespace whose d0 is fed by g0 of another, from where real clients come, too.  They differ in
nothing but what stands in front of the server.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from peers import ROOT, TCPGUARD, sh

SERVICE = Path(__file__).with_name("flood_service.py")
FLOOD_OBJECT = ROOT / "build" / "tests" / "bench" / "flood.bpf.o"
SERVER_MAC, CLIENT_MAC = "02:00:00:00:00:02", "02:00:00:00:00:01"
ADDRESS = {4: "198.18.0.1", 6: "fd00:c1::1"}


class Receiver:
    """counters(): what it says it did; `seen` among them is every packet that reached it."""

    rules = ""  # nft

    def __init__(self, name, title):
        self.name, self.title = name, title

    def set_up(self, cpu):
        net = self.name
        sh(f"ip netns add {net} && ip netns add {net}_g")
        sh(f"ip link add d0 netns {net} address {SERVER_MAC} type veth peer name g0 netns {net}_g"
           f" address {CLIENT_MAC}")
        for where, own, other, mac in ((net, 1, 2, CLIENT_MAC), (f"{net}_g", 2, 1, SERVER_MAC)):
            device = "d0" if own == 1 else "g0"
            sh("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0"
               f" net.ipv6.conf.{device}.accept_dad=0 net.ipv4.conf.all.rp_filter=0"
               f" net.ipv4.conf.{device}.rp_filter=0 net.ipv4.tcp_syncookies=1;"
               f"ip link set lo up; ip link set {device} up;"
               f"ip addr add 198.18.0.{own}/24 dev {device};"
               f"ip addr add fd00:c1::{own}/64 dev {device} nodad;"
               f"ip neigh add 198.18.0.{other} lladdr {mac} dev {device} nud permanent;"
               f"ip neigh add fd00:c1::{other} lladdr {mac} dev {device} nud permanent", where)
        # A receiver takes live frames if it polls, and then polls for what clients send if they leave large
        # segments alone: all come through one queue, as with a program at XDP.
        sh("ethtool -K g0 tso off", f"{net}_g")
        # What it answers to forged senders ends at its own egress; by XDP_TX, which needs a program at the other
        # end, there.
        sh(f"ip link set dev g0 xdpdrv object {FLOOD_OBJECT} program flood_arrived", f"{net}_g")
        sh("ethtool -K d0 gro on; ip route add default via 198.18.0.2;"
           "ip -6 route add default via fd00:c1::2; tc qdisc add dev d0 clsact;"
           f"tc filter add dev d0 egress bpf direct-action object-file {FLOOD_OBJECT} section tc", net)
        if self.rules:
            subprocess.run(["nsenter", f"--net=/run/netns/{net}", "nft", "-f", "-"], input=self.rules,
                           text=True, check=True)
        self.prepare()
        self.server = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{net}", "taskset", "-c", str(cpu), sys.executable, SERVICE, "serve"],
            stdout=subprocess.PIPE, text=True)
        self.server.stdout.readline()

    def prepare(self):
        pass

    def target(self):
        return f"{self.name},/run/netns/{self.name}_g,g0,{SERVER_MAC}"

    def snmp(self):
        """Counters of the namespace, by the kernel's names."""
        found = {}
        for line in sh("nstat -asz", self.name).splitlines():
            words = line.split()
            if len(words) == 3 and words[1].isdigit():
                found[words[0]] = int(words[1])
        return found

    def received(self):
        return int(sh("sed -n 's/.*d0: *[0-9]* *\\([0-9]*\\).*/\\1/p' /proc/net/dev", self.name))

    def cable_lost(self):
        """Packets of clients that found the cable full, of the flood."""
        statistics = json.loads(sh("ip -s -j link show g0", f"{self.name}_g"))[0]["stats64"]["tx"]["dropped"]
        forged = re.search(r"xdp_xmit_errors: (\d+)", sh("ethtool -S g0", f"{self.name}_g"))
        return statistics - int(forged[1])

    def counters(self):
        snmp = self.snmp()
        return {"seen": self.received(), "cookies": snmp["TcpExtSyncookiesSent"],
                "reset": snmp["TcpOutRsts"], "fragments": snmp["IpReasmReqds"]}


class Synproxy(Receiver):
    """Its own SYN-ACKs, which have a window of 0, are not tracked: conntrack would call each invalid."""

    rules = """table inet bench { counter seen { packets 0 bytes 0; }
      counter dropped { packets 0 bytes 0; }
      counter answers { packets 0 bytes 0; }
      chain pre { type filter hook prerouting priority raw; iifname d0 counter name seen
        iifname d0 tcp dport 80 tcp flags & (fin|syn|rst|ack) == syn notrack
      }
      chain out { type filter hook output priority raw;
        oifname d0 tcp sport 80 tcp flags & (syn|ack) == syn|ack tcp window 0 counter name answers notrack
      }
      chain in { type filter hook input priority 0;
        iifname d0 tcp dport 80 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
        iifname d0 ct state invalid counter name dropped drop
      }
    }"""

    def prepare(self):
        sh("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 net.ipv4.tcp_timestamps=1", self.name)

    def nft(self, name):
        return int(re.search(r"packets (\d+)", sh(f"nft list counter inet bench {name}", self.name))[1])

    def counters(self):
        lines = sh("cat /proc/net/stat/synproxy", self.name).splitlines()
        names = lines[0].split()
        sums = [sum(int(line.split()[i], 16) for line in lines[1:]) for i in range(len(names))]
        proxy = dict(zip(names, sums))
        return {"seen": self.received(), "cookies": proxy["syn_received"],
                "bad cookies": proxy["cookie_invalid"], "dropped": self.nft("dropped"),
                "untracked answers": self.nft("answers"), "fragments": self.snmp()["IpReasmReqds"]}


class Guard(Receiver):
    arguments = ""

    def __init__(self, name, title, arguments):
        super().__init__(name, title)
        self.arguments = arguments

    def prepare(self):
        mount = f"/run/bpffs_{self.name}"
        os.makedirs(mount, exist_ok=True)
        sh(f"mount -t bpf bpf {mount}")
        self.enter = f"mount --bind {mount} /sys/fs/bpf && "
        self.guard(f"attach d0 --profile host {self.arguments}")

    def guard(self, words):
        # Each its own pins: tcpguard knows one place only.
        return subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.name}", "unshare", "-m", "sh", "-c",
             f"{self.enter}{TCPGUARD} {words}"], text=True, check=True,
            stdout=subprocess.PIPE).stdout

    def counters(self):
        rows = json.loads(self.guard("-j stats"))["interfaces"][0]["reasons"]
        found = {}
        for row in rows:
            found[row["name"]] = found.get(row["name"], 0) + row["packets"]
        # What the stack answers leaves through tcpguard and is counted, too.
        return {"seen": min(sum(found.values()), self.received()), **found}


RECEIVERS = [
    Receiver("kernel", "the kernel's own cookies"),
    Synproxy("synproxy", "nftables synproxy"),
    Guard("tcpguard", "tcpguard", ""),
    Guard("defer", "tcpguard without cookies", "--synflood defer"),
]
