#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The states of both endpoints as `flows` shows them, step by step, of real sockets: a router with
# tcpguard between two endpoints, and a wire that lets one segment pass at a time.
. "$(dirname "$0")/lib.sh"

# client eth0 = c0 [wire] c1 = eth0 (ours) eth1 = s1 [wire] s0 = eth0 server
settle
add_namespace wire
add_namespace client
add_namespace server
cable() { # NAMESPACE|- INTERFACE MAC END NET HOST
	if [ "$1" = - ]; then
		ip link add "$2" address "$3" type veth peer name "$4" netns wire
	else
		ip link add "$2" address "$3" netns "$1" type veth peer name "$4" netns wire
	fi
	on wire sysctl -qw "net.ipv6.conf.$4.disable_ipv6=1"
	on wire ip link set "$4" up promisc on
	address "$1" "$2" "$5" "$6"
}
cable client eth0 02:00:00:00:00:0c c0 1 2
cable - eth0 02:00:00:00:00:01 c1 1 1
cable - eth1 02:00:00:00:00:02 s1 2 1
cable server eth0 02:00:00:00:00:05 s0 2 2
sysctl -qw net.ipv4.ip_forward=1
on client ip route add default via 10.0.1.1
on server ip route add default via 10.0.2.1
# What is copied from a packet socket must carry a whole checksum, and be one segment.
for netns in client server; do
	on $netns ethtool -K eth0 tx off tso off gso off > /dev/null
done
attach eth0 eth1 --profile gateway --no-daemon

"$PYTHON" "$HERE/states.py" || FAILED=1
