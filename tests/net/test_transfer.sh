#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real transfers through an attached interface, native and generic: all complete, nothing is dropped.
. "$(dirname "$0")/lib.sh"

topology_pair
web 10.0.0.1

parallel_downloads() {
	local pids=() pid

	for _ in 1 2 3 4; do
		fetch "http://10.0.0.1/bytes/5000000" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || return 1
	done
}

upload() {
	head -c 20000000 /dev/zero > "$WORK/upload"
	equal "$(on client curl -sS --fail --max-time 60 -T "$WORK/upload" http://10.0.0.1/)" 20000000
}

# What tcpguard had to let pass without judging it.
unjudged() {
	local name total=0

	for name in suspect internal unreadable untracked table_full; do
		total=$((total + $(reason eth0 $name)))
	done
	echo $total
}

port=30000
for xdp in native generic; do
	attach eth0 --xdp $xdp --no-daemon
	check "$xdp: stats name the mode of attachment" \
		equal "$("$TCPGUARD" -j stats | query "iface('eth0')['xdp']")" $xdp
	check "$xdp: 100 small requests" fetch "http://10.0.0.1/page?[1-100]" -H 'Connection: close'
	port=$((port + 1))
	check "$xdp: a download of 20 MB" \
		fetch http://10.0.0.1/bytes/20000000 --local-port $port
	bytes=$(flow $port dst.bytes) retrans=$(flow $port dst.retrans)
	echo "# $bytes bytes in $(flow $port dst.packets) packets, $retrans retransmissions"
	check "$xdp: its flow counts the bytes of the body" at_least "$bytes" 20000000
	check "$xdp: and what was sent again, and a header" \
		at_most "$bytes" $((20001000 + retrans * 65536))
	check "$xdp: an upload of 20 MB" upload
	check "$xdp: four downloads at once" parallel_downloads
	check "$xdp: the drop counter is 0" equal "$(packets eth0 drop)" 0
	check "$xdp: iperf3 from the client, 2 streams" \
		iperf 10.0.0.1 -t 2 -P 2
	check "$xdp: iperf3 to the client, 2 streams" \
		iperf 10.0.0.1 -t 2 -P 2 -R
	check "$xdp: nothing was dropped" nothing_dropped eth0
	check "$xdp: packets were counted" at_least "$(packets eth0 pass)" 5000
	check "$xdp: nothing was passed unjudged" equal "$(unjudged)" 0
	"$TCPGUARD" detach eth0 --purge > /dev/null
done
