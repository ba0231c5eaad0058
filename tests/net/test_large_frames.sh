#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Frames beyond the ordinary: jumbo frames (several buffers in native XDP), segments of 64 KB in generic XDP,
# BIG TCP, whose packets carry no length.
. "$(dirname "$0")/lib.sh"

topology_pair
web fd00:0::1

both() {
	"$@"
	on client "$@"
}

through() { # NAME ATTACH-ARGUMENT...
	local name=$1

	shift
	attach eth0 --no-daemon "$@"
	check "$name: a download of 20 MB" fetch "http://[fd00:0::1]/bytes/20000000"
	check "$name: nothing was dropped" nothing_dropped eth0
	check "$name: iperf3" iperf fd00:0::1 -t 1
	check "$name: iperf3, the other way" iperf fd00:0::1 -t 1 -R
	check "$name: nothing was dropped" nothing_dropped eth0
	check "$name: every header could be read" equal "$(reason eth0 unreadable)" 0
	"$TCPGUARD" detach eth0 --purge > /dev/null
}

through "64 KB segments" --xdp generic
both ip link set eth0 mtu 9000
through "jumbo frames, generic" --xdp generic
if "$TCPGUARD" attach eth0 --xdp native --no-daemon > "$WORK/jumbo" 2>&1; then
	"$TCPGUARD" detach eth0 --purge > /dev/null
	through "jumbo frames, native" --xdp native
else
	skip_case "jumbo frames, native" "$(tail -n 1 "$WORK/jumbo")"
fi
both ip link set eth0 mtu 1500

if both ip link set eth0 gso_max_size 185000 gro_max_size 185000 2> "$WORK/big"; then
	through "BIG TCP" --xdp generic
else
	skip_case "BIG TCP" "$(cat "$WORK/big")"
fi
