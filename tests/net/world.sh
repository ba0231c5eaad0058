# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A private world for a network test or the demo: network, mount and process namespace of its own, so
# that nothing started or made in it outlives it; topologies of further namespaces; conditions with a
# bound.  Whoever sources this defines world_unavailable REASON, which must exit, before.
#
# tcpguard always runs in the namespace the script itself is in; the others are entered with `on`.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export ROOT
export TCPGUARD=${TCPGUARD:-$ROOT/build/tcpguard}
export ATTACK=$ROOT/build/demo/attack
PYTHON=/usr/bin/python3
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ROOT/tests/net

if [ -z "${TG_WORLD-}" ]; then
	[ "$(id -u)" = 0 ] || world_unavailable "needs root"
	export TG_WORLD=1
	exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
		"$0" "$@"
fi

WORK=$(mktemp -d /tmp/tcpguard-world.XXXXXX)
export WORK
WORLD_PIDS=()
FAILED=0

# The process namespace ends with this shell and takes every process with it; what the shell started
# is asked politely first.
cleanup() {
	local status=$?

	trap - EXIT
	if [ ${#WORLD_PIDS[@]} -gt 0 ]; then
		kill "${WORLD_PIDS[@]}" 2> /dev/null || true
	fi
	rm -rf "$WORK"
	[ "$FAILED" = 0 ] || status=1
	exit "$status"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

# /sys shows the network namespace that mounted it; a tmpfs keeps our names out of the host's /run.
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf || world_unavailable "no bpffs in this kernel"
mount -t tmpfs tmpfs /run
mkdir /run/netns

# wait_for SECONDS COMMAND...: until the command succeeds; false if it never does.  An emulated machine
# (tests/kernels) has more patience.
wait_for() {
	local deadline=$((SECONDS + $1 * ${PATIENCE:-1} + 1))

	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.02
	done
}

now_ms() {
	date +%s%3N
}

# --- namespaces -------------------------------------------------------------------------------------

# on NAMESPACE COMMAND...  (`ip netns exec` would hide our bpffs behind a new /sys)
on() {
	local netns=$1

	shift
	nsenter "--net=/run/netns/$netns" "$@"
}

# background COMMAND...: its pid is in $PID and dies with the world.  A function may not stand between
# the shell and the program (its subshell would be what gets killed), so `on` is spelt out here.
background() {
	if [ "$1" = on ]; then
		set -- nsenter "--net=/run/netns/$2" "${@:3}"
	fi
	"$@" &
	PID=$!
	WORLD_PIDS+=("$PID")
}

# Settings every namespace gets: no waiting for duplicate addresses, no filter by reverse path.
settle() {
	sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ip link set lo up
}
export -f settle

add_namespace() {
	ip netns add "$1"
	on "$1" bash -c settle
}

# address IN_NAMESPACE|- INTERFACE NET HOST: 10.0.NET.HOST/24 and fd00:NET::HOST/64, link up.
address() {
	local enter=()

	[ "$1" = - ] || enter=(on "$1")
	"${enter[@]}" ip link set "$2" up
	"${enter[@]}" ip addr add "10.0.$3.$4/24" dev "$2"
	"${enter[@]}" ip addr add "fd00:$3::$4/64" dev "$2" nodad
}

# Ours eth0 (10.0.0.1, fd00:0::1), one cable to the client's eth0 (10.0.0.2, fd00:0::2).
topology_pair() {
	settle
	add_namespace client
	ip link add eth0 address 02:00:00:00:00:01 type veth \
		peer name eth0 address 02:00:00:00:00:02 netns client
	address - eth0 0 1
	address client eth0 0 2
}

# Ours eth0 (host 1) and the eth0 of each namespace named (hosts 2, 3...) on one bridge.
topology_switch() {
	local name host=2

	settle
	add_namespace switch
	on switch ip link add br0 type bridge
	on switch ip link set br0 up
	ip link add eth0 address 02:00:00:00:00:01 type veth peer name us netns switch
	on switch ip link set us master br0 up
	address - eth0 0 1
	for name in "$@"; do
		add_namespace "$name"
		ip link add eth0 address "02:00:00:00:00:0$host" netns "$name" type veth \
			peer name "$name" netns switch
		on switch ip link set "$name" master br0 up
		address "$name" eth0 0 $host
		host=$((host + 1))
	done
}

# Ours forwards: client 10.0.1.2 - eth0 10.0.1.1 | eth1 10.0.2.1 - server 10.0.2.2; the same in IPv6.
topology_router() {
	settle
	add_namespace client
	add_namespace server
	ip link add eth0 type veth peer name eth0 netns client
	ip link add eth1 type veth peer name eth0 netns server
	address - eth0 1 1
	address - eth1 2 1
	address client eth0 1 2
	address server eth0 2 2
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	on client ip route add default via 10.0.1.1
	on client ip -6 route add default via fd00:1::1
	on server ip route add default via 10.0.2.1
	on server ip -6 route add default via fd00:2::1
}

# A router that forwards between two cables whose middles, in the namespace wire, a program must join:
#	client eth0 = c0 [wire] c1 = eth0 (ours) eth1 = s1 [wire] s0 = eth0 server
# Addresses as in topology_router, IPv4.
topology_wired_router() {
	local netns

	settle
	add_namespace wire
	add_namespace client
	add_namespace server
	cable client eth0 02:00:00:00:00:0c c0
	cable - eth0 02:00:00:00:00:01 c1
	cable - eth1 02:00:00:00:00:02 s1
	cable server eth0 02:00:00:00:00:05 s0
	address client eth0 1 2
	address - eth0 1 1
	address - eth1 2 1
	address server eth0 2 2
	sysctl -qw net.ipv4.ip_forward=1
	on client ip route add default via 10.0.1.1
	on server ip route add default via 10.0.2.1
	# What is copied from a packet socket must carry a whole checksum, and be one segment.
	for netns in client server; do
		on $netns ethtool -K eth0 tx off tso off gso off > /dev/null
	done
}

# cable IN_NAMESPACE|- INTERFACE MAC END: the other end is in the namespace wire.
cable() {
	if [ "$1" = - ]; then
		ip link add "$2" address "$3" type veth peer name "$4" netns wire
	else
		ip link add "$2" address "$3" netns "$1" type veth peer name "$4" netns wire
	fi
	on wire sysctl -qw "net.ipv6.conf.$4.disable_ipv6=1"
	on wire ip link set "$4" up promisc on
}

# join END END KEY=VALUE...: the two ends, in the namespace wire, by a cable; see wire.py.
join() {
	rm -f "$WORK/wire.$1" # its predecessor was ready, too
	background on wire "$PYTHON" "$ROOT/tests/net/wire.py" "$@" > "$WORK/wire.$1" 2>&1
	wait_for 10 grep -q ready "$WORK/wire.$1" || die "no wire between $1 and $2"
}

# --- real programs ----------------------------------------------------------------------------------

# listening PORT [NAMESPACE], ours if none is named
listening() {
	[ -n "$(${2:+on "$2"} ss -Hlnt "sport = :$1")" ]
}

# web ADDRESS [NAMESPACE]: a web server on port 80.
web() {
	background ${2:+on "$2"} "$PYTHON" "$ROOT/demo/web.py" "$1" 80
	wait_for 10 listening 80 ${2:+"$2"} || die "the web server does not start"
}
