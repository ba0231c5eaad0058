#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel leaves to the card or to the path: segmentation, checksums, length fields, fragments,
# congestion marks.  The numbers tracked are the kernel's own, to the byte.
. "$(dirname "$0")/lib.sh"

topology_pair

python_part <<'PYTHON'
import os
import socket
import struct
import subprocess
import time
from kernel import OPTION_ECN, info, numbers, tracked
from world import ETH_P_ALL, Cases, dropped, inside, reasons, tcpguard, wait_for

US, CLIENT, SECONDS = "10.0.0.1", "10.0.0.2", 1.0
IFLA_GSO_IPV4_MAX_SIZE, IFLA_GRO_IPV4_MAX_SIZE = 63, 64
cases = Cases()


def connect(port):
    listener = socket.create_server((US, port))
    with inside("client"):
        client = socket.create_connection((US, port), 5, (CLIENT, port + 10000))
    server, _ = listener.accept()
    listener.close()
    return client, server


def pump(sender, receiver, seconds):
    """As much as goes in the time given; returns when all of it is acknowledged."""
    import threading

    def drain():
        while total[0] is None or info(receiver)["received"] < total[0]:
            receiver.recv(1 << 20)

    total = [None]
    thread = threading.Thread(target=drain)
    thread.start()
    sent, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        sent += sender.send(b"x" * 65536)
    total[0] = sent + 1
    sender.sendall(b"x")
    thread.join(30)
    wait_for(lambda: info(sender)["unacked"] == info(sender)["notsent"] == 0)
    return sent + 1


def same_numbers(name, port, server):
    """S.end and ack of both sides are snd_nxt and rcv_nxt of the server's socket."""
    want = numbers(server)

    def known():
        ours, theirs = tracked(port, US), tracked(port, CLIENT)
        return (ours["end"], theirs["ack"]), (theirs["end"], ours["ack"])

    want = (want[0], want[0]), (want[1], want[1])
    wait_for(lambda: known() == want, 3)
    cases.equal(f"{name}: end and ack are snd_nxt and rcv_nxt", known(), want)


def transfer(name, port):
    client, server = connect(port)
    pump(server, client, SECONDS)
    pump(client, server, SECONDS)
    same_numbers(name, port, server)
    cases.equal(f"{name}: nothing was dropped", dropped(), {})
    return client, server


def sysctl(name, value):
    for netns in (None, "client"):
        with inside(netns), open(f"/proc/sys/net/ipv4/{name}", "w") as file:
            file.write(str(value))


def sniff(port, seconds=2):
    """The frames that arrive at the client from now on, headers only, until one is of that port."""
    sock.settimeout(seconds)
    while True:
        data = sock.recv(200)
        if data[12:14] == b"\x08\x00" and data[23] == 6 and struct.unpack("!H", data[34:36])[0] == port:
            return data


def attach(xdp):
    subprocess.run([os.environ["TCPGUARD"], "attach", "eth0", "--no-daemon", "--max-flows", "4096", "--xdp", xdp],
                   check=True, capture_output=True)


def set_big_ipv4(netns):
    """ip link set eth0 gso_ipv4_max_size 185000, which not every ip knows."""
    with inside(netns), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        attributes = b"".join(struct.pack("HHI", 8, kind, 185000)
                              for kind in (IFLA_GSO_IPV4_MAX_SIZE, IFLA_GRO_IPV4_MAX_SIZE))
        body = struct.pack("BxHiII", 0, 0, socket.if_nametoindex("eth0"), 0, 0) + attributes
        netlink.send(struct.pack("IHHII", 16 + len(body), 19, 5, 1, 0) + body)  # RTM_SETLINK, REQUEST | ACK
        return struct.unpack_from("i", netlink.recv(4096), 16)[0] == 0


attach("native")
transfer("tso_egress: native", 8001)
sysctl("ip_no_pmtu_disc", 1)
with inside("client"):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind(("eth0", ETH_P_ALL))
client, server = connect(8002)
server.send(b"hello")
while struct.unpack("!H", sniff(8002)[20:22])[0] & 0x4000:  # a SYN-ACK has it all the same
    pass
cases.check("nodf: the frames carry no DF", True)
cases.equal("nodf: the data arrives", client.recv(10), b"hello")
sysctl("ip_no_pmtu_disc", 0)
sysctl("tcp_ecn", 1)
client, server = transfer("ecn", 8003)
cases.check("ecn: it was negotiated", info(client)["options"] & OPTION_ECN)
try:
    sysctl("tcp_ecn", 3)
    transfer("accecn", 8004)
except OSError as error:
    cases.skip("accecn", f"this kernel has no AccECN: tcp_ecn=3: {error.strerror}")
sysctl("tcp_ecn", 2)
cases.equal("csum_partial: native: no checksum was doubted",
            sum(count for (name, _), count in reasons().items() if name == "bad_csum"), 0)
tcpguard("detach", "eth0", "--purge")

attach("generic")
transfer("tso_egress: generic", 8005)
offload = subprocess.run(["ethtool", "-k", "eth0"], capture_output=True, text=True).stdout
cases.check("csum_partial: checksums are left to the card", "tx-checksumming: on" in offload, offload)
cases.equal("csum_partial: generic: no checksum was doubted",
            sum(count for (name, _), count in reasons().items() if name == "bad_csum"), 0)
if set_big_ipv4(None) and set_big_ipv4("client"):
    client, server = connect(8006)
    pump(server, client, SECONDS)
    pump(client, server, SECONDS)
    same_numbers("bigtcp: IPv4", 8006, server)
    cases.equal("bigtcp: IPv4: nothing was dropped", dropped(), {})
    cases.equal("bigtcp: IPv4: every header could be read",
                sum(count for (name, _), count in reasons().items() if name == "unreadable"), 0)
else:
    cases.skip("bigtcp: IPv4", "this kernel has no gso_ipv4_max_size")
cases.finish()
PYTHON
