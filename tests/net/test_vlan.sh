#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tagged frames of real sockets through a bridge that tcpguard watches: one tag, two, and a tag that the
# kernel keeps beside the frame (as rx-vlan-offload does).  The tags are put on by cables in user space,
# for not every kernel has VLAN interfaces.
. "$(dirname "$0")/lib.sh"

# client eth0 = c0 [wire] c1 = eth0 (ours, br0) eth1 = s1 [wire] s0 = eth0 server
settle
add_namespace wire
add_namespace client
add_namespace server
cable client eth0 02:00:00:00:00:0c c0
cable - eth0 02:00:00:00:00:01 c1
cable - eth1 02:00:00:00:00:02 s1
cable server eth0 02:00:00:00:00:05 s0
for host in 2:client 3:server; do
	address "${host#*:}" eth0 1 "${host%:*}"
	on "${host#*:}" ip link set eth0 mtu 1400
	on "${host#*:}" ethtool -K eth0 tx off tso off gso off > /dev/null
done

bridge() { # NAMESPACE|- BRIDGE INTERFACE...
	local enter=() name

	[ "$1" = - ] || enter=(on "$1")
	"${enter[@]}" ip link add "$2" type bridge
	"${enter[@]}" ip link set "$2" up
	for name in "${@:3}"; do
		"${enter[@]}" ip link set "$name" master "$2" up
	done
}
bridge - br0 eth0 eth1
web 10.0.1.3 server

# through NAME TAGS XDP...: both cables put the tags on, and what is to be dropped behind them is.
through() {
	local name=$1 xdp cables=()

	join c0 c1 tag="$2"
	cables+=("$PID")
	join s0 s1 tag="$2"
	cables+=("$PID")
	for xdp in "${@:3}"; do
		attach eth0 eth1 --profile gateway --learn 0 --max-flows 4096 --no-daemon --xdp "$xdp"
		check "$name: $xdp: 20 requests" fetch "http://10.0.1.3/page?[1-20]" -H 'Connection: close'
		check "$name: $xdp: a download of 300 KB" fetch http://10.0.1.3/bytes/300000
		check "$name: $xdp: each connection was tracked" equal "$(reason eth0 new)" 21
		check "$name: $xdp: nothing was dropped" equal "$(drops eth0) $(drops eth1)" " "
		on client "$ATTACK" ack -i eth0 -m 02:00:00:00:00:05 -s 10.0.9.9 -d 10.0.1.3 -n 50 > /dev/null
		check "$name: $xdp: strays behind tags are dropped" wait_for 3 strays_are_dropped
		"$TCPGUARD" detach --all --purge > /dev/null
	done
	kill "${cables[@]}"
	wait "${cables[@]}" 2> /dev/null || true
}

strays_are_dropped() {
	[ "$(drops eth0)" = no_flow=50 ]
}

through vlan 5 native generic
through qinq 100,5 generic

# Another bridge in between takes the tag off the bytes and keeps it beside the frame.
add_namespace between
on wire ip link delete c1
ip link add eth0 address 02:00:00:00:00:01 type veth peer name b0 netns between
ip link set eth0 master br0 up
ip link add b1 netns between type veth peer name c1 netns wire
on wire sysctl -qw net.ipv6.conf.c1.disable_ipv6=1
on wire ip link set c1 up promisc on
bridge between br1 b0 b1
through vlan_hwaccel 5 native
