#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A hundred connections that talk without pause while the daemon is killed and started twenty times, and
# the programs are exchanged twice: none is reset, none of their segments dropped.
. "$(dirname "$0")/lib.sh"

topology_pair
attach eth0 --max-flows 8192

python_part <<'PYTHON'
import os
import selectors
import signal
import socket
import subprocess
import threading
from world import TCPGUARD, Cases, dropped, inside, wait_for

CONNECTIONS, RESTARTS = 100, 20
cases = Cases()
stop = threading.Event()
rounds, failed = [0] * CONNECTIONS, []


def daemons():
    return [int(pid) for pid in
            subprocess.run(["pgrep", "-f", "[t]cpguard daemon"], capture_output=True, text=True).stdout.split()]


def one_daemon():
    return len(daemons()) == 1 and "running" in subprocess.run(
        [TCPGUARD, "status"], capture_output=True, text=True).stdout


def talk():
    """Every connection: a message there, the same one back, and again."""
    ready = selectors.DefaultSelector()
    for number, (client, server) in enumerate(pairs):
        ready.register(client, selectors.EVENT_READ, (number, client, True))
        ready.register(server, selectors.EVENT_READ, (number, server, False))
        client.send(b"x" * 1000)
    while not stop.is_set():
        for key, _ in ready.select(0.1):
            number, sock, is_client = key.data
            try:
                data = sock.recv(4096)
                if not data:
                    raise OSError("closed")
                sock.send(data)
                rounds[number] += is_client
            except OSError as error:
                failed.append((number, str(error)))
                ready.unregister(sock)


listener = socket.create_server(("10.0.0.1", 8000), backlog=CONNECTIONS)
pairs = []
with inside("client"):
    for _ in range(CONNECTIONS):
        client = socket.create_connection(("10.0.0.1", 8000), 5)
        pairs.append((client, listener.accept()[0]))
thread = threading.Thread(target=talk)
thread.start()

restarted = 0
for number in range(RESTARTS):
    if not wait_for(one_daemon):
        break
    old = daemons()
    os.kill(old[0], signal.SIGKILL)
    wait_for(lambda: daemons() != old)
    if number % 10 == 9:  # everything anew: programs, daemon
        subprocess.run([TCPGUARD, "attach", "eth0"], check=True, capture_output=True)
    else:
        subprocess.Popen([TCPGUARD, "daemon"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = list(rounds)
    wait_for(lambda: all(now > then for now, then in zip(rounds, seen)))
    restarted += 1
cases.equal("restart_live: restarts", restarted, RESTARTS)
seen = list(rounds)
cases.check("restart_live: every connection goes on",
            wait_for(lambda: all(now > then for now, then in zip(rounds, seen))), str(rounds))
stop.set()
thread.join()
cases.equal("restart_live: connections that were reset", failed, [])
cases.equal("restart_live: nothing was dropped", dropped(), {})
cases.finish()
PYTHON
