#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --share: beside other XDP programs through libxdp's dispatcher, or a clear refusal, never a silent
# attachment of another kind.
. "$(dirname "$0")/lib.sh"

topology_pair
web 10.0.0.1

before=$(ip -d link show eth0)
status=0
"$TCPGUARD" attach eth0 --share --no-daemon > "$WORK/out" 2> "$WORK/err" || status=$?
if [ $status != 0 ]; then
	check "refused because the kernel cannot" equal $status 5
	check "in one line" equal "$(wc -l < "$WORK/err")" 1
	check "which says what is missing" grep -qiE 'freplace|dispatcher' "$WORK/err"
	check "the interface is as it was" equal "$(ip -d link show eth0)" "$before"
	check "nothing is left in the bpffs" bpffs_is_empty
	skip_case "traffic through a shared attachment" "$(cat "$WORK/err")"
	exit 0
fi

check "stats say shared" equal "$("$TCPGUARD" -j stats | query "iface('eth0')['xdp']")" shared
check "a download" fetch http://10.0.0.1/bytes/2000000
check "nothing was dropped" nothing_dropped eth0
check "detach" "$TCPGUARD" detach eth0 --purge
check "no program is left" equal "$(ip -d link show eth0 | grep -c 'prog/xdp')" 0
check "traffic passes" fetch http://10.0.0.1/bytes/100000
