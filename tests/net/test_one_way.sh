#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two routers: ours carries what the client says, the other one what the server answers.
. "$(dirname "$0")/lib.sh"

topology_router
add_namespace back
join_back() { # NAMESPACE NET
	ip link add eth1 netns "$1" type veth peer name "$1" netns back
	address "$1" eth1 "$2" 2
	address back "$1" "$2" 1
}
join_back client 3
join_back server 4
on back sysctl -qw net.ipv4.ip_forward=1
on back ip route add 10.0.1.0/24 via 10.0.3.2
on server ip route replace default via 10.0.4.1

forwarded_back() {
	on back nstat -asz IpForwDatagrams 2> /dev/null | awk '/^Ip/ { print $2 }'
}

web 10.0.2.2 server
head -c 10000000 /dev/zero > "$WORK/upload"
for profile in gateway oneway; do
	attach eth0 eth1 --profile $profile --no-daemon --max-flows 4096
	before=$(forwarded_back)
	check "one_way: $profile: a download of 10 MB" fetch http://10.0.2.2/bytes/10000000
	check "one_way: $profile: an upload of 10 MB" equal \
		"$(on client curl -sS --fail --max-time 60 -T "$WORK/upload" http://10.0.2.2/)" 10000000
	check "one_way: $profile: 50 requests" fetch "http://10.0.2.2/page?[1-50]" -H 'Connection: close'
	check "one_way: $profile: the answers went the other way" at_least "$(forwarded_back)" $((before + 500))
	check "one_way: $profile: nothing was dropped" equal "$(drops eth0) $(drops eth1)" " "
	check "one_way: $profile: one direction only was seen" equal \
		"$("$TCPGUARD" -j flows list | query "sum(f['directions'][1]['packets'] for f in d['flows'])")" 0
	"$TCPGUARD" detach --all --purge > /dev/null
done
