#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attach, update and detach interrupted at their system calls: by an error (ENOMEM) that the kernel
# gives for one of them, and by SIGKILL in place of one.  A connection through the interface lives on
# each time.  After an error nothing is left half done; after a kill the next attach repairs it.
# FAULTS_SEED repeats a run, FAULTS_EVERY=1 interrupts at each call.
. "$(dirname "$0")/lib.sh"

SEED=${FAULTS_SEED:-$RANDOM}
need_strace "an attach interrupted"
. "$HERE/interrupted.sh"
echo "# FAULTS_SEED=$SEED"

topology_pair
. "$HERE/heartbeat.sh"

nothing_is_left() {
	! ip -d link show eth0 | grep -q 'prog/xdp' || {
		echo "an XDP program is attached"
		return 1
	}
	[ -z "$(tc qdisc show dev eth0 clsact)" ] || {
		echo "a clsact qdisc is there"
		return 1
	}
	bpffs_is_empty
}

no_flow_beyond() {
	[ "$(reason eth0 no_flow)" -gt "$1" ]
}

# It judges and drops: a stray segment is counted as such, in mode enforce.
enforces() {
	local before

	"$TCPGUARD" status eth0 | grep -q ENFORCE || {
		"$TCPGUARD" status
		return 1
	}
	before=$(reason eth0 no_flow)
	on client "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -n 5 > /dev/null
	wait_for 5 no_flow_beyond "$before"
}

# Exit code 3: there was nothing to take back.
purge() {
	local status=0

	"$TCPGUARD" detach --all --purge > "$WORK/purge" 2>&1 || status=$?
	[ $status = 0 ] || [ $status = 3 ] || {
		echo "detach --all --purge: exit code $status"
		cat "$WORK/purge"
		return 1
	}
	nothing_is_left
}

# Whatever state things are in, status knows an answer: attached or not.
status_answers() {
	local status=0

	"$TCPGUARD" status > "$WORK/status" 2>&1 || status=$?
	[ $status = 0 ] || [ $status = 3 ] || {
		echo "status: exit code $status"
		cat "$WORK/status"
		return 1
	}
}

ATTACH=(attach eth0 --no-daemon --max-flows 64)

# An attach that was refused something: all of it or nothing.
attach_with_error() { # CALL NUMBER TC
	with_error "$1" "$2" "$TCPGUARD" "${ATTACH[@]}" --tc "$3" && heart_beats || return 1
	if [ $code = 0 ]; then # a call it can do without
		enforces && purge
	else
		says_why && nothing_is_left
	fi
}

attach_killed() { # CALL NUMBER TC
	killed_before "$1" "$2" "$TCPGUARD" "${ATTACH[@]}" --tc "$3" && heart_beats && status_answers || return 1
	"$TCPGUARD" "${ATTACH[@]}" > "$WORK/out" 2>&1 || {
		echo "the next attach: exit code $?"
		cat "$WORK/out"
		return 1
	}
	heart_beats && enforces && purge
}

# Not repaired, but taken back.
attach_killed_then_purged() { # CALL NUMBER TC
	killed_before "$1" "$2" "$TCPGUARD" "${ATTACH[@]}" --tc "$3" && heart_beats && purge && heart_beats
}

# The programs stay the old ones or become the new ones; the interface is never without.
update() { # CALL NUMBER with_error|killed_before
	"$3" "$1" "$2" "$TCPGUARD" attach eth0 --no-daemon && heart_beats && enforces
}

# What a detach could not do, or was killed before it did, the next one does.
detach() { # CALL NUMBER with_error|killed_before
	"$TCPGUARD" "${ATTACH[@]}" > "$WORK/out" 2>&1 || {
		cat "$WORK/out"
		return 1
	}
	"$3" "$1" "$2" "$TCPGUARD" detach --all --purge && heart_beats && purge && heart_beats
}

# What there is to interrupt, as it goes when nothing does.
traced "$WORK/tcx" "$TCPGUARD" "${ATTACH[@]}" || skip_all "attach: $(cat "$WORK/err")"
check "attached" enforces
traced "$WORK/update" "$TCPGUARD" attach eth0 --no-daemon
purge && "$TCPGUARD" "${ATTACH[@]}" > "$WORK/out" # an update leaves more to take away
traced "$WORK/detach" "$TCPGUARD" detach --all --purge
traced "$WORK/clsact" "$TCPGUARD" "${ATTACH[@]}" --tc clsact
check "clean again" purge

FIRST_CALL='flock|mkdir'
FIRST_PIN=maps_new
FIRST_HOOK='fd/[0-9]+/xdp'
EVERY=${FAULTS_EVERY:-15}
RARE=${FAULTS_EVERY:-40}
VERY_RARE=${FAULTS_EVERY:-80}
faults "attach refused one call" "$WORK/tcx" $FIRST_CALL "$RARE" 0 attach_with_error tcx
faults "attach killed before a call" "$WORK/tcx" $FIRST_PIN "$RARE" 9 attach_killed tcx
faults "attach killed, then detached" "$WORK/tcx" $FIRST_PIN "$RARE" 4 attach_killed_then_purged tcx
faults "clsact: refused one call" "$WORK/clsact" "$FIRST_HOOK" "$EVERY" 4 attach_with_error clsact
faults "clsact: killed before a call" "$WORK/clsact" "$FIRST_HOOK" "$RARE" 9 attach_killed clsact
faults "detach refused one call" "$WORK/detach" $FIRST_CALL "$VERY_RARE" 7 detach with_error
faults "detach killed before a call" "$WORK/detach" $FIRST_CALL "$VERY_RARE" 9 detach killed_before
"$TCPGUARD" "${ATTACH[@]}" > "$WORK/out"
faults "update refused one call" "$WORK/update" BPF_LINK_UPDATE "$RARE" 0 update with_error
faults "update killed before a call" "$WORK/update" BPF_LINK_UPDATE "$EVERY" 2 update killed_before
check "clean at the end" purge
