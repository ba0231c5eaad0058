#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tcpguard beside another XDP program through libxdp's dispatcher, before and behind it.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../../net/lib.sh"

NEIGHBOUR=$ROOT/build/tests/kernels/neighbour
OBJECT=$ROOT/build/tests/kernels/neighbour.bpf.o
STRAY=200

# neighbour PRIORITY: the other program, attached; asked through fd 8, answers on fd 9.  (Copies, for the
# shell closes those of a coprocess in its subshells.)
neighbour() {
	coproc OTHER { exec "$NEIGHBOUR" "$OBJECT" eth0 "$1"; }
	# shellcheck disable=SC2153 # coproc sets it
	OTHER_IS=$OTHER_PID
	# shellcheck disable=SC1083,SC2093 # {NAME}>&- closes a descriptor
	exec 8>&"${OTHER[1]}" 9<&"${OTHER[0]}" {OTHER[1]}>&- {OTHER[0]}<&-
	read -r -t $((20 * ${PATIENCE:-1})) answer <&9 && [ "$answer" = attached ]
}

seen() {
	echo >&8
	read -r -t $((20 * ${PATIENCE:-1})) answer <&9
	echo "$answer"
}

neighbour_ends() {
	exec 8>&- 9<&-
	wait "$OTHER_IS"
}

attack() {
	on client "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -D 9999 -n $STRAY \
		-r 20000 > /dev/null
}

hook() {
	"$TCPGUARD" -j stats | query "iface('eth0')['xdp']"
}

shares() {
	"$TCPGUARD" -v attach eth0 --share --no-daemon
}

# beside FEATURE PRIORITY SEEN: the neighbour first, then tcpguard (priority 10).
beside() {
	local feature="share: neighbour's priority $1" want=$2

	check "$feature: the neighbour attaches" neighbour "$1"
	check "$feature: tcpguard attaches beside it" shares
	check "$feature: stats say shared" equal "$(hook)" shared
	check "$feature: downloads" fetch "http://10.0.0.1/page?[1-20]"
	check "$feature: a download of 2 MB" fetch "http://10.0.0.1/bytes/2000000"
	check "$feature: nothing was dropped" nothing_dropped eth0
	check "$feature: an attack" attack
	check "$feature: is dropped" equal "$(drops eth0)" "no_flow=$STRAY"
	check "$feature: of which the neighbour saw" equal "$(seen)" "$want"
	check "$feature: detach" "$TCPGUARD" detach eth0 --purge
	check "$feature: the neighbour stays" attack
	check "$feature: and sees everything" equal "$(seen)" $((want + STRAY))
	check "$feature: the neighbour detaches" neighbour_ends
	check "$feature: no program is left" equal "$(ip -d link show eth0 | grep -c 'prog/xdp')" 0
}

topology_pair
web "::"

check "share: alone: attach" shares
check "share: alone: stats say shared" equal "$(hook)" shared
check "share: alone: a download" fetch http://10.0.0.1/bytes/2000000
check "share: alone: detach" "$TCPGUARD" detach eth0 --purge
beside 5 $STRAY
beside 50 0

# The other one comes when tcpguard is there already.
check "share: tcpguard first: attach" shares
check "share: tcpguard first: the neighbour attaches" neighbour 50
check "share: tcpguard first: an attack" attack
check "share: tcpguard first: is dropped" equal "$(drops eth0)" "no_flow=$STRAY"
check "share: tcpguard first: before the neighbour" equal "$(seen)" 0
check "share: tcpguard first: the neighbour detaches" neighbour_ends
check "share: tcpguard first: tcpguard stays" equal "$(hook)" shared
check "share: tcpguard first: a download" fetch http://10.0.0.1/bytes/2000000
check "share: tcpguard first: detach" "$TCPGUARD" detach eth0 --purge

# The dispatcher is no link of ours: it goes without a word.
is_lost() {
	[ "$("$TCPGUARD" -j status | query "(iface('eth0')['xdp_alive'], iface('eth0')['hook_lost'])")" = "$1" ]
}
check "share: taken off: attach" "$TCPGUARD" attach eth0 --share
check "share: taken off: before" is_lost "(True, False)"
ip link set dev eth0 xdp off
check "share: taken off: the daemon sees it" wait_for 20 is_lost "(False, True)"
check "share: taken off: a download" fetch http://10.0.0.1/bytes/2000000
check "share: taken off: attach repairs it" "$TCPGUARD" attach eth0 --share
check "share: taken off: all is well" is_lost "(True, False)"
check "share: taken off: and goes on so" fetch http://10.0.0.1/bytes/2000000
check "share: taken off: detach" "$TCPGUARD" detach eth0 --purge
