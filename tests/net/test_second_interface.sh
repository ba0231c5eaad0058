#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A router whose second interface is attached, or detached, while the first one enforces; killed at each call
# that makes or takes a hook. What crosses the router is judged at one place or the other at every moment.
. "$(dirname "$0")/lib.sh"
need_strace "attach and detach, killed"

SEED=0
. "$HERE/interrupted.sh"
topology_router
HEART_IN=server HEART_AT=10.0.2.2
. "$HERE/heartbeat.sh"
web 10.0.2.2 server

ATTACH=(attach eth1 --profile gateway --learn 0s --no-daemon)
DETACH=(detach eth1)

heart_ends # and another one begins that is followed from its SYN
attach eth0 --profile gateway --learn 0s --no-daemon
beat

# The connection of before goes on, another one works, and nothing of them was dropped.
all_goes_on() {
	heart_beats && fetch http://10.0.2.2/bytes/100000 --max-time 10 && equal "$(packets eth0 drop)" 0
}

traced "$WORK/attach" "$TCPGUARD" "${ATTACH[@]}" || die "attach: $(cat "$WORK/err")"
check "attached: all goes on" all_goes_on
traced "$WORK/detach" "$TCPGUARD" "${DETACH[@]}" || die "detach: $(cat "$WORK/err")"
check "detached: all goes on" all_goes_on

hooks=$(numbers_of BPF_LINK_CREATE "$WORK/attach" "")
check "attach hooks XDP and TC" at_least "$(wc -w <<< "$hooks")" 2
for number in $hooks; do
	check "attach killed at call $number, before a hook" killed_before bpf "$number" "$TCPGUARD" "${ATTACH[@]}"
	check "attach killed at call $number: all goes on" all_goes_on
	check "attach killed at call $number: the next one succeeds" "$TCPGUARD" "${ATTACH[@]}"
	check "attach killed at call $number: and all goes on" all_goes_on
	"$TCPGUARD" "${DETACH[@]}" > "$WORK/out"
done

unhooks=$(numbers_of BPF_LINK_DETACH "$WORK/detach" "")
check "detach takes both hooks" at_least "$(wc -w <<< "$unhooks")" 2
for number in $unhooks; do
	"$TCPGUARD" "${ATTACH[@]}" > "$WORK/out"
	check "detach killed at call $number, before a hook goes" killed_before bpf "$number" "$TCPGUARD" "${DETACH[@]}"
	check "detach killed at call $number: all goes on" all_goes_on
	"$TCPGUARD" "${DETACH[@]}" > "$WORK/out"
	check "detach killed at call $number: the next one is the end of it" all_goes_on
done
