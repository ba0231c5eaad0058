#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaching (enforcing from the first packet) while transfers run resets and drops nothing: existing
# connections are seeded from the sockets, or, without seeding, vouched for by them.
. "$(dirname "$0")/lib.sh"

topology_pair
web 10.0.0.1

LOAD=()

# load NUMBER COMMAND...: started on the client; its output in $WORK/load.NUMBER
start_load() {
	iperf_server 10.0.0.1 || die "iperf3 does not start"
	background on client iperf3 -c 10.0.0.1 -t 8 -P 2 > "$WORK/load.iperf" 2>&1
	LOAD=("$PID")
	for i in 1 2 3 4; do
		background on client curl -sS --fail --max-time 60 -o /dev/null \
			"http://10.0.0.1/slow/8/20000000" > "$WORK/load.$i" 2>&1
		LOAD+=("$PID")
	done
	wait_for 5 loaded || die "the transfers do not start"
}

loaded() {
	[ "$(ss -Hnt state established | wc -l)" -ge 7 ]
}

seeded() {
	"$TCPGUARD" -j flows list | query "sum(f['origin'] == 'seed' for f in d['flows'])"
}

load_finished() {
	local pid status=0

	for pid in "${LOAD[@]}"; do
		wait "$pid" || status=1
	done
	[ $status = 0 ] || cat "$WORK"/load.*
	return $status
}

idle_python() {
	python_part <<'PYTHON'
import os
import socket
import time
from world import Cases, dropped, flows, inside, tcpguard

IDLE = 200
cases = Cases()
listener = socket.create_server(("10.0.0.1", 7000), backlog=IDLE)
pairs = []
with inside("client"):
    for _ in range(IDLE):
        client = socket.create_connection(("10.0.0.1", 7000), 5)
        pairs.append((client, listener.accept()[0]))
# Half closed, too: the client has sent its FIN before tcpguard exists.
half_client, half_server = pairs.pop()
half_client.shutdown(socket.SHUT_WR)
half_server.recv(10)

tcpguard("attach", "eth0", "--no-daemon")
seeded = [row for row in flows() if ":7000" in row["src"] + row["dst"]]
cases.equal("idle connections seeded", len(seeded), IDLE)
cases.equal("their origin", {row["origin"] for row in seeded}, {"seed"})

answered = 0
for client, server in pairs:
    for sender, receiver in ((server, client), (client, server)):
        sender.sendall(b"hello")
        receiver.settimeout(5)
        answered += receiver.recv(100) == b"hello"
cases.equal("messages of connections that were idle", answered, 2 * len(pairs))
half_server.sendall(b"x" * 200000)
half_server.close()
got = 0
while part := half_client.recv(65536):
    got += len(part)
cases.equal("bytes after a FIN that tcpguard never saw", got, 200000)
cases.equal("nothing was dropped", dropped(), {})
cases.finish()
PYTHON
}

for xdp in native generic; do
	start_load
	# Thrice under the same transfers: what is known is thrown away in between.
	for _ in 1 2; do
		attach eth0 --xdp $xdp --no-daemon
		# Those that are still there: a slow machine may have come to the end of some.
		check "$xdp: every connection was seeded" at_least "$(seeded)" \
			"$(ss -Hnt state established | wc -l)"
		check "$xdp: nothing is dropped right after attaching" nothing_dropped eth0
		"$TCPGUARD" detach eth0 --purge > /dev/null
	done
	attach eth0 --xdp $xdp --no-daemon
	check "$xdp: all transfers finish" load_finished
	check "$xdp: nothing was dropped" nothing_dropped eth0
	"$TCPGUARD" detach eth0 --purge > /dev/null

	start_load
	attach eth0 --xdp $xdp --no-daemon --no-seed
	check "$xdp, not seeded: all transfers finish" load_finished
	check "$xdp, not seeded: nothing was dropped" nothing_dropped eth0
	"$TCPGUARD" detach eth0 --purge > /dev/null
done
idle_python
