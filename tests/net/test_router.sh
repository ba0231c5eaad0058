#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A router attached on both interfaces: forwarded packets are seen twice and counted once; transfers that
# ran before are adopted; strays are dropped for the host behind.
. "$(dirname "$0")/lib.sh"

topology_router

serve() {
	background on server "$PYTHON" "$ROOT/demo/web.py" "$1" 80
	wait_for 10 server_listens "$1" || die "the web server does not start"
}

server_listens() {
	on server ss -Hlnt "sport = :80" | grep -qF "$1"
}

segments_out() { # NAMESPACE: sent by its TCP, retransmissions included
	on "$1" nstat -asz TcpOutSegs TcpRetransSegs 2> /dev/null | awk '/^Tcp/ { n += $2 } END { print n }'
}

# A super-packet is one packet to generic XDP, and many segments in the counters compared below.
on client ethtool -K eth0 tso off gso off > /dev/null
on server ethtool -K eth0 tso off gso off > /dev/null

# Each direction on one processor, as a card steers it: two that carry one direction at the same moment may
# lose a count (struct tg_half_count), as happens here once in some ten thousand packets of generic XDP.
for interface in eth0 eth1; do
	echo 1 > /sys/class/net/$interface/queues/rx-0/rps_cpus
done

serve 10.0.2.2
serve fd00:2::2

port=31000
for xdp in native generic; do
	background on client curl -sS --fail --max-time 60 -o /dev/null \
		--local-port $port "http://10.0.2.2/slow/6/12000000"
	running=$PID
	client_busy() {
		[ -n "$(on client ss -Hnt state established)" ]
	}
	wait_for 5 client_busy || die "the transfer does not start"

	attach eth0 eth1 --xdp $xdp --profile gateway --no-daemon
	check "$xdp: a transfer that ran before finishes" wait "$running"
	check "$xdp: it was adopted" equal \
		"$("$TCPGUARD" -j flows list | query "sum(f['origin'] == 'pickup' for f in d['flows'])")" 1

	# Its last ACK may leave after curl has ended, and would be counted for the next connection.
	check "$xdp: its last segment has passed" wait_for 5 in_time_wait $port

	out_client=$(segments_out client)
	out_server=$(segments_out server)
	port=$((port + 1))
	check "$xdp: a download" fetch http://10.0.2.2/bytes/3000000 --local-port $port
	check "$xdp: the last segment of the download has passed" wait_for 5 in_time_wait $port
	check "$xdp: each segment of the opener is counted once" \
		equal "$(flow $port src.packets)" $(($(segments_out client) - out_client))
	check "$xdp: each segment of the answerer is counted once" \
		equal "$(flow $port dst.packets)" $(($(segments_out server) - out_server))
	check "$xdp: 50 requests, IPv4" fetch "http://10.0.2.2/page?[1-50]" -H 'Connection: close'
	check "$xdp: 50 requests, IPv6" fetch "http://[fd00:2::2]/page?[1-50]" -H 'Connection: close'
	check "$xdp: a request of the router itself" \
		curl -sS --fail --max-time 10 -o /dev/null http://10.0.2.2/bytes/100000
	check "$xdp: nothing was dropped on the client's side" nothing_dropped eth0
	check "$xdp: nothing was dropped on the server's side" nothing_dropped eth1

	"$TCPGUARD" detach --all --purge > /dev/null
	port=$((port + 1))
done
