#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon is started by attach, is one, and its death changes no verdict; the next one takes over.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
web 10.0.0.1

daemon_runs() {
	[ "$(daemon_pids | wc -l)" = 1 ] && daemon_state | grep -qw running
}

daemon_state() {
	"$TCPGUARD" status || true
}

stray_dropped() {
	local before

	before=$(reason eth0 no_flow)
	on attacker "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -n 50 > /dev/null
	wait_for 2 at_least_no_flow $((before + 50))
}

at_least_no_flow() {
	[ "$(reason eth0 no_flow)" -ge "$1" ]
}

attach eth0
check "attach started one daemon" wait_for 5 daemon_runs
check "ps calls it by its name" equal "$(ps -o comm= -p "$(daemon_pids)")" tcpguard
first=$(daemon_pids)
attach eth0
check "a second attach is an update and starts no other" equal "$(daemon_pids)" "$first"
status=0
"$TCPGUARD" daemon > "$WORK/second" 2>&1 < /dev/null || status=$?
check "a second daemon is refused" equal $status 7
check "in one line" equal "$(wc -l < "$WORK/second")" 1

background on client curl -sS --fail --max-time 60 -o /dev/null \
	"http://10.0.0.1/slow/6/16000000"
transfer=$PID
client_busy() {
	[ -n "$(on client ss -Hnt state established)" ]
}
wait_for 5 client_busy || die "the transfer does not start"

kill -9 "$first"
check "the daemon is dead" wait_for 5 no_daemon
check "status says that no daemon runs" grep -qi 'daemon.*\(not\|no\)' <(daemon_state)
check "without it strays are still dropped" stray_dropped
check "without it connections still work" fetch "http://10.0.0.1/page?[1-50]"
check "without it stats answer" at_least "$(packets eth0 pass)" 100

attach eth0
check "the next attach starts the next daemon" wait_for 5 daemon_runs
second=$(daemon_pids)
check "strays are dropped" stray_dropped
check "SIGTERM ends it cleanly" kill -TERM "$second"
check "it is gone" wait_for 5 no_daemon
check "strays are dropped after that, too" stray_dropped

background "$TCPGUARD" daemon
check "a daemon in the foreground takes over" wait_for 5 daemon_runs
check "the transfer under all this finished" wait "$transfer"
# 200 of the strays, and nothing else.
check "nothing but strays was dropped" equal "$(drops eth0)" "no_flow=150"

check "detach --all --purge" "$TCPGUARD" detach --all --purge
check "nothing is left in the bpffs" bpffs_is_empty
