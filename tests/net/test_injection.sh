#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forged segments beside a live connection: each is counted under its reason, none that is to be dropped
# gets behind XDP, the sockets notice nothing.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker

for xdp in native generic; do
	attach eth0 --xdp $xdp --no-daemon
	for family in 4 6; do
		export XDP=$xdp FAMILY=$family
		python_part <<'PYTHON'
import os
from world import Cases, Connection, Counter, Injector, reasons, segment, states, wait_for

cases = Cases()
xdp, family = os.environ["XDP"], int(os.environ["FAMILY"])
label = f"{xdp} IPv{family}"
live = Connection(8000, family, 18000 + family + (10 if xdp == "generic" else 0))
stranger = (live.client_name[0], 4321)
forge = Injector("attacker", "eth0", "02:00:00:00:00:01")
behind = Counter("eth0", "02:00:00:00:bb:bb")
FAR = 1 << 30


def total(name, verdict):
    return sum(count for (reason, action), count in reasons().items()
               if reason == name and (action == "drop") == (verdict == "drop"))


def inject(what, name, verdict, packet, times=1, at_least=None):
    """Sends and compares what was counted; of `times` segments, `at_least` fall under the reason."""
    expected = at_least or times
    before, passed = total(name, verdict), behind.read()
    for _ in range(times):
        forge.send(packet)
    counted = wait_for(lambda: total(name, verdict) - before >= expected, 2) and \
        total(name, verdict) - before
    reached = behind.read() - passed
    if verdict == "drop":
        good = counted >= expected and reached <= times - expected
    else:
        good = counted == times and reached == times
    cases.check(f"{label}: {what}: {name}", good,
                f"{counted} of {times} counted, {reached} behind XDP, now {reasons()}")


def from_client(flags, seq=0, ack=0, **more):
    return segment(live.client_name, live.server_name, flags, live.client_next + seq,
                   live.server_next + ack, **more)


def from_stranger(flags, **more):
    return segment(stranger, live.server_name, flags, 1234567, 7654321, **more)


inject("RST far behind", "rst_old", "drop", from_client("RST", -FAR))
inject("RST far ahead", "rst_above", "drop", from_client("RST", FAR))
inject("RST|ACK far ahead", "rst_above", "drop", from_client("RST|ACK", FAR))
inject("RST in the window, not exact", "rst_inexact", "pass", from_client("RST", 100))
inject("SYN", "syn_challenge", "pass", from_client("SYN", 5000))
inject("60 SYNs", "syn_rate", "drop", from_client("SYN", 5000), 60, 30)
inject("60 RSTs in the window", "rst_rate", "drop", from_client("RST", 100), 60, 30)
inject("SYN-ACK from the opener", "synack_unexpected", "pass", from_client("SYN|ACK", 77))
inject("ACK of data never sent", "ack_above", "drop", from_client("ACK", 0, 100000))
inject("ACK far behind", "ack_below", "drop", from_client("ACK", 0, -FAR))
inject("data beyond the window", "seq_above", "drop", from_client("ACK|PSH", FAR, payload=b"evil"))
inject("data far behind", "seq_below", "drop", from_client("ACK|PSH", -FAR, payload=b"evil"))
inject("data that acknowledges too much", "ack_above", "drop",
       from_client("ACK|PSH", 0, 100000, payload=b"evil"))
inject("FIN beyond the window", "seq_above", "drop", from_client("FIN|ACK", FAR))
inject("ACK of no connection", "no_flow", "drop", from_stranger("ACK"))
inject("data of no connection", "no_flow", "drop", from_stranger("ACK|PSH", payload=b"evil"))
inject("FIN of no connection", "no_flow", "drop", from_stranger("FIN|ACK"))
inject("SYN-ACK of no connection", "no_flow", "drop", from_stranger("SYN|ACK"))
inject("RST of no connection", "rst_no_flow", "drop", from_stranger("RST"))
inject("100 ACKs of no connection", "no_flow", "drop", from_stranger("ACK"), 100)
for flags in ("", "FIN", "FIN|PSH|URG", "SYN|FIN", "SYN|RST", "RST|FIN|ACK", "SYN|FIN|ACK|RST"):
    inject(f"flags {flags or 'none'}", "bad_flags", "drop", from_client(flags))
inject("source equals destination", "land", "drop",
       segment(live.server_name, live.server_name, "SYN", 1))
# The data offset claims a header longer than the packet.
broken = bytearray(from_client("ACK"))
broken[-8] = 0xf0
inject("impossible header length", "bad_hdr", "drop", bytes(broken))

cases.equal(f"{label}: the connection", live.alive(), "alive")
cases.equal(f"{label}: its states", states(live.client_name[1]), "ESTABLISHED/ESTABLISHED")
cases.finish()
PYTHON
	done
	"$TCPGUARD" detach eth0 --purge > /dev/null
done
