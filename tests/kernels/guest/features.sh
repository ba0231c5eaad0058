#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What each kernel must be able to do: attach, traffic with real sockets, an attack, detach, once for each
# kind of hook; or refuse politely, where it is older than the feature.  Names of cases begin with the
# feature, a colon between: the table of docs/kernels.md is made of them.
#
#	tests/kernels/guest/features.sh MINIMUM_KERNEL
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../../net/lib.sh"

MINIMUM=$1
CANNOT=5 # tcpguard's exit code
STRAY=200

kernel_at_least() {
	local release

	release=$(uname -r)
	[ "$(printf '%s\n%s\n' "$1" "${release%%[-+]*}" | sort -V | head -n 1)" = "$1" ]
}

# refused FEATURE PATTERN ATTACH-ARGUMENT...: in one line that matches, leaving nothing.
refused() {
	local feature=$1 pattern=$2 status=0 before

	shift 2
	before=$(ip -d link show eth0; tc qdisc show)
	"$TCPGUARD" attach eth0 --no-daemon "$@" > "$WORK/out" 2> "$WORK/err" || status=$?
	echo "# $feature: $(cat "$WORK/err")"
	check "$feature: refused with exit code $CANNOT" equal $status $CANNOT
	check "$feature: in one line" equal "$(wc -l < "$WORK/err")" 1
	check "$feature: which says why" grep -qE -e "$pattern" "$WORK/err"
	check "$feature: nothing on stdout" equal "$(cat "$WORK/out")" ""
	check "$feature: the interface is as it was" equal "$(ip -d link show eth0; tc qdisc show)" "$before"
	check "$feature: nothing is left in the bpffs" bpffs_is_empty
	skip_case "$feature: works" "$(cat "$WORK/err")"
}

# Real sockets in both directions and an attack, while tcpguard is attached.
traffic() {
	local feature=$1 before

	check "$feature: downloads over IPv4" fetch "http://10.0.0.1/page?[1-20]"
	check "$feature: a download of 2 MB over IPv6" fetch "http://[fd00:0::1]/bytes/2000000"
	check "$feature: nothing was dropped" nothing_dropped eth0
	before=$(reason eth0 no_flow)
	on client "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -n $STRAY -r 20000 > /dev/null
	check "$feature: stray ACKs are dropped" equal $(($(reason eth0 no_flow) - before)) $STRAY
	check "$feature: that is all that was dropped" equal "$(drops eth0)" "no_flow=$STRAY"
	check "$feature: a download after the attack" fetch "http://10.0.0.1/bytes/200000"
}

detached() {
	local feature=$1 before=$2

	check "$feature: detach" "$TCPGUARD" detach eth0 --purge
	check "$feature: the interface is as it was" equal "$(ip -d link show eth0; tc qdisc show)" "$before"
	check "$feature: nothing is left in the bpffs" bpffs_is_empty
	check "$feature: traffic after that" fetch "http://10.0.0.1/page?[1-5]"
}

# works FEATURE "XDP TC" ATTACH-ARGUMENT...: attach, and stats name those hooks.
works() {
	local feature=$1 hooks=$2 status=0 before

	shift 2
	before=$(ip -d link show eth0; tc qdisc show)
	"$TCPGUARD" -v attach eth0 --no-daemon "$@" > "$WORK/out" 2>&1 || status=$?
	check "$feature: attach" equal $status 0
	if [ $status != 0 ]; then
		tail -n 25 "$WORK/out" | sed 's/^/# /'
		return
	fi
	check "$feature: stats name the hooks" equal \
		"$("$TCPGUARD" -j stats | query "iface('eth0')['xdp'] + ' ' + iface('eth0')['tc']")" "$hooks"
	traffic "$feature"
	detached "$feature" "$before"
}

topology_pair

if ! kernel_at_least "$MINIMUM"; then
	refused "minimum" "$MINIMUM or later"
	exit 0
fi

web "::"
works native "native clsact" --xdp native --tc clsact
works generic "generic clsact" --xdp generic --tc clsact
if kernel_at_least 6.6; then
	works tcx "native tcx" --xdp native --tc tcx
	works tcx "generic tcx" --xdp generic --tc tcx
	works auto "native tcx"
else
	refused tcx "kernel 6\.6" --tc tcx
	works auto "native clsact"
fi

# A connection from before must survive, whose state is read from the socket.  It lasts until it is told to
# end: an attach takes as long as it takes.
seeding() {
	local before

	background "$PYTHON" "$HERE/heartbeat.py" serve 10.0.0.1 7
	wait_for 10 listening 7 || return 1
	background on client "$PYTHON" "$HERE/heartbeat.py" beat 10.0.0.1 7 "$WORK/beats"
	wait_for 10 test -s "$WORK/beats" || return 1
	"$TCPGUARD" attach eth0 --no-daemon --profile host || return 1
	before=$(cat "$WORK/beats")
	wait_for 10 beats_beyond "$before" || return 1
	nothing_dropped eth0 || return 1
	equal "$(flow 7 origin)" seed
}

beats_beyond() {
	[[ $(cat "$WORK/beats") =~ ^[0-9]+$ ]] && [ "$(cat "$WORK/beats")" -gt "$1" ]
}

check "seeding: a connection from before goes on and is known" seeding

# Of a machine of our own, the wall clock can be set: by a day, and back by a month.
clock_jumps() {
	local before

	date -s "@$(($(date +%s) + $1))" > /dev/null || return 1
	before=$(cat "$WORK/beats")
	wait_for 10 beats_beyond "$before" || return 1
	fetch "http://10.0.0.1/page?[1-5]" || return 1
	nothing_dropped eth0 || return 1
	"$TCPGUARD" -j flows list --dport 7 | query 'd["flows"][0]["age_s"] < 3600' | grep -qx True
}
check "clock: a day ahead" clock_jumps 86400
check "clock: a month back" clock_jumps -2592000
"$TCPGUARD" detach eth0 --purge > /dev/null

# Frames of several buffers in native XDP.
for_both_mtu() {
	ip link set eth0 mtu "$1"
	on client ip link set eth0 mtu "$1"
}

for_both_mtu 9000
if kernel_at_least 5.18; then
	works jumbo "native $(kernel_at_least 6.6 && echo tcx || echo clsact)" --xdp native
else
	refused jumbo "native XDP mode" --xdp native
fi
works "jumbo generic" "generic $(kernel_at_least 6.6 && echo tcx || echo clsact)" --xdp generic
for_both_mtu 1500
