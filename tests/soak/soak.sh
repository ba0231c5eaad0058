#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make soak`: half an hour (SOAK_MINUTES) of mixed traffic, floods and everything an operator does,
# see soak.py.  SOAK_SEED repeats a run; SOAK_HOOK is a command to run every few seconds beside the
# others.
. "$(dirname "$0")/../net/lib.sh"

topology_switch client attacker
for end in "" "on client"; do
	# One frame, one segment: what the interface counts can be compared with what tcpguard
	# counts.
	$end ethtool -K eth0 tx off tso off gso off gro off > /dev/null
done
web 10.0.0.1
background on client "$PYTHON" "$ROOT/demo/web.py" 10.0.0.2 80
background iperf3 -s -B 10.0.0.1 --forceflush > "$WORK/iperf.out" 2>&1
wait_for 10 listening 5201 || die "iperf3 does not start"
# What answers forged sources goes nowhere.
ip route add blackhole 10.98.0.0/15

attach eth0 --max-flows 65536 --syn-rate 2000:500
SOAK_MINUTES=${SOAK_MINUTES:-30} SOAK_SEED=${SOAK_SEED:-$RANDOM} "$PYTHON" "$ROOT/tests/soak/soak.py" || FAILED=1
check "everything is removed" "$TCPGUARD" detach --all --purge
check "nothing is left in the bpffs" bpffs_is_empty
ids_gone() {
	local kind id

	while read -r kind id; do
		if bpftool "$kind" show id "$id" > "$WORK/id" 2>&1; then
			cat "$WORK/id"
			return 1
		fi
	done < "$WORK/ids"
	[ -s "$WORK/ids" ]
}
check "no program and no map is left in the kernel" wait_for 10 ids_gone
