# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tcpguard watched by strace and interrupted at its system calls: refused one, or killed before it.  What
# the tests of attach, upgrade, resize and layouts share.  Sourced behind lib.sh, with SEED set: where
# among the calls it begins.  `make check` takes one call in so many, `make check-faults` takes all.

# traced FILE STRACE-ARGUMENT... COMMAND...: its answers are in $WORK/out and $WORK/err.
traced() {
	local file=$1

	shift
	# The group is for what bash itself says of a program that was killed.
	{ strace -f -qq -o "$file" -e trace="?${CALLS//,/,?}" -e signal=none "$@" > "$WORK/out" 2> "$WORK/err"; } 2> /dev/null
}

# What changes something, which a kill may leave half done, and what besides can fail and so decide
# something.  Not every architecture has each: hence strace's question marks.
CHANGES=bpf,mkdir,mkdirat,rename,renameat,renameat2,rmdir,unlink,unlinkat,symlinkat,fchownat,flock,sendto
CALLS=$CHANGES,openat,mmap,access,faccessat,socket,recvmsg,getrandom,dup3,ioctl,readlink,readlinkat,statfs

# with_error CALL NUMBER COMMAND...: refused that call for want of memory.  Its exit code is in $code.
with_error() {
	local call=$1 number=$2

	shift 2
	code=0
	traced "$WORK/trace" -e "inject=$call:error=ENOMEM:when=$number" "$@" || code=$?
	grep -q INJECTED "$WORK/trace" || {
		echo "the call did not come: exit code $code"
		return 1
	}
}

# killed_before CALL NUMBER COMMAND...: strace ends by the signal that ended what it traced.
killed_before() {
	local call=$1 number=$2

	shift 2
	code=0
	traced "$WORK/trace" -e "inject=$call:signal=KILL:when=$number" "$@" || code=$?
	equal $code 137
}

says_why() {
	grep -q '^tcpguard: ' "$WORK/err" || {
		echo "exit code $code and no word why"
		return 1
	}
}

# A signal that comes between fork and exec is lost: our trap takes it.
has_begun() { # PID of a daemon
	[ "$("$TCPGUARD" -j status 2> /dev/null | query "d['daemon']['pid']" 2> /dev/null)" = "$1" ]
}

end_daemon() {
	local pid

	for pid in $(daemon_pids); do kill "$pid"; done
	wait_for 10 no_daemon || die "the daemon does not end"
}

# steps TRACE FIRST AMONG: "CALL NUMBER WORDS" for the calls of a trace that are AMONG those, from the first
# line that matches on.  Of the directories that lead to a pin the first two are left out: the walk ends at
# any of them alike.  Memory that AddressSanitizer wants for itself is none of tcpguard's to miss.
steps() {
	awk -v first="$2" -v among=",$3," -v sanitized="${TG_SANITIZED-}" '
	{
		call = $2
		sub(/\(.*/, "", call)
		number[call]++
		seen = seen || $0 ~ first
		if (!seen || !index(among, "," call ","))
			next
		if (call == "openat" && /(fs\/bpf\/tcpguard|"v[0-9]+)",.*O_PATH/)
			next
		if (sanitized == "address" && call == "mmap" && /MAP_ANON/)
			next
		words = $0
		sub(/^[0-9]+ +/, "", words)
		print call, number[call], substr(words, 1, 60)
	}' "$1"
}

# numbers_of WORD TRACE FIRST: among their like, of the calls whose lines have the word; number_of: of the first one.
# Read to the end: a pipe that is closed before would end the test.
numbers_of() {
	steps "$2" "$3" "$CHANGES" | awk -v word="$1" '$0 ~ word { print $2 }'
}

number_of() {
	numbers_of "$@" | awk 'NR == 1'
}

# each TRACE FIRST EVERY OFFSET FUNCTION ARGUMENT...: FUNCTION CALL NUMBER ARGUMENT... for every so many-th
# of those calls.  Killed before one that changes nothing is killed before the next that does.
each() {
	local trace=$1 first=$2 every=$3 offset=$4 function=$5 line=0 done=0 among=$CALLS call number words

	shift 5
	[[ "$function $*" != *killed* ]] || among=$CHANGES
	while read -r call number words; do
		line=$((line + 1))
		[ $((line % every)) = $(((SEED + offset) % every)) ] || continue
		done=$((done + 1))
		"$function" "$call" "$number" "$@" || {
			echo "at $call number $number: $words"
			cat "$WORK/out" "$WORK/err"
			return 1
		}
	done < <(steps "$trace" "$first" "$among")
	echo "$done of $line calls"
	[ $line -gt 0 ]
}

# As check, with the number of calls for remark.
faults() { # NAME as for each
	local name=$1

	shift
	check "$name" each "$@"
	sed 's/^/# /' "$WORK/check.out"
}
