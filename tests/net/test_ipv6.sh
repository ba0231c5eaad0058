#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# IPv6 as IPv4: transfers, states, seeding.
. "$(dirname "$0")/lib.sh"

topology_pair
web fd00:0::1

background on client curl -sS --fail --max-time 60 -o /dev/null \
	"http://[fd00:0::1]/slow/6/8000000"
running=$PID
client_busy() {
	[ -n "$(on client ss -Hnt state established)" ]
}
wait_for 5 client_busy || die "the transfer does not start"

attach eth0 --no-daemon
check "the running transfer was seeded" at_least \
	"$("$TCPGUARD" -j flows list | query "sum(f['origin'] == 'seed' for f in d['flows'])")" 1
check "it finishes" wait "$running"
check "100 requests" fetch "http://[fd00:0::1]/page?[1-100]" -H 'Connection: close'
check "a download of 20 MB" fetch "http://[fd00:0::1]/bytes/20000000" --local-port 30000
check "its flow is in TIME_WAIT" wait_for 5 in_time_wait 30000
check "addresses are shown as IPv6" grep -qF '[fd00::2]:30000' <(flow 30000 src)
check "iperf3" iperf fd00:0::1 -t 2
check "iperf3, the other way" iperf fd00:0::1 -t 2 -R
check "nothing was dropped" nothing_dropped eth0
