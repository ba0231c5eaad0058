#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attach, update and detach interrupted at their system calls: by an error (ENOMEM) that the kernel
# gives for one of them, and by SIGKILL in place of one.  A connection through the interface lives on
# each time.  After an error nothing is left half done; after a kill the next attach repairs it.
#
# `make check` takes one call in ten or twenty, for it must be short; `make check-faults` takes all.
. "$(dirname "$0")/lib.sh"

command -v strace > /dev/null || skip_all "no strace (Debian package strace)"
[ "${TG_SANITIZED-}" != valgrind ] || skip_all "valgrind and strace do not go together"
# Nor does strace with the leak detector, which traces the program, too.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
EVERY=${FAULTS_EVERY:-10}
CALLS=bpf,mkdir,mkdirat,renameat2,socket,sendto,recvmsg,flock,getrandom

topology_pair
background "$PYTHON" "$HERE/heartbeat.py" serve 10.0.0.1 7
wait_for 10 listening 7 || die "no echo server"
background on client "$PYTHON" "$HERE/heartbeat.py" beat 10.0.0.1 7 "$WORK/beats"
wait_for 10 test -s "$WORK/beats" || die "no connection"

beats() {
	cat "$WORK/beats"
}

beats_beyond() {
	[[ $(beats) =~ ^[0-9]+$ ]] && [ "$(beats)" -gt "$1" ]
}

# The connection that was there before still moves, both ways.
heart_beats() {
	local now

	now=$(beats)
	wait_for 10 beats_beyond "$now" || {
		echo "the connection: $now, then $(beats)"
		return 1
	}
}

# traced FILE STRACE-ARGUMENT... -- COMMAND...: only these calls stop the program.
traced() {
	local file=$1

	shift
	# The group is for what bash itself says of a program that was killed.
	{ strace -f -qq -o "$file" -e trace=$CALLS -e signal=none "$@" > "$WORK/out" 2> "$WORK/err"; } 2> /dev/null
}

# steps TRACE FIRST: "CALL NUMBER WORDS" for the calls of a trace from the first line that matches on.
steps() {
	awk -v first="$2" '
	{
		call = $2
		sub(/\(.*/, "", call)
		number[call]++
		seen = seen || $0 ~ first
		if (!seen)
			next
		words = $0
		sub(/^[0-9]+ +/, "", words)
		print call, number[call], substr(words, 1, 60)
	}' "$1"
}

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

says_why() {
	grep -q '^tcpguard: ' "$WORK/err" || {
		echo "exit code $code and no word why"
		return 1
	}
}

ATTACH=(attach eth0 --no-daemon --max-flows 64)

# An attach that was refused something: all of it or nothing.
attach_with_error() { # CALL NUMBER TC
	code=0
	traced "$WORK/trace" -e "inject=$1:error=ENOMEM:when=$2" "$TCPGUARD" "${ATTACH[@]}" --tc "$3" || code=$?
	heart_beats || return 1
	if [ $code = 0 ]; then # a call it can do without
		enforces && purge
	else
		says_why && nothing_is_left
	fi
}

# strace ends by the signal that ended what it traced.
attach_killed() { # CALL NUMBER TC
	code=0
	traced "$WORK/trace" -e "inject=$1:signal=KILL:when=$2" "$TCPGUARD" "${ATTACH[@]}" --tc "$3" || code=$?
	equal $code 137 && heart_beats && status_answers || return 1
	"$TCPGUARD" "${ATTACH[@]}" > "$WORK/out" 2>&1 || {
		echo "the next attach: exit code $?"
		cat "$WORK/out"
		return 1
	}
	heart_beats && enforces && purge
}

# Not repaired, but taken back.
attach_killed_then_purged() { # CALL NUMBER TC
	code=0
	traced "$WORK/trace" -e "inject=$1:signal=KILL:when=$2" "$TCPGUARD" "${ATTACH[@]}" --tc "$3" || code=$?
	equal $code 137 && heart_beats && purge && heart_beats
}

# The programs stay the old ones or become the new ones; the interface is never without.
update_with() { # CALL NUMBER WHAT
	code=0
	traced "$WORK/trace" -e "inject=$1:$3:when=$2" "$TCPGUARD" attach eth0 --no-daemon || code=$?
	heart_beats && enforces
}

# What a detach could not do, or was killed before it did, the next one does.
detach_with() { # CALL NUMBER WHAT
	"$TCPGUARD" "${ATTACH[@]}" > "$WORK/out" 2>&1 || {
		cat "$WORK/out"
		return 1
	}
	code=0
	traced "$WORK/trace" -e "inject=$1:$3:when=$2" "$TCPGUARD" detach --all --purge || code=$?
	heart_beats && purge && heart_beats
}

# each TRACE FIRST EVERY OFFSET FUNCTION ARGUMENT...: the function for every so many-th call of the trace.
each() {
	local trace=$1 first=$2 every=$3 offset=$4 function=$5 line=0 done=0 call number words

	shift 5
	while read -r call number words; do
		line=$((line + 1))
		[ $((line % every)) = $((offset % every)) ] || continue
		done=$((done + 1))
		"$function" "$call" "$number" "$@" || {
			echo "at $call number $number: $words"
			cat "$WORK/out" "$WORK/err"
			purge || true
			return 1
		}
	done < <(steps "$trace" "$first")
	echo "$done of $line calls"
}

# As check, with the number of calls in the name's place for remarks.
faults() {
	local name=$1

	shift
	check "$name" each "$@"
	sed 's/^/# /' "$WORK/check.out"
}

# What there is to interrupt, as it goes when nothing does.
traced "$WORK/tcx" "$TCPGUARD" "${ATTACH[@]}" || skip_all "attach: $(cat "$WORK/err")"
check "attached" enforces
traced "$WORK/update" "$TCPGUARD" attach eth0 --no-daemon
traced "$WORK/detach" "$TCPGUARD" detach --all --purge
traced "$WORK/clsact" "$TCPGUARD" "${ATTACH[@]}" --tc clsact
check "clean again" purge

FIRST_TRACE='flock|mkdir'
FIRST_PIN=maps_new
FIRST_HOOK='fd/[0-9]+/xdp'
RARE=$((EVERY > 1 ? 2 * EVERY : 1))
faults "attach refused one call" "$WORK/tcx" $FIRST_TRACE "$EVERY" 1 attach_with_error tcx
faults "attach killed before a call" "$WORK/tcx" $FIRST_PIN $RARE 9 attach_killed tcx
faults "attach killed, then detached" "$WORK/tcx" $FIRST_PIN $RARE 4 attach_killed_then_purged tcx
faults "clsact: refused one call" "$WORK/clsact" $FIRST_HOOK "$EVERY" 4 attach_with_error clsact
faults "clsact: killed before a call" "$WORK/clsact" $FIRST_HOOK $RARE 9 attach_killed clsact
faults "detach refused one call" "$WORK/detach" $FIRST_TRACE $RARE 7 detach_with error=ENOMEM
faults "detach killed before a call" "$WORK/detach" $FIRST_TRACE $RARE 9 detach_with signal=KILL
"$TCPGUARD" "${ATTACH[@]}" > "$WORK/out"
faults "update refused one call" "$WORK/update" BPF_LINK_UPDATE $(((EVERY + 1) / 2)) 3 update_with error=ENOMEM
faults "update killed before a call" "$WORK/update" BPF_LINK_UPDATE $(((EVERY + 1) / 2)) 2 update_with signal=KILL
check "clean at the end" purge
