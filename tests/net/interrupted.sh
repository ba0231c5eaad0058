# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Exchanges of the flow table, watched and interrupted by strace: what test_resize.sh and
# test_layouts.sh share.  Sourced behind lib.sh, with EVERY set: every so many-th call is interrupted.

V1=/sys/fs/bpf/tcpguard/v1

attack() { # all of it is dropped
	local before

	before=$(packets eth0 drop)
	on client "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -D 9999 -n 100 -r 20000 > /dev/null
	equal $(($(packets eth0 drop) - before)) 100
}

one_table() {
	equal "$(ls -d $V1/maps* $V1/exchange* $V1/former 2> /dev/null)" $V1/maps
}

# The table on each hook's program, and the one that is pinned: all the same.
hooks_use_the_table() {
	local pinned hook

	pinned=$(bpftool -j map show pinned $V1/maps/tg_flows | grep -oP '^{"id":\K\d+')
	for hook in xdp tc; do
		bpftool -j prog show id "$(bpftool -j link show pinned $V1/iface/0/$hook | grep -oP '"prog_id":\K\d+')" |
			grep -qE "[[,]${pinned}[],]" || {
			echo "$hook uses another table than map $pinned"
			return 1
		}
	done
}

traced() { # FILE STRACE-ARGUMENT... COMMAND...
	local file=$1

	shift
	{ strace -f -qq -o "$file" -e trace=bpf,mkdir,mkdirat,renameat2,rmdir -e signal=none "$@" > "$WORK/out" 2> "$WORK/err"; } 2> /dev/null
}

# each OFFSET FUNCTION: for every so many-th call from the new table on, of those in $WORK/whole.
each() {
	local offset=$1 function=$2 line=0 done=0 call number

	while read -r call number; do
		line=$((line + 1))
		[ $((line % EVERY)) = $((offset % EVERY)) ] || continue
		done=$((done + 1))
		"$function" "$call" "$number" || {
			echo "at $call number $number"
			cat "$WORK/out" "$WORK/err"
			return 1
		}
	done < <(awk '{ call = $2; sub(/\(.*/, "", call); number[call]++
		seen = seen || /maps_new/
		if (seen) print call, number[call] }' "$WORK/whole")
	echo "$done of $line calls"
}

faults() { # NAME COMMAND...
	local name=$1

	shift
	check "$name" "$@"
	sed 's/^/# /' "$WORK/check.out"
}
