#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever forges segments learns nothing from tcpguard: what it drops is answered by nobody, and one
# packet never brings more than one.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker

python_part <<'PYTHON'
import os
import socket
import subprocess
from world import (ETH_P_ALL, Cases, Connection, Frame, Injector, dropped, inside, is_tcp, reasons, segment,
                   wait_for)

PACKETS = 200
cases = Cases()
forge = Injector("attacker", "eth0", "02:00:00:00:00:01")
with inside("attacker"):
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    ear.bind(("eth0", ETH_P_ALL))


def heard(number, want=0):
    """Answers to that port: those wanted may take their time, and then none comes for 0.3 s."""
    count = 0
    try:
        while True:
            ear.settimeout(5 if count < want else 0.3)
            data = ear.recv(65536)
            if data[6:12] == b"\x02\x00\x00\x00\x00\x01" and data[12:14] == b"\x08\x00" and \
                    (not is_tcp(data) or Frame(data, None).dport == number):
                count += 1
    except TimeoutError:
        return count


def stray(flags, number):
    return segment(("10.0.0.3", number), ("10.0.0.1", 80), flags, 1234567, 7654321)


# What the bare kernel does, or the rest would prove nothing.
forge.send(stray("ACK", 4001))
cases.equal("oracle_timing: the kernel alone answers a stray", heard(4001, 1), 1)
subprocess.run([os.environ["TCPGUARD"], "attach", "eth0", "--no-daemon", "--max-flows", "4096"], check=True,
               capture_output=True)
for flags in ("ACK", "FIN|ACK", "SYN|ACK", "RST", "", "FIN|PSH|URG", "SYN|FIN"):
    before = sum(dropped().values())
    for _ in range(PACKETS):
        forge.send(stray(flags, 4002))
    cases.check(f"oracle_timing: {flags or 'no flags'}: dropped",
                wait_for(lambda: sum(dropped().values()) == before + PACKETS, 5), str(dropped()))
    cases.equal(f"oracle_timing: {flags or 'no flags'}: no answer", heard(4002), 0)

# To a closed port the kernel answers a SYN, once; to RSTs of that flow nobody does.
for _ in range(PACKETS):
    forge.send(stray("RST", 4003))
forge.send(stray("SYN", 4003))
cases.equal("amplify: a SYN to a closed port is answered once", heard(4003, 1), 1)

# In the windows of a live connection, in its name: the attacker hears nothing either.
live = Connection(8000)
for offset in range(0, 1 << 31, 1 << 23):
    for flags in ("RST", "ACK|PSH", "FIN|ACK"):
        forge.send(segment(live.client_name, live.server_name, flags, live.client_next + 100 + offset,
                           live.server_next + offset, payload=b"" if flags == "RST" else b"evil"))
cases.equal("oracle_timing: guesses at a live connection bring no answer", heard(live.client_name[1]), 0)
cases.equal("oracle_timing: the connection", live.alive(), "alive")
cases.finish()
PYTHON
