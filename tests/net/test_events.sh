#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Events of real connections reach those who follow; readers that are slow, killed or many disturb nobody;
# the socket's path is respected.
. "$(dirname "$0")/lib.sh"

EVENTS="$PYTHON $HERE/events.py"
SOCKET=/run/tcpguard/events.sock
topology_switch client attacker
web 10.0.0.1

code() {
	local status=0

	"$@" > "$WORK/out" 2> "$WORK/err" || status=$?
	echo $status
}

one_line() {
	equal "$(wc -l < "$WORK/err")" 1
}

stat_of() {
	"$TCPGUARD" -j stats | query "$1"
}

watching() {
	[ "$(stat_of "d['events']['watching']")" = "$1" ]
}

strays() {
	on attacker "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -n "$1" > /dev/null
}

grown() {
	[ "$(wc -l < "$1")" -ge "$2" ]
}

check "without a daemon: exit code 3" equal "$(code "$TCPGUARD" events)" 3
check "in one line" one_line
attach eth0
check "the socket is there" wait_for 5 test -S $SOCKET
check "for root and the group alone" equal "$(stat -c %a $SOCKET)" 660
check "its directory too" equal "$(stat -c %a /run/tcpguard)" 750
check "the daemon's own start is remembered" grep -q 'daemon  *started' <("$TCPGUARD" events)
check "nobody follows: the data path tells nothing" watching "[]"

# --- a connection -----------------------------------------------------------------------------------

background "$TCPGUARD" -o ndjson events -f > "$WORK/events"
follower=$PID
check "while somebody follows it does" wait_for 5 watching "['events']"
fetch http://10.0.0.1/page
ended() {
	[[ "$($EVENTS story "$WORK/events" 80)" == *end* ]]
}
check "a connection begins, is established, ends" wait_for 5 ended
check "in this order" equal "$($EVENTS story "$WORK/events" 80 | sed 's/ state=half_closed//; s/ state=last//')" \
	"new state=syn_recv state=established end"
ask() {
	$EVENTS ask "$WORK/events" "$1"
}
check "it ended by FIN" equal "$(ask "[x['cause'] for x in e if x['type'] == 'end']")" "['fin']"
check "with bytes in both directions" equal \
	"$(ask "[all(x['bytes']) and all(x['packets']) for x in e if x['type'] == 'end']")" "[True]"
check "all of one flow id" equal "$(ask "len({x['flow'] for x in e if x['type'] != 'daemon'})")" 1
check "times are RFC 3339 with nanoseconds" equal \
	"$(ask "all(len(x['time']) == 30 and x['time'][-1] == 'Z' for x in e)")" True
check "every line names its schema" equal "$(ask "{x['schema'] for x in e}")" "{'tcpguard.event/1'}"
check "and the interface" equal "$(ask "{x['iface'] for x in e if 'iface' in x}")" "{'eth0'}"
strays 3
dropped() {
	[ "$(ask "sum(x['type'] == 'drop' and x['reason'] == 'no_flow' for x in e)")" = 3 ]
}
check "drops are told with their numbers" wait_for 5 dropped
check "those of the packet" equal \
	"$(ask "{tuple(sorted(x['packet'])) for x in e if x['type'] == 'drop'}")" \
	"{('ack', 'end', 'flags', 'own', 'payload', 'seq', 'window')}"

# --- filters ----------------------------------------------------------------------------------------

background "$TCPGUARD" events -f --type would_drop --reason no_flow --src 10.0.0.9 -n 2 > "$WORK/filtered"
filtered=$PID
background "$TCPGUARD" events -f --type mode -n 1 > "$WORK/modes"
modes=$PID
three_read() {
	[ "$(stat_of "d['events']['readers']")" = 3 ]
}
wait_for 5 three_read || die "the readers do not come"
"$TCPGUARD" monitor eth0 > /dev/null
check "a change of mode is an event" wait_for 5 grep -q 'eth0: enforce -> monitor' "$WORK/modes"
check "-n ends it" wait "$modes"
fetch http://10.0.0.1/page
until_filtered() {
	strays 1
	! kill -0 "$filtered" 2> /dev/null
}
check "would_drop, reason and source are picked out" wait_for 10 until_filtered
check "nothing else" equal "$(grep -vc 'would_drop eth0 10.0.0.9:' "$WORK/filtered" || true)" 0
"$TCPGUARD" enforce eth0 > /dev/null
check "an unknown type is refused" equal "$(code "$TCPGUARD" events --type nonsense)" 2
check "in one line, too" one_line
check "an unknown reason is refused" equal "$(code "$TCPGUARD" events --reason nonsense)" 2
check "a request of another build is refused" equal "$($EVENTS garbage $SOCKET)" -71

# --- readers ----------------------------------------------------------------------------------------

kill -KILL "$follower"
check "the last follower killed: the data path is silent again" wait_for 5 watching "[]"

coproc SLOW { exec $EVENTS slow $SOCKET; }
slow=$SLOW_PID
read -r -u "${SLOW[0]}" _
check "a slow reader is one" wait_for 5 watching "['events']"
background "$TCPGUARD" -o ndjson events -f --type drop > "$WORK/fast"
before=$(stat_of "d['events']['types']['drop']['emitted']")
fast_reads() {
	strays 1
	[ -s "$WORK/fast" ]
}
wait_for 10 fast_reads || die "the fast reader does not come"
began=$(stat_of "d['events']['types']['drop']['emitted']")
# More than log and socket hold; the data path tells 1000 drops a second of one reason on each CPU.
enough() {
	strays 100000
	[ "$(stat_of "d['events']['types']['drop']['emitted']")" -ge $((began + 7000)) ]
}
check "a flood of drops" wait_for 60 enough
emitted() {
	[ "$(wc -l < "$WORK/fast")" -ge 7000 ]
}
check "a fast reader follows beside it" wait_for 10 emitted
told=0
all_told() { # nothing came since it was last asked
	local last=$told

	told=$(($(stat_of "d['events']['types']['drop']['emitted']") - before))
	[ $told = "$last" ]
}
wait_for 10 all_told || die "the flood does not end"
echo "$told" >&"${SLOW[1]}"
read -r -u "${SLOW[0]}" heard lost
echo enough >&"${SLOW[1]}"
wait "$slow"
check "the slow one is told what it missed" at_least "$lost" 1
check "exactly" equal $((heard + lost)) "$told"
check "what was thinned out is counted" at_least \
	"$(stat_of "d['events']['types']['drop']['suppressed']")" 1000

ulimit -n 4096
coproc CROWD { exec $EVENTS crowd $SOCKET 1000; }
read -r -u "${CROWD[0]}" ready
check "1000 readers are let in" equal "$ready" ready
check "stats count them" at_least "$(stat_of "d['events']['readers']")" 1000
echo go >&"${CROWD[1]}"
fetch http://10.0.0.1/page
read -r -u "${CROWD[0]}" heard
echo enough >&"${CROWD[1]}"
check "each of them hears" equal "$heard" 1000
check "packets passed all the while" fetch http://10.0.0.1/page

# --- a trace ----------------------------------------------------------------------------------------

crowd_gone() {
	[ "$(stat_of "d['events']['readers']")" -lt 3 ]
}
wait_for 10 crowd_gone || die "the crowd does not go"
background "$TCPGUARD" flows trace 10.0.0.2:41000-10.0.0.1:80 -c 4 > "$WORK/trace"
trace=$PID
background "$TCPGUARD" -o ndjson flows trace 10.0.0.1:80-10.0.0.2:41000 --for 1m -c 4 > "$WORK/trace.json"
traced() {
	[[ "$(stat_of "d['events']['watching']")" == *trace* ]]
}
check "a flow is traced before it exists" wait_for 5 traced
both_trace() {
	[ "$(stat_of "d['events']['readers']")" -ge 3 ]
}
wait_for 5 both_trace || die "the tracers do not come"
fetch --local-port 41000 http://10.0.0.1/page
fetch http://10.0.0.1/page
check "it ends after four segments" wait "$trace"
check "the handshake in order, with verdicts" equal \
	"$(awk 'NR > 2 { print $4, $5, $14, $15 }' "$WORK/trace" | head -n 3 | tr '\n' ';')" \
	"-> SYN pass new;<- SYN|ACK pass synack;-> ACK pass ok;"
check "and microseconds" equal "$(grep -cE '^ +[0-9]+\.[0-9]{6} +[0-9]+ us' "$WORK/trace")" 4
json_traced() {
	[ "$($EVENTS ask "$WORK/trace.json" "[x['reason'] for x in e][:3]")" = "['new', 'synack', 'ok']" ]
}
check "the same in JSON, whoever is named first" wait_for 5 json_traced
not_traced() {
	! traced
}
check "with the last tracer it ends" wait_for 5 not_traced
check "a trace that saw nothing: exit code 1" equal \
	"$(code "$TCPGUARD" flows trace 10.0.0.2:1-10.0.0.1:80 --for 1s)" 1
check "no connection: exit code 2" equal "$(code "$TCPGUARD" flows trace nonsense)" 2
for port in 1 2 3 4; do
	background "$TCPGUARD" flows trace "10.0.0.2:$port-10.0.0.1:80"
done
five_read() {
	[ "$(stat_of "d['events']['readers']")" -ge 5 ]
}
wait_for 5 five_read || die "four tracers do not come"
check "a fifth trace is refused" equal "$(code "$TCPGUARD" flows trace 10.0.0.2:5-10.0.0.1:80 --for 10s)" 7

# --- the path ---------------------------------------------------------------------------------------

kill -KILL "$(daemon_pids)"
check "a daemon is killed" wait_for 5 no_daemon
check "its socket stays, nobody listens: exit code 3" equal "$(code "$TCPGUARD" events)" 3
attach eth0
check "the next daemon takes the path over" wait_for 5 "$TCPGUARD" events
kill -TERM "$(daemon_pids)"
check "ended politely it takes its socket away" wait_for 5 test ! -e $SOCKET

coproc TAKEN { exec $EVENTS listen "$WORK/taken.sock" 60; }
read -r -u "${TAKEN[0]}" _
check "a path somebody listens on is refused" equal "$(code "$TCPGUARD" daemon --socket "$WORK/taken.sock")" 7
touch "$WORK/file"
ln -s "$WORK/elsewhere.sock" "$WORK/link"
check "a file is not removed" equal "$(code "$TCPGUARD" daemon --socket "$WORK/file")" 7
check "a symbolic link is not followed" equal "$(code "$TCPGUARD" daemon --socket "$WORK/link")" 7
check "both are still there" test -f "$WORK/file" -a -L "$WORK/link"
mkdir "$WORK/dir"
background "$TCPGUARD" daemon --socket "$WORK/dir"
check "a directory gets events.sock" wait_for 5 test -S "$WORK/dir/events.sock"
check "events reads there" "$TCPGUARD" events --socket "$WORK/dir"
