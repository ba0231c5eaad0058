#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP Fast Open: data in the SYN, answered before the handshake is done.
. "$(dirname "$0")/lib.sh"

topology_pair
sysctl -qw net.ipv4.tcp_fastopen=3
on client sysctl -qw net.ipv4.tcp_fastopen=3
attach eth0 --no-daemon

python_part <<'PYTHON'
import socket
import threading
from world import Cases, dropped, inside, settled, tcp_ext

AMOUNT = 60000
cases = Cases()
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("10.0.0.1", 8001))
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
listener.listen()


def serve():
    while True:
        server, _ = listener.accept()
        if server.recv(100):
            server.sendall(b"x" * AMOUNT)
        server.close()


threading.Thread(target=serve, daemon=True).start()
for i in range(5):
    with inside("client"):
        client = socket.socket()
    client.bind(("10.0.0.2", 18001 + i))
    client.sendto(b"in the SYN", socket.MSG_FASTOPEN, ("10.0.0.1", 8001))  # blocks: no cookie yet
    client.settimeout(5)
    got = 0
    while part := client.recv(65536):
        got += len(part)
    cases.equal("the whole answer arrives", got, AMOUNT)
    client.close()
    cases.equal("closed in order", settled(18001 + i, "CLOSED/TIME_WAIT"), "CLOSED/TIME_WAIT")
in_syn = tcp_ext("client", "TCPFastOpenActive")
cases.check(f"the kernel did use fast open ({in_syn} times)", in_syn >= 3)
cases.equal("nothing was dropped", dropped(), {})
cases.finish()
PYTHON
