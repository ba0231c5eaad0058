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

# What changes things, and back.
printf '%s\n' 192.0.2.0/24 2001:db8::/32 > "$WORK/list"
printf '%s\n' 'version: 1' 'interfaces: [{name: eth0}]' 'services: [{name: echo, ports: [7]}]' > "$WORK/tcpguard.yaml"
printf '%s\n' 'version: 1' 'interfaces: [{name: eth0' > "$WORK/wrong.yaml"
head -c 16 /dev/zero | od -An -v -tx1 | tr -d ' \n' > "$WORK/secret"
chmod 600 "$WORK/secret"
for command in "enforce --confirm 60s eth0" "confirm eth0" "monitor eth0" "enforce --confirm 60s eth0" "revert eth0" \
	"block add 203.0.113.0/24 --for 1h --reason scan" "block list" "-j block list" "block test 203.0.113.7" \
	"-j block test 203.0.113.7" "block import $WORK/list" "block export" "block del 203.0.113.0/24" "block flush" \
	"allow add 10.0.0.2" "allow list" "allow test 10.0.0.2" "allow import --replace $WORK/list" "allow export" "allow flush" \
	"config check $WORK/tcpguard.yaml" "-j config check $WORK/tcpguard.yaml" "6 config check $WORK/wrong.yaml" \
	"config show" "-j config show" "1 config diff $WORK/tcpguard.yaml" \
	"1 -j config diff $WORK/tcpguard.yaml" "config default" "secret status" "-j secret status" "secret rotate --force" \
	"secret import --force $WORK/secret" metrics "metrics --openmetrics" "metrics --textfile $WORK/metrics.prom" \
	"completion bash" "completion zsh" "completion fish" \
	"capture --verdict pass -c 3" "-o ndjson capture --verdict pass -c 2" \
	"capture --verdict pass -c 2 -w $WORK/caught.pcap" \
	"2 top"; do
	check "$command" words "$command"
done

# What it finds of this machine is not the question.
examines() { # ARGUMENT...
	local code=0

	"$TCPGUARD" "$@" > "$WORK/out" 2>&1 < /dev/null || code=$?
	if [ $code -gt 1 ] || ! grep -q eth0 "$WORK/out"; then
		echo "exit code $code"
		cat "$WORK/out"
		return 1
	fi
}
check "doctor" examines doctor eth0
check "doctor in JSON" examines -j doctor eth0

top_on_a_terminal() {
	"$PYTHON" - <<- 'END'
		import os, pty, sys
		pid, terminal = pty.fork()
		if pid == 0:
		    os.environ["TERM"] = "xterm"
		    os.execv(os.environ["TCPGUARD"], ["tcpguard", "top", "eth0"])
		seen, keys = b"", iter([b"s", b"q"])
		try:
		    for said in iter(lambda: os.read(terminal, 4096), b""):
		        seen += said
		        if b"tcpguard top" in seen:
		            os.write(terminal, next(keys, b""))
		except OSError:  # the other end is closed
		    pass
		code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
		print(seen.decode(errors="replace")[-2000:])
		sys.exit(code)
	END
}
check "top on a terminal" top_on_a_terminal

check "upgrade" does upgrade --no-daemon
check "and back" does upgrade --rollback --no-daemon
check "upgrade to another size" does -j upgrade --no-daemon --max-flows 128
check "from which there is no way back" does 1 upgrade --rollback --no-daemon

gzip -dc "$ROOT/tests/data/clean.pcap.gz" > "$WORK/whole.pcap"
head -c 20000 "$WORK/whole.pcap" > "$WORK/cut.pcap"
check "replay of a capture that is cut off" does 9 replay "$WORK/cut.pcap"
check "the same in JSON, by packet" does 9 -o ndjson replay -w "$WORK/dropped.pcap" "$WORK/cut.pcap"
check "explain a packet" does explain --pcap "$WORK/cut.pcap#17"
check "the same in JSON" does -j explain --pcap "$WORK/cut.pcap#17"

background "$TCPGUARD" daemon
daemon=$PID
daemon_runs() {
	"$TCPGUARD" events && "$TCPGUARD" status | grep -q 'daemon running'
}
check "the daemon runs" wait_for 60 daemon_runs
check "a second one is refused" does 7 daemon
for command in events "-o ndjson events -n 5" "events --type daemon,mode" "flows trace 10.0.0.2:$port-10.0.0.1:7 -c 2" \
	"config reload $WORK/tcpguard.yaml" status; do
	check "$command" words "$command"
done
kill -TERM "$daemon"
check "the daemon ends" wait "$daemon"
id=$("$TCPGUARD" -j flows list --dport 7 | query 'd["flows"][0]["id"]')
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
