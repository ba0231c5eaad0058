#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the commands print: JSON on each, filters of flows, formats, help from every row.
. "$(dirname "$0")/lib.sh"

topology_pair
web 10.0.0.1

tg() {
	"$TCPGUARD" "$@"
}

# has_schema SCHEMA COMMAND...: one JSON document of that schema.
has_schema() {
	local schema=$1

	shift
	equal "$("$TCPGUARD" -j "$@" | query "d['schema'].rsplit('/', 1)[0]")" "$schema"
}

check "attach -j" has_schema tcpguard.attach attach eth0 --no-daemon
fetch http://10.0.0.1/ --local-port 30001
fetch http://10.0.0.1/bytes/50000 --local-port 30002
background on client "$PYTHON" -c 'import socket, time
open = socket.create_connection(("10.0.0.1", 80), 5, ("10.0.0.2", 30003))
time.sleep(600)'
established() {
	[ "$(flow 30003 phase)" = established ]
}
check "an open connection is listed" wait_for 5 established
wait_for 5 in_time_wait 30001 || die "the first connection does not end"
wait_for 5 in_time_wait 30002 || die "the second connection does not end"

check "status -j" has_schema tcpguard.status status
check "stats -j" has_schema tcpguard.stats stats
check "flows list -j" has_schema tcpguard.flows flows list
check "flows count -j" has_schema tcpguard.flows.count flows count
check "version -j" has_schema tcpguard.version version
check "bypass -j" has_schema tcpguard.bypass bypass off
check "monitor -j" has_schema tcpguard.mode monitor eth0
check "enforce -j" has_schema tcpguard.mode enforce eth0
check "times are RFC 3339 in UTC" grep -qE '^20[0-9-]+T[0-9:.]+Z$' <(tg -j stats | query "d['time']")

count() { # FILTER...
	tg -j flows count "$@" | query "d['flows']"
}
check "all flows" equal "$(count)" 3
check "by source port" equal "$(count --sport 30002)" 1
check "by destination port" equal "$(count --dport 80)" 3
check "by source" equal "$(count --src 10.0.0.2)" 3
check "by prefix" equal "$(count --src 10.0.0.0/24 --dst 10.0.0.1/32)" 3
check "by another prefix" equal "$(count --src 10.9.0.0/16)" 0
check "by phase" equal "$(count --state established)" 1
check "by state of either end" equal "$(count --state ESTABLISHED)" 1
check "by state of one end" equal "$(count --state TIME_WAIT)" 2
check "by age" equal "$(count --older 1h)" 0
check "limited" equal "$(tg -j flows list -n 2 | query "len(d['flows'])")" 2
check "sorted by bytes" equal "$(tg -j flows list --sort bytes -n 1 | query "d['flows'][0]['src']")" \
	10.0.0.2:30002

check "ndjson: one object a line" equal "$(tg -o ndjson flows list | grep -c '^{.*}$')" 3
check "conntrack: its format" equal \
	"$(tg -o conntrack flows list | grep -cE '^tcp +6 [0-9]+ [A-Z_]+ src=10.0.0.2 dst=10.0.0.1 sport=3000[123] dport=80 .*src=10.0.0.1 dst=10.0.0.2 ')" 3
check "text: both endpoints and their states" \
	grep -qE '10\.0\.0\.2:30003 ESTABLISHED -> 10\.0\.0\.1:80 ESTABLISHED' <(tg flows list)
check "no colours where there is no terminal" equal "$(tg stats | grep -c $'\e')" 0

id=$(flow 30002 id)
check "show by id" grep -q 30002 <(tg flows show "$id")
check "delete by id" tg flows delete --id "$id"
check "it is gone" equal "$(count --sport 30002)" 0
check "show of a flow that is gone: the answer is no" equal "$(
	tg flows show "$id" > /dev/null 2>&1
	echo $?
)" 1
delete_without_filter() {
	! tg flows delete 2> "$WORK/err" && grep -q -- --all "$WORK/err"
}
check "delete without a filter is refused" delete_without_filter
check "nothing was deleted" equal "$(count)" 2

background "$TCPGUARD" stats -i 1 > "$WORK/repeated"
twice() {
	[ "$(grep -c '^eth0' "$WORK/repeated")" -ge 2 ]
}
check "stats -i 1 repeats" wait_for 5 twice
check "with packets a second" grep -q 'packets/s' "$WORK/repeated"
kill "$PID"

for command in attach detach upgrade status stats flows enforce monitor bypass doctor top metrics daemon version; do
	check "help $command" grep -q "^usage: tcpguard .*$command" <(tg help $command)
	check "$command --help says the same" equal "$(tg $command --help)" "$(tg help $command)"
done
check "help lists the commands" grep -qE '^ +bypass ' <(tg help)

check "detach -j" has_schema tcpguard.detach detach eth0 --purge
check "status says that nothing is attached" equal "$(
	tg status > /dev/null 2>&1
	echo $?
)" 3
