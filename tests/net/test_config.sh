#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration file: attach by it, reload by command and by SIGHUP, a bad file changes nothing, modes
# and windows of services, what is in force shown and compared.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
web 10.0.0.1
FILE=$WORK/tcpguard.yaml

# file LINE...: the configuration.
file() {
	printf '%s\n' 'version: 1' "$@" > "$FILE"
}

exits() {
	local wanted=$1 status=0

	shift
	"$@" || status=$?
	equal $status "$wanted"
}

# stray PORT: one ACK of no connection; prints how many of it got behind XDP.
stray() {
	"$PYTHON" - "$1" <<'PYTHON'
import sys
from world import Counter, Injector, segment, stats, wait_for

packet = segment(("10.0.0.2", 4321), ("10.0.0.1", int(sys.argv[1])), "ACK", 1, 1)
behind = Counter("eth0", "02:00:00:00:bb:bb")
forge = Injector("attacker", "eth0", "02:00:00:00:00:01")


def counted():
    row = next(i for i in stats()["interfaces"] if i["name"] == "eth0")
    return sum(row["packets"].values())


before = counted()
forge.send(packet)
wait_for(lambda: counted() > before, 2)
print(behind.read())
PYTHON
}

mode() {
	"$TCPGUARD" -j status | query "iface('eth0')['mode']"
}

setting() {
	"$TCPGUARD" -j config show | query "d['settings'].get('$1')"
}

generation() {
	"$TCPGUARD" -j config show | query "d['generation']"
}

# --- attach -----------------------------------------------------------------------------------------

file
check "a file without interfaces attaches nothing: 6" exits 6 "$TCPGUARD" attach --config "$FILE"
file 'mdoe: monitor' 'interfaces: [{name: eth0}]'
check "nor does a bad one" exits 6 "$TCPGUARD" attach --config "$FILE"
check "which says where" grep -q "$FILE:2:1: unknown key 'mdoe'" <("$TCPGUARD" attach --config "$FILE" 2>&1)
check "and leaves nothing behind" bpffs_is_empty
check "nor does one that is not there" exits 6 "$TCPGUARD" attach --config "$FILE.not"

file 'mode: enforce' 'interfaces:' '  - {name: eth0, xdp: generic, profile: host}' \
	'services:' '  - {name: ssh, ports: [22, 2200-2210], mode: monitor}' \
	'synflood: {start_pps: 12345, stop_pps: 100}' 'flows: {max: 4096, timeouts: {established: 2h}}'
attach --config "$FILE"
check "attached as the file says" equal "$("$TCPGUARD" -j status | query "iface('eth0')['xdp']")" generic
check "in its mode" equal "$(mode)" enforce
check "with its table" equal "$(setting flows.max)" 4096
check "its thresholds" equal "$(setting synflood.start_pps)" 12345
check "its timeouts" equal "$(setting flows.timeouts.established)" 2h
check "its services" equal "$(setting services.ssh.ports)" "[22, 2200-2210]"
check "a stray is dropped" equal "$(stray 80)" 0
check "of the service in monitor it is not" equal "$(stray 22)" 1
check "nor at the end of its range" equal "$(stray 2210)" 1
check "but behind it" equal "$(stray 2211)" 0
check "no difference" equal "$("$TCPGUARD" config diff "$FILE")" ""
"$TCPGUARD" config show > "$WORK/shown.yaml"
check "what is shown is a valid file" "$TCPGUARD" config check "$WORK/shown.yaml"
check "that says the same" equal "$("$TCPGUARD" config diff "$WORK/shown.yaml")" ""
attach --config "$FILE" --mode monitor
check "the command line wins" equal "$(mode)" monitor
check "the difference is shown, exit code 1" exits 1 "$TCPGUARD" config diff "$FILE"
check "by key" equal "$("$TCPGUARD" config diff "$FILE" || true)" \
	"$(printf '%s\n' '- interfaces.eth0.mode: monitor' '+ interfaces.eth0.mode: enforce')"

# --- reload -----------------------------------------------------------------------------------------

check "reload" "$TCPGUARD" config reload "$FILE"
check "brings the file back" equal "$(mode)" enforce
before=$(generation)
file 'interfaces: [{name: eth0, mode: monitor}]' 'services: [{name: ssh, ports: [70000]}]'
check "a bad file: 6" exits 6 "$TCPGUARD" config reload "$FILE"
check "changes no mode" equal "$(mode)" enforce
check "nor anything else" equal "$(generation)" "$before"
file 'interfaces: [{name: eth0, mode: monitor}]' 'flows: {max: 8192}'
check "another size of the table is refused: 6" exits 6 "$TCPGUARD" config reload "$FILE"
check "with the remedy" grep -q 'tcpguard upgrade --max-flows' <("$TCPGUARD" config reload "$FILE" 2>&1)
check "and changes nothing" equal "$(mode) $(generation)" "enforce $before"

"$TCPGUARD" enforce ssh --confirm 1h > /dev/null
check "the service enforces, on trial" equal "$(stray 22)" 0
file 'interfaces: [{name: eth0}]' 'services: [{name: ssh, ports: [22], mode: monitor}]'
check "reload while it waits to be confirmed" "$TCPGUARD" config reload "$FILE"
check "leaves it" equal "$(stray 22)" 0
check "revert" "$TCPGUARD" revert ssh
check "and it monitors" equal "$(stray 22)" 1
"$TCPGUARD" enforce ssh > /dev/null
"$TCPGUARD" monitor > /dev/null
check "monitor without names is of services, too" equal "$(stray 22)" 1
"$TCPGUARD" config reload "$FILE" > /dev/null

file 'interfaces: [{name: eth0}]' 'state: {no_flow: adopt}'
"$TCPGUARD" config reload "$FILE" > /dev/null
check "a file may have unknown connections adopted" equal "$(stray 81)" 1
check "status says so" grep -q 'adopted, all the time' <("$TCPGUARD" status)
file 'interfaces: [{name: eth0}]'
"$TCPGUARD" config reload "$FILE" > /dev/null
check "and the next file not" equal "$(stray 82)" 0

# --- the daemon -------------------------------------------------------------------------------------

daemon=$("$TCPGUARD" -j status | query "d['daemon']['pid']")
file 'interfaces: [{name: eth0, mode: monitor}]'
kill -HUP "$daemon"
monitors() {
	[ "$(mode)" = monitor ]
}
check "SIGHUP reloads the file attach was given" wait_for 5 monitors
check "all of it: no service is left" equal "$(setting services.ssh.ports)" None
before=$(generation)
kill "$daemon"
ended() {
	! kill -0 "$daemon"
}
wait_for 5 ended || die "the daemon does not end"
background "$TCPGUARD" daemon --config "$FILE" 2> "$WORK/daemon.err"
daemon=$PID
# It answers: it runs, and takes signals.
wait_for 10 "$TCPGUARD" events || die "no daemon: $(cat "$WORK/daemon.err")"
file 'interfaces: [{name: eth0, mode: enforced}]'
kill -HUP "$daemon"
check "a bad file is said" wait_for 5 grep -q ":2:33: 'mode' cannot be 'enforced'" "$WORK/daemon.err"
check "changes nothing" equal "$(mode) $(generation)" "monitor $before"
check "and the daemon goes on" kill -0 "$daemon"
kill "$daemon"
wait "$daemon" || true
background "$TCPGUARD" daemon --config "$FILE" 2> "$WORK/daemon.err"
runs() {
	"$TCPGUARD" events && "$TCPGUARD" -j status | grep -q '"running":true'
}
check "a daemon starts with a bad file all the same" wait_for 10 runs

# --- reload under traffic ---------------------------------------------------------------------------

# Two files that differ in everything a connection could feel; none may.
file 'interfaces: [{name: eth0, mode: enforce}]' 'services: [{name: web, ports: [80]}]' \
	'state: {window: loose}'
cp "$FILE" "$WORK/one.yaml"
file 'interfaces: [{name: eth0, mode: enforce}]' 'services: [{name: other, ports: [80-90]}, {name: web, ports: [91]}]' \
	'flows: {timeouts: {handshake: 5s}}'
cp "$FILE" "$WORK/two.yaml"
"$TCPGUARD" config reload "$WORK/one.yaml" > /dev/null
before=$(packets eth0 drop)
fetch_until() { # FILE: until it is there
	while [ ! -e "$1" ]; do
		on client curl -sS --fail --max-time 60 -o /dev/null "http://10.0.0.1/page?[1-100]" || return 1
		echo >> "$WORK/rounds"
	done
}
background fetch_until "$WORK/enough"
traffic=$PID
wait_for 60 test -s "$WORK/rounds" || die "no traffic"
for _ in {1..20}; do
	"$TCPGUARD" config reload "$WORK/two.yaml" > /dev/null
	"$TCPGUARD" config reload "$WORK/one.yaml" > /dev/null
done
touch "$WORK/enough"
check "connections go on through 40 reloads" wait "$traffic"
check "some were made meanwhile" at_least "$(wc -l < "$WORK/rounds")" 2
check "and nothing was dropped" equal "$(packets eth0 drop)" "$before"

# --- without a kernel or rights ---------------------------------------------------------------------

chmod 755 "$WORK"
chmod 644 "$FILE"
cp "$TCPGUARD" /run/tcpguard-for-all
check "check needs no rights" setpriv --reuid 65534 --clear-groups /run/tcpguard-for-all config check "$FILE"
check "the default file passes" "$TCPGUARD" config check <("$TCPGUARD" config default)
check "an unknown action: 2" exits 2 "$TCPGUARD" config chekc
check "too many words: 2" exits 2 "$TCPGUARD" config check a b
