#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A router gets another flow table, of another size or layout: between the exchange of one hook's program and
# the next each table sees one direction only, and yet connections followed from their SYN lose no segment.
# Nor do they where it fails at the last step, whichever version puts the former programs back.
. "$(dirname "$0")/lib.sh"

SEED=0
. "$HERE/interrupted.sh"
FIRST=$TCPGUARD
LATER=$ROOT/build/layouts/later/tcpguard
[ -x "$LATER" ] || {
	echo "no $LATER: run 'make all tests' first"
	exit 1
}
topology_router
HEART_IN=server HEART_AT=10.0.2.2
. "$HERE/heartbeat.sh"
web 10.0.2.2 server

# Attached anew, and two connections since: one that says something every moment, one that transfers so many bytes in
# four seconds.
begin() { # BYTES
	"$FIRST" detach --all --purge > "$WORK/out" 2>&1 || true # the first time there is nothing
	heart_ends || return 1
	"$FIRST" attach eth0 eth1 --profile gateway --learn 0s --max-flows 8192 --no-daemon > "$WORK/out" 2>&1 || return 1
	beat
	background on client curl -sS --fail --max-time 60 -o /dev/null "http://10.0.2.2/slow/4/$1"
	LOAD=$PID
	wait_for 10 transfer_runs
}

transfer_runs() {
	[ "$("$FIRST" -j flows list | query "sum(way['bytes'] > 50000 for row in d['flows']
		if row['dst'].endswith(':80') for way in row['directions'])")" = 1 ]
}

upgrade() { # traced|with_error|killed_before and its arguments
	"$@" "${UPGRADE[@]}"
}

# The call that puts the new table in the place of the former: the last step.  And the first exchange of a hook.
find_last_step() {
	begin $MODEST && upgrade traced "$WORK/whole" || return 1
	EXCHANGED=$(number_of RENAME_EXCHANGE "$WORK/whole" maps_new)
	UPDATED=$(number_of BPF_LINK_UPDATE "$WORK/whole" maps_new)
	all_is_well "${UPGRADE[0]}"
}

# Both go on to their end, and nothing was dropped for good.
all_is_well() { # VERSION
	TCPGUARD=$1
	heart_beats && wait "$LOAD" && equal "$(packets eth0 drop) $(packets eth1 drop)" "0 0"
}

refused() {
	begin $MODEST && upgrade with_error renameat2 "$EXCHANGED" || return 1
	[ "$code" != 0 ] && says_why && all_is_well "$FIRST"
}

killed() { # VERSION that repairs it
	begin $MODEST && upgrade killed_before renameat2 "$EXCHANGED" && heart_beats || return 1
	"$1" upgrade --no-daemon > "$WORK/out" 2> "$WORK/err" || return 1
	all_is_well "$1"
}

# Half a second from the last copy of a flow to the first hook, and from the last hook to what is merged: many
# windows, so that no table can follow.
slow() {
	begin $FAST || return 1
	upgrade traced "$WORK/trace" -e trace=bpf,membarrier -e "inject=bpf:delay_enter=500000:when=$UPDATED" \
		-e inject=membarrier:delay_exit=500000 || return 1
	grep -q 'BPF_LINK_UPDATE.*DELAYED' "$WORK/trace" && grep -q '^[0-9]* *membarrier.*DELAYED' "$WORK/trace" &&
		all_is_well "${UPGRADE[0]}"
}

MODEST=8000000
FAST=400000000
need_strace "upgrades on a router"
UPGRADE=("$FIRST" upgrade --no-daemon --max-flows 20000)
check "another size while connections go on" find_last_step
check "another size slowly, while a fast transfer goes on" slow
check "refused its last step" refused
check "killed before it: the next command repairs it" killed "$FIRST"

UPGRADE=("$LATER" upgrade --no-daemon)
check "another layout while connections go on" find_last_step
check "another layout slowly, while a fast transfer goes on" slow
check "refused its last step" refused
check "which says what became of the flows" equal "$(grep -c 'open flows are judged loosely until they end' "$WORK/err")" 1
check "killed before it: the former version goes on" killed "$FIRST"
check "and says nothing of detaching" equal "$(grep -c 'purge' "$WORK/err")" 0
check "killed before it: the later version goes on" killed "$LATER"
