#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 200,000 SYNs from forged addresses through a table far smaller than that: idle connections survive,
# new ones succeed while it goes on.  Protection by SYN cookies is another test's.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
# Answers to forged addresses leave towards a neighbour that is not there.
ip route add default via 10.0.0.254
ip neigh add 10.0.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud permanent
attach eth0 --max-flows 8192 --no-daemon --synflood off # the table alone
web 10.0.0.1

python_part <<'PYTHON'
import os
import socket
import subprocess
from world import Cases, dropped, flows, inside, stats

IDLE, SYNS = 500, 200000
cases = Cases()
listener = socket.create_server(("10.0.0.1", 7000), backlog=IDLE)
pairs = []
with inside("client"):
    for _ in range(IDLE):
        client = socket.create_connection(("10.0.0.1", 7000), 5)
        server, _ = listener.accept()
        pairs.append((client, server))

flood = subprocess.Popen(
    ["nsenter", "--net=/run/netns/attacker", os.environ["ATTACK"], "syn", "-i", "eth0", "-m",
     "02:00:00:00:00:01", "-s", "198.51.100.0/22", "-d", "10.0.0.1", "-D", "80", "-n", str(SYNS),
     "-r", "60000", "-t", "20"], stdout=subprocess.PIPE, text=True)
requests = 0
while flood.poll() is None:
    done = subprocess.run(
        ["nsenter", "--net=/run/netns/client", "curl", "-sS", "--fail", "--max-time", "10", "-o",
         "/dev/null", "http://10.0.0.1/"], capture_output=True, text=True)
    if done.returncode:
        cases.check("a request during the flood", False, done.stderr)
        break
    requests += 1
sent = int(flood.communicate()[0])
cases.equal("SYNs sent", sent, SYNS)
cases.check(f"requests during the flood ({requests})", requests >= 5, f"only {requests}")

survivors = 0
for client, server in pairs:
    try:
        client.settimeout(2)
        server.settimeout(2)
        client.sendall(b"still there?")
        server.recv(100)
        server.sendall(b"yes")
        survivors += client.recv(100) == b"yes"
    except OSError:
        pass
cases.equal("idle connections that survived", survivors, IDLE)
tracked = sum(row["phase"] == "established" and ":7000" in row["src"] + row["dst"]
              for row in flows())
cases.equal("and are still tracked as established", tracked, IDLE)
cases.equal("nothing was dropped", dropped(), {})
row = next(i for i in stats()["interfaces"] if i["name"] == "eth0")
cases.equal("limit of the table", row["flows"]["limit"], 8192)
cases.finish()
PYTHON
