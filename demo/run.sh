#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make demo`: a web server behind tcpguard, two clients and an attacker, each in a network
# namespace of its own on one bridge.  Needs root, touches nothing outside, leaves nothing behind.
world_unavailable() {
	echo "demo: $*" >&2
	exit 1
}
die() {
	echo "DEMO FAILED: $*" >&2
	exit 1
}

. "$(dirname "$0")/../tests/net/world.sh"

topology_switch client1 client2 attacker
# Answers to forged addresses leave towards a neighbour that is not there, as they would to a
# router.
ip route add default via 10.0.0.254
ip neigh add 10.0.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud permanent
web 10.0.0.1 2> "$WORK/web.err"

"$PYTHON" "$ROOT/demo/story.py" || {
	cat "$WORK/web.err" >&2
	die "see above"
}
