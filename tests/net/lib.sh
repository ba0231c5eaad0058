# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the network tests share: cases reported as TAP, tcpguard's answers as JSON, real programs.
# The private world they run in is world.sh.
#
#	. "$(dirname "$0")/lib.sh"
#	topology_switch client attacker
#	attach eth0
#	check "the drop counter is 0" equal "$(packets eth0 drop)" 0

# Exit code 77: all of the test is skipped, for this reason.
skip_all() {
	echo "$*"
	exit 77
}

world_unavailable() {
	skip_all "$@"
}

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/world.sh"

for program in "$TCPGUARD" "$ATTACK"; do
	[ -x "$program" ] || {
		echo "no $program: run 'make all tests' first"
		exit 1
	}
done
NUMBER=0

# Some kernels put files of their own into every bpffs.
EMPTY_BPFFS=$(find /sys/fs/bpf | sort)

bpffs_is_empty() {
	equal "$(find /sys/fs/bpf | sort)" "$EMPTY_BPFFS"
}

# --- reporting --------------------------------------------------------------------------------------

# check NAME COMMAND...: one test case.
check() {
	local name=$1

	shift
	NUMBER=$((NUMBER + 1))
	if "$@" > "$WORK/check.out" 2>&1; then
		echo "ok $NUMBER - $name"
	else
		FAILED=1
		echo "not ok $NUMBER - $name"
		sed 's/^/# /' "$WORK/check.out"
	fi
}

# A case this kernel or machine cannot run.
skip_case() {
	NUMBER=$((NUMBER + 1))
	echo "ok $NUMBER - $1 # SKIP $2"
}

# What cannot be asserted makes the rest meaningless.
die() {
	FAILED=1
	NUMBER=$((NUMBER + 1))
	echo "not ok $NUMBER - $*"
	show
	exit 1
}

show() {
	{
		"$TCPGUARD" status
		"$TCPGUARD" stats
		"$TCPGUARD" flows list -n 40
	} 2>&1 | sed 's/^/# /' || true
}

equal() {
	[ "$1" = "$2" ] || {
		echo "got '$1', want '$2'"
		return 1
	}
}

at_least() {
	[ "$1" -ge "$2" ] || {
		echo "got $1, want at least $2"
		return 1
	}
}

at_most() {
	[ "$1" -le "$2" ] || {
		echo "got $1, want at most $2"
		return 1
	}
}

# --- tcpguard ---------------------------------------------------------------------------------------

# attach ARGUMENT...: fails the test, or skips it where the kernel cannot.
attach() {
	local status=0

	"$TCPGUARD" attach "$@" > "$WORK/attach.out" 2>&1 || status=$?
	sed 's/^/# /' "$WORK/attach.out"
	[ $status != 5 ] || skip_all "this kernel cannot: $(tail -n 1 "$WORK/attach.out")"
	[ $status = 0 ] || die "attach $* ended with exit code $status"
}

daemon_pids() {
	pgrep -f '[t]cpguard daemon' || true
}

# Nor is one ending: a dying process has lost its command line before its sockets and locks.
no_daemon() {
	local pid

	[ -z "$(daemon_pids)" ] || return 1
	for pid in $(pgrep -x tcpguard); do
		{ [ -n "$(tr -d '\0' < "/proc/$pid/cmdline")" ] || grep -q '^State:.Z' "/proc/$pid/status" || return 1; } 2> /dev/null
	done
}

# query EXPRESSION < JSON: see query.py.
query() {
	"$PYTHON" "$HERE/query.py" "$1"
}

# packets IFACE pass|drop|would_drop
packets() {
	"$TCPGUARD" -j stats | query "packets('$1', '$2')"
}

# reason IFACE NAME: packets counted under it, whatever the verdict.
reason() {
	"$TCPGUARD" -j stats | query "reason('$1', '$2')"
}

# drops IFACE: "name=packets ..." of everything that was, or would have been, dropped.
drops() {
	"$TCPGUARD" -j stats | query "drops('$1')"
}

# flow PORT FIELD...: fields of the flow one of whose ports it is; "none" if there is no such flow.
flow() {
	local port=$1

	shift
	"$TCPGUARD" -j flows list | query "flow($port, '$*')"
}

need_strace() { # WHAT cannot be tested without
	command -v strace > /dev/null || {
		skip_case "$1" "no strace (Debian package strace)"
		exit
	}
	[ "${TG_SANITIZED-}" != valgrind ] || {
		skip_case "$1" "valgrind and strace do not go together"
		exit
	}
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
}

# A capture without its first packets: connections whose beginning it lacks are dropped by replay.
capture_from_the_middle() { # FILE
	"$PYTHON" - "$1" <<- 'END'
		import gzip, os, struct, sys
		raw = gzip.open(os.environ["ROOT"] + "/tests/data/clean.pcap.gz").read()
		at = 24
		for _ in range(3000):
		    at += 16 + struct.unpack("<I", raw[at + 8:at + 12])[0]
		open(sys.argv[1], "wb").write(raw[:24] + raw[at:])
	END
}

# iperf3 ends by closing with data in flight: both kernels then answer each leftover segment with a RST,
# hundreds at once, and none of them may be dropped either.
nothing_dropped() {
	equal "$(drops "$1")" ""
}

# --- real programs ----------------------------------------------------------------------------------

# iperf_server ADDRESS: on port 5201, for one run.  One that goes on closes its port after each for a moment.
iperf_server() {
	wait_for 10 no_iperf_server || return 1
	background iperf3 -s -1 -B "$1" --forceflush > "$WORK/iperf.out" 2>&1
	wait_for 10 listening 5201 || {
		cat "$WORK/iperf.out"
		return 1
	}
}

no_iperf_server() {
	! listening 5201
}

# iperf ADDRESS ARGUMENT...: one run of the client with a server of ours.
iperf() {
	iperf_server "$1" || return 1
	on client iperf3 -c "$@" || {
		kill "$PID"
		return 1
	}
	wait_for 10 no_iperf_server
}

# in_time_wait PORT: its flow.
in_time_wait() {
	[ "$(flow "$1" phase)" = time_wait ]
}

# fetch URL ARGUMENT...: by the client; fails unless complete.
fetch() {
	on client curl -sS --fail --max-time 60 -o /dev/null "$@"
}

# The Python part of a test, on stdin; see world.py.
python_part() {
	"$PYTHON" - || FAILED=1
}

# What fails outside of a case ends the test (set -e); say where.
trap 'echo "# $0: line $LINENO failed: $BASH_COMMAND"' ERR
