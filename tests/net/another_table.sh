# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Exchanges of the flow table: what test_resize.sh and test_layouts.sh share.  Sourced behind
# interrupted.sh.

V1=/sys/fs/bpf/tcpguard/v1

dropped_since() { # COUNT BEFORE
	at_least $(($(packets eth0 drop) - $2)) "$1"
}

attack() { # all of it is dropped
	local before

	before=$(packets eth0 drop)
	on client "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -D 9999 -n 100 -r 20000 > /dev/null
	wait_for 5 dropped_since 100 "$before"
	equal $(($(packets eth0 drop) - before)) 100
}

one_table() {
	equal "$(ls -d $V1/maps* $V1/exchange* $V1/former 2> /dev/null)" $V1/maps
}

# What could not be taken away, or was left behind, the next upgrade takes; its former programs, which are
# of the present table, go, too.
the_next_tidies_up() { # VERSION
	"$1" upgrade --no-daemon > "$WORK/out" 2> "$WORK/err" || return 1
	rm -f $V1/former/*
	rmdir $V1/former 2> /dev/null || true
}

# After CALL was refused: where it is one that takes away, what is left is told, and the next upgrade takes it.
tidy_or_told() { # VERSION CALL
	[[ $2 == @(openat|unlinkat|rmdir) ]] || return 0
	one_table > /dev/null || { says_why && the_next_tidies_up "$1"; }
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
