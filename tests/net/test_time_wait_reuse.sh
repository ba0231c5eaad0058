#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same addresses and ports again while the flow is in TIME_WAIT: no SYN is lost, none is sent again.
. "$(dirname "$0")/lib.sh"

topology_pair
attach eth0 --no-daemon

python_part <<'PYTHON'
import socket
import subprocess
import time
from world import TCPGUARD, Cases, dropped, inside, reasons, settled, tcp_ext

cases = Cases()


def sysctl(netns, name, value):
    with inside(netns):
        with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
            file.write(value)


def run(*words):
    subprocess.run([TCPGUARD, *words], check=True, stdout=subprocess.DEVNULL)


def connect(listener, port, patience):
    """The client's end, always from the same port, and the server's."""
    with inside("client"):
        client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.settimeout(patience)
    client.bind(("10.0.0.2", port + 10000))
    client.connect(("10.0.0.1", port))
    return client, listener.accept()[0]


def converse(listener, port, server_closes):
    """One whole conversation from the same client port; returns the states it ended in, those wanted, and whether
    the second FIN came too late to go with the ACK of the first (Linux delays that for 40 ms)."""
    client, server = connect(listener, port, 5)
    client.sendall(b"ping")
    assert server.recv(10) == b"ping"
    server.sendall(b"pong")
    assert client.recv(10) == b"pong"
    first, second = (server, client) if server_closes else (client, server)
    began = time.monotonic()
    first.close()
    second.recv(10)
    second.close()
    late = time.monotonic() - began > 0.03
    want = "CLOSED/TIME_WAIT" if server_closes else "TIME_WAIT/CLOSED"
    return settled(port, want), want, late


def again(name, port, server_closes, times=4):
    before = tcp_ext("client", "TCPSynRetrans")
    # Who keeps no TIME_WAIT answers a FIN after the ACK with a reset: where the machine was that slow, once more.
    for port in range(port, port + 100, 10):
        listener = socket.create_server(("10.0.0.1", port))
        ends = [converse(listener, port, server_closes) for _ in range(1 + times)]
        if not any(late and got != want for got, want, late in ends):
            break
    for got, want, _ in ends:
        cases.equal(f"port {port + 10000}: {want}", got, want)
    cases.equal(f"{name}: SYNs sent again", tcp_ext("client", "TCPSynRetrans") - before, 0)


again("the server's TIME_WAIT takes the SYN", 8001, True)


def reused_unseen(name, port, *how):
    """The same ports again while nobody looks: what is in the table is of the connection before."""
    listener = socket.create_server(("10.0.0.1", port))
    converse(listener, port, True)
    run("detach", "eth0")
    client, server = connect(listener, port, 3)
    server.settimeout(3)
    run("attach", "eth0", "--no-daemon", *how)
    client.sendall(b"more")
    cases.equal(f"{name}: it goes on", server.recv(10), b"more")
    server.sendall(b"back")
    cases.equal(f"{name}: both ways", client.recv(10), b"back")
    client.close()
    server.close()


reused_unseen("reused unseen", 8005)
reused_unseen("reused unseen, and no sockets asked", 8006, "--no-seed")
run("detach", "eth0")
run("attach", "eth0", "--no-daemon")
sysctl("client", "tcp_timestamps", "0")
again("the same without timestamps", 8002, True)
sysctl("client", "tcp_timestamps", "1")
# A host that keeps no TIME_WAIT stands for one whose 60 s are over while ours go on.
sysctl(None, "tcp_max_tw_buckets", "0")
again("the server forgot the connection", 8003, True)
sysctl("client", "tcp_max_tw_buckets", "0")
again("the client closed first and forgot", 8004, False)

seen = reasons()
cases.check("tw_reuse: the SYNs were counted as reuse",
            sum(count for (name, _), count in seen.items() if name in ("tw_reuse", "reopen")) >= 16,
            str(seen))
cases.equal("nothing was dropped", dropped(), {})
cases.finish()
PYTHON
