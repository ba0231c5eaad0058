#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# When tcpguard is wrong about live connections, the guard notices the drops, steps the class back to
# monitor and the connections go on; what is not in doubt is still dropped.  Switched off, they stall.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
web 10.0.0.1
FILE=$WORK/tcpguard.yaml

relaxed() {
	"$TCPGUARD" -j status | query "' '.join(iface('eth0')['relaxed'])"
}

relaxed_is() {
	[ "$(relaxed)" = "$1" ]
}

established() {
	[ "$(on client ss -Hnt state established | wc -l)" -ge "$1" ]
}

# transfers SECONDS: ten downloads that take a while; what each ended with is in $WORK/transfer.N.
transfers() {
	local number

	TRANSFERS=()
	for number in {1..10}; do
		background on client curl -sS --fail --max-time 60 -o /dev/null "http://10.0.0.1/slow/$1/4000000" \
			2> "$WORK/transfer.$number"
		TRANSFERS+=("$PID")
	done
	wait_for 10 established 10 || die "the transfers do not start"
	# Both ways: the request has been answered.
	wait_for 10 carried_data || die "no data"
}

carried_data() {
	[ "$(packets eth0 pass)" -ge 500 ]
}

all_end_well() {
	local pid

	for pid in "${TRANSFERS[@]}"; do
		wait "$pid" || return 1
	done
}

printf 'version: 1\ninterfaces: [{name: eth0, mode: enforce}]\nflows: {max: 4096}\n' > "$FILE"
"$TCPGUARD" attach --no-daemon --config "$FILE" > "$WORK/attach.out" 2>&1 || die "$(cat "$WORK/attach.out")"
background "$TCPGUARD" daemon --config "$FILE" --socket "$WORK/events.sock" 2> "$WORK/daemon.err"
wait_for 10 "$TCPGUARD" events --socket "$WORK/events.sock" || die "no daemon"

background "$TCPGUARD" -o ndjson events -f --type guard --socket "$WORK/events.sock" > "$WORK/events"
# trips CLASS: how often the daemon has stepped it back, as it tells Prometheus.
trips() {
	curl -s http://127.0.0.1:9844/metrics | sed -n "s/^tcpguard_guard_trips_total{signal=\"established_drops\",class=\"$1\"} //p"
}
check "no trip is counted yet" equal "$(trips window) $(trips state)" "0 0"

transfers 6
check "nothing is stepped back while all is well" equal "$(relaxed)" ""
shifted=$("$PYTHON" "$HERE/shift_windows.py")
check "tcpguard is made wrong about every connection" at_least "$shifted" 10
check "the guard steps the class back" wait_for 30 relaxed_is window
# First the word, then the log, then the count.
check "and says so" wait_for 5 grep -q "guard: on 'eth0' class window is stepped back to monitor" "$WORK/daemon.err"
check "in an event" wait_for 5 grep -q '"type":"guard".*eth0: class window stepped back to monitor: [1-9]' "$WORK/events"
trips_are() { # WINDOW STATE
	equal "$(trips window) $(trips state)" "$*"
}
check "and in a metric" wait_for 5 trips_are 1 0
check "status says it, too" grep -q window <("$TCPGUARD" status)
check "the transfers end well" all_end_well
check "drops were carried out before" at_least "$(packets eth0 drop)" 20
check "new connections work" fetch "http://10.0.0.1/page?[1-20]"
on attacker "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -n 50 > /dev/null
no_flow_dropped() {
	"$TCPGUARD" -j stats | query "verdicts('eth0', 'no_flow')" | grep -q '\bdrop='
}
check "what belongs to no connection is still dropped" wait_for 5 no_flow_dropped

printf 'version: 1\ninterfaces: [{name: eth0, mode: enforce}]\nflows: {max: 4096}\nguard: {enabled: false}\n' > "$FILE"
"$TCPGUARD" config reload "$FILE" > /dev/null
check "switched off by a reload of the command, it enforces again" wait_for 10 relaxed_is ""
check "and says so" wait_for 5 grep -q "class window is enforced again" "$WORK/daemon.err"
check "in an event, too" wait_for 5 grep -q '"type":"guard".*eth0: class window is enforced again' "$WORK/events"
