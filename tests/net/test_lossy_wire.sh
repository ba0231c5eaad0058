#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A router between two cables that lose, repeat and reorder, so that segments are missing before and
# after it: every transfer completes, and what is dropped is resets that their receiver refuses as well.
. "$(dirname "$0")/lib.sh"

topology_wired_router
join c0 c1 loss=0.04 dup=0.05 reorder=0.3 hold=0.2 seed=7
join s0 s1 loss=0.04 dup=0.05 reorder=0.3 hold=0.2 seed=11
attach eth0 eth1 --profile gateway --no-daemon --learn 0

python_part <<'PYTHON'
import socket
import threading
from world import Cases, flows, inside, reasons, wait_for

CONNECTIONS, AMOUNT, PORT = 24, 40000, 8001
cases = Cases()
received, failed = {}, []

with inside("server"):
    listener = socket.create_server(("10.0.2.2", PORT), backlog=CONNECTIONS)


def take_all(sock):
    total = 0
    while part := sock.recv(65536):
        total += len(part)
    return total


def serve(sock):
    """As much back as came; every third connection is half closed by the client first."""
    sock.settimeout(60)
    try:
        total = 0
        while total < AMOUNT:
            total += len(sock.recv(65536))
        sock.sendall(b"y" * AMOUNT)
        sock.shutdown(socket.SHUT_WR)
        take_all(sock)
        sock.close()
    except OSError as error:
        failed.append(f"server: {error}")


def ask(number):
    try:
        with inside("client"):
            sock = socket.socket()
        sock.settimeout(60)
        sock.bind(("10.0.1.2", 20000 + number))
        sock.connect(("10.0.2.2", PORT))
        sock.sendall(b"x" * AMOUNT)
        if number % 3 == 0:
            sock.shutdown(socket.SHUT_WR)
        received[number] = take_all(sock)
        sock.close()
    except OSError as error:
        failed.append(f"client {number}: {error}")


def accept_all():
    for _ in range(CONNECTIONS):
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


threading.Thread(target=accept_all, daemon=True).start()
clients = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(CONNECTIONS)]
for client in clients:
    client.start()
for client in clients:
    client.join(120)

cases.equal("reorder_heavy: every transfer is complete", (sum(received.values()), failed),
            (CONNECTIONS * AMOUNT, []))
ended = wait_for(lambda: all(row["phase"] in ("time_wait", "closed") for row in flows()), 30)
cases.check("reorder_heavy: every connection is seen to end", ended,
            str([(row["src"], row["phase"]) for row in flows()]))
dropped, seen = {}, {}
for ifname in ("eth0", "eth1"):
    for (name, how), count in reasons(ifname).items():
        seen[name] = seen.get(name, 0) + count
        if how != "pass" and name not in ("rst_old", "rst_syn_sent"):
            dropped[name] = dropped.get(name, 0) + count
print(f"# {seen}")
cases.equal("reorder_heavy: nothing that an endpoint wants was dropped", dropped, {})
cases.check("reorder_heavy: segments were sent again and overtook others", seen.get("retrans", 0) > 100, str(seen))
cases.finish()
PYTHON
