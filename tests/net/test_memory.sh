#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every command once, with little of everything: what `make check-valgrind` runs below valgrind.
. "$(dirname "$0")/lib.sh"

topology_pair
background "$PYTHON" "$HERE/heartbeat.py" serve 10.0.0.1 7
wait_for 10 listening 7 || die "no echo server"
background on client "$PYTHON" "$HERE/heartbeat.py" beat 10.0.0.1 7 "$WORK/beats"
wait_for 10 test -s "$WORK/beats" || die "no connection"

# does [EXIT_CODE] COMMAND...: as a user would; 99 is what valgrind and the sanitizers end with.
does() {
	local want=0 code=0

	case $1 in [0-9]*)
		want=$1
		shift
		;;
	esac
	"$TCPGUARD" "$@" > "$WORK/out" 2>&1 < /dev/null || code=$?
	equal $code "$want" || {
		cat "$WORK/out"
		return 1
	}
}

check "help" does help
check "help of a command" does help attach
check "version" does version
check "nothing attached" does 3 status
check "a wrong option" does 2 attach eth0 --frobnicate
check "no such interface" does 5 attach nope0

check "attach" does attach eth0 --no-daemon --max-flows 64 --mode monitor
check "attach again exchanges the programs" does attach eth0 --no-daemon
port=$("$TCPGUARD" -j flows list --dport 7 | query 'd["flows"][0]["src"].split(":")[1]')
id=$("$TCPGUARD" -j flows list --dport 7 | query 'd["flows"][0]["id"]')
words() { # COMMAND: in one word
	# shellcheck disable=SC2086 # words
	does $1
}
for command in "enforce eth0" "monitor eth0" "bypass on" "bypass off" status "-j status" stats "-j stats" \
	"flows list" "-j flows list" "-o ndjson flows list --sort age -n 5" "-o conntrack flows list" \
	"flows count" "flows list --src 10.0.0.0/24 --state established" "flows show $id" "-j flows show $id" \
	"explain 10.0.0.2:$port-10.0.0.1:7" "-j explain 10.0.0.2:$port-10.0.0.1:7"; do
	check "$command" words "$command"
done

gzip -dc "$ROOT/tests/data/clean.pcap.gz" > "$WORK/whole.pcap"
head -c 20000 "$WORK/whole.pcap" > "$WORK/cut.pcap"
check "replay of a capture that is cut off" does 9 replay "$WORK/cut.pcap"
check "the same in JSON, by packet" does 9 -o ndjson replay -w "$WORK/dropped.pcap" "$WORK/cut.pcap"
check "explain a packet" does explain --pcap "$WORK/cut.pcap#17"
check "the same in JSON" does -j explain --pcap "$WORK/cut.pcap#17"

background "$TCPGUARD" daemon
daemon=$PID
daemon_runs() {
	"$TCPGUARD" status | grep -q 'daemon running'
}
check "the daemon runs" wait_for 60 daemon_runs
check "a second one is refused" does 7 daemon
kill -TERM "$daemon"
check "the daemon ends" wait "$daemon"
check "a flow is deleted" does flows delete "$id"
check "attach to what stayed pinned" does attach eth0 --no-daemon
check "detach" does detach eth0
check "clsact" does attach eth0 --no-daemon --no-seed --tc clsact --xdp generic
check "detach with everything" does detach --all --purge
# libxdp reads type information that the kernel writes where valgrind does not see it: thousands of remarks.
if [ "${TG_SANITIZED-}" = valgrind ]; then
	skip_case "shared" "valgrind does not know what libxdp asks the kernel for"
elif "$TCPGUARD" attach eth0 --no-daemon --share > "$WORK/out" 2>&1; then
	check "shared" does detach eth0
else
	skip_case "shared" "$(tail -n 1 "$WORK/out")"
fi
"$TCPGUARD" detach --all --purge > /dev/null 2>&1 || true
check "nothing is left" bpffs_is_empty
