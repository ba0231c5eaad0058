#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# SYN cookies end to end, with every SYN challenged: the local listener has the connections as if it had
# answered itself; forged ACKs get nothing.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
# What the stack answers to forged addresses leaves towards a neighbour that is not there.
ip route add default via 10.0.0.254
ip neigh add 10.0.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud permanent
sysctl -qw net.ipv4.tcp_syncookies=1 # Linux's default, which the machine may have changed
vlans=no
if ip link add link eth0 name eth0.7 type vlan id 7 2> "$WORK/vlan"; then
	vlans=yes
	on client ip link add link eth0 name eth0.7 type vlan id 7
	address client eth0.7 7 2
	address - eth0.7 7 1
fi
attach eth0 --no-daemon

kind=$("$TCPGUARD" -j status | query "d['interfaces'][0]['syn_cookies']")
check "status says which kind of cookie is used" test -n "$kind"
[ "$kind" = "kernel-accepted own cookie (reqsk)" ] ||
	skip_all "this kernel takes no cookies of ours (Linux 6.9): $kind"

web ::

# Every SYN counts as a flood, or none does.
challenge() { # off|challenge
	"$TCPGUARD" attach eth0 --no-daemon --synflood "$1" --syn-rate 1:0 > "$WORK/attached"
}

# A connection held open, as the server sees it: what the handshake agreed on.
agreed() { # ADDRESS PORT
	rm -f "$WORK/held" # the last one's word is not this one's
	on client "$PYTHON" -c 'import socket,sys,time
s = socket.create_connection((sys.argv[1], 80), 5, ("", int(sys.argv[2])))
s.sendall(b"GET /bytes/300000 HTTP/1.1\r\nHost: x\r\n\r\n")
got = 0
while got < 300000: got += len(s.recv(65536))
print("finished", flush=True)
sys.stdin.read()' "$1" "$2" < "$WORK/hold" > "$WORK/held" &
	exec 7> "$WORK/hold"
	wait_for 10 grep -q finished "$WORK/held" || die "no connection to $1 from port $2"
	ss -Htino "dport = :$2" | tail -n 1 |
		tr -s '[:space:]' '\n' | grep -xE 'ts|sack|ecn|(wscale|pmtu|mss|advmss):[0-9,]+' | tr '\n' ' '
	exec 7>&-
	wait $!
}
mkfifo "$WORK/hold"

port=20000
for address in 10.0.0.1 fd00:0::1; do
	challenge off
	direct=$(agreed $address $port)
	challenge challenge
	before=$(reason eth0 cookie)
	ours=$(agreed $address $((port + 1)))
	echo "# $address: $direct"
	check "the cookie was used for $address" equal "$(reason eth0 cookie)" $((before + 1))
	check "the server agreed on the same as without: $address" equal "$ours" "$direct"
	check "timestamps and SACK among it" grep -q 'ts sack' <<< "$ours"
	port=$((port + 10))
done

before=$(reason eth0 cookie)
check "200 connections" fetch "http://10.0.0.1/page?[1-200]" -H 'Connection: close'
check "each of them by cookie" equal "$(reason eth0 cookie)" $((before + 200))
check "a download of 20 MB" fetch http://10.0.0.1/bytes/20000000 --local-port 30000
check "its flow was opened by the cookie" equal "$(flow 30000 origin)" cookie
check "100 connections over IPv6" fetch "http://[fd00:0::1]/page?[1-100]" -H 'Connection: close'
if [ $vlans = yes ]; then
	before=$(reason eth0 cookie)
	check "20 connections in a VLAN" fetch "http://10.0.7.1/page?[1-20]" -H 'Connection: close'
	check "each of them by cookie" equal "$(reason eth0 cookie)" $((before + 20))
else
	skip_case "20 connections in a VLAN" "this kernel makes no VLAN interfaces"
fi
check "nothing was dropped" nothing_dropped eth0

# XDP can send to the other end of a veth only while that one polls, which may change at any time.
sent_by_xdp() { # frames
	ethtool -S eth0 | sed -n 's/^ *rx_queue_[0-9]*_xdp_redirect: //p' | awk '{ sum += $1 } END { print sum }'
}
before=$(sent_by_xdp)
check "20 connections while the other end does not poll" fetch "http://10.0.0.1/page?[1-20]" -H 'Connection: close'
check "XDP sent no answer" equal "$(sent_by_xdp)" "$before"
on switch ethtool -K us gro on # and no XDP program there: XDP_TX would not wake it
check "20 connections while it does" fetch "http://10.0.0.1/page?[1-20]" -H 'Connection: close'
check "and 20 over IPv6" fetch "http://[fd00:0::1]/page?[1-20]" -H 'Connection: close'
check "XDP sent each answer" equal "$(sent_by_xdp)" $((before + 40))
on switch ethtool -K us gro off
check "20 connections when it does no longer" fetch "http://10.0.0.1/page?[1-20]" -H 'Connection: close'
check "XDP sent no answer" equal "$(sent_by_xdp)" $((before + 40))
check "nothing was dropped" nothing_dropped eth0

# A client without timestamps, as Windows is, keeps SACK and a window scale.
on client sysctl -qw net.ipv4.tcp_timestamps=0
ours=$(agreed 10.0.0.1 20040)
check "without timestamps: SACK and scaling are kept ($ours)" grep -qE 'sack wscale' <<< "$ours"
on client sysctl -qw net.ipv4.tcp_timestamps=1

refused() {
	local status=0

	on client curl -sS --max-time 5 http://10.0.0.1:81/ || status=$?
	equal $status 7 # could not connect, and was told so at once
}
check "a port nobody listens on is refused by the stack" refused

secret() {
	openssl rand -hex 16 > "$WORK/secret"
	chmod 600 "$WORK/secret"
	"$TCPGUARD" secret import "$WORK/secret" && "$TCPGUARD" secret rotate --force
}
check "the secret changes" secret

# exits CODE ARGUMENT...: tcpguard ends with this code.
exits() {
	local want=$1 status=0

	shift
	"$TCPGUARD" "$@" || status=$?
	equal $status "$want"
}
check "a second change at once is refused" exits 7 secret rotate
chmod 640 "$WORK/secret"
check "a secret that others may read is refused" exits 6 secret import "$WORK/secret" --force
chmod 600 "$WORK/secret"
for bad in "" 0123 0123456789abcdef0123456789abcdeg 0123456789abcdef0123456789abcdef0; do
	echo "$bad" > "$WORK/secret"
	check "'$bad' is no secret" exits 6 secret import "$WORK/secret" --force
done
check "nor is a directory" exits 6 secret import "$WORK" --force
check "nor a file that is not there" exits 6 secret import "$WORK/absent" --force
check "import wants a file" exits 2 secret import
hidden() {
	openssl rand -hex 16 > "$WORK/secret"
	"$TCPGUARD" secret import "$WORK/secret" --force &&
		! "$TCPGUARD" -j secret status | grep -qif "$WORK/secret"
}
check "a good one is taken, and never shown" hidden
check "and connections go on" fetch "http://10.0.0.1/page?[1-20]" -H 'Connection: close'

flows_before=$("$TCPGUARD" -j flows count | query "d['flows']")
sent=$(on attacker "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 198.51.100.0/22 -d 10.0.0.1 -D 80 \
	-n 100000 -t 20)
check "100,000 forged ACKs were sent" equal "$sent" 100000
check "they opened no flow" equal "$("$TCPGUARD" -j flows count | query "d['flows']")" "$flows_before"
# The challenge ends 3 s after the last SYN; where sending takes longer, the rest belong to no flow.
judged() {
	at_least "$(reason eth0 cookie_invalid)" 1 &&
		equal $(($(reason eth0 cookie_invalid) + $(reason eth0 no_flow))) 100000
}
wait_for 5 judged || true
check "each was refused, by its cookie while the challenge lasted" judged

# A flood from forged addresses is answered and forgotten; clients connect meanwhile.
flows_before=$("$TCPGUARD" -j flows count | query "d['flows']")
background on attacker "$ATTACK" syn -i eth0 -m 02:00:00:00:00:01 -s 198.51.100.0/22 -d 10.0.0.1 -D 80 \
	-n 200000 -t 20 > "$WORK/sent"
flood=$PID
check "100 connections during a flood" fetch "http://10.0.0.1/page?[1-100]" -H 'Connection: close'
wait "$flood"
check "200,000 forged SYNs were sent" equal "$(cat "$WORK/sent")" 200000
check "they opened no flow" equal "$("$TCPGUARD" -j flows count | query "d['flows']")" \
	$((flows_before + 100))

# A listener the kernel hands no ACK to answers itself, and by its own cookies once its queue is full.
serve_mptcp() {
	background "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.bind(("10.0.0.1", 7000))
s.listen(64)
while True:
    c, _ = s.accept()
    c.sendall(b"hi")
    c.close()' 2> "$WORK/mptcp"
	wait_for 3 listening 7000
}
greeted() {
	on client "$PYTHON" -c 'import socket
for i in range(20):
    s = socket.create_connection(("10.0.0.1", 7000), 5)
    assert s.recv(10) == b"hi"
    s.close()'
}
if serve_mptcp; then
	before=$(reason eth0 syn_cookie)
	check "20 connections to an MPTCP listener" greeted
	check "the stack answered them" equal "$(reason eth0 syn_cookie)" "$before"
	on attacker "$ATTACK" syn -i eth0 -m 02:00:00:00:00:01 -s 198.51.100.0/22 -d 10.0.0.1 \
		-D 7000 -n 3000 -r 20000 > "$WORK/sent"
	# Each place is free again after some seconds: more come all the while.
	background on attacker "$ATTACK" syn -i eth0 -m 02:00:00:00:00:01 -s 198.51.100.0/22 -d 10.0.0.1 \
		-D 7000 -n 60000 -r 1000 -t 60 > "$WORK/sent"
	before=$(reason eth0 cookie)
	check "20 more when its queue is full" greeted
	check "by the listener's cookies" equal "$(reason eth0 cookie)" $((before + 20))
	kill "$PID"
	wait "$PID" 2> /dev/null || true
else
	skip_case "an MPTCP listener" "this kernel has no MPTCP"
fi

# Checksums: completed by the device, or by nobody; generic XDP, whose copies lack a link header's length.
ethtool -K eth0 tx off > "$WORK/ethtool" 2>&1
check "20 connections without checksum offload here" fetch "http://10.0.0.1/page?[1-20]" -H 'Connection: close'
on client ethtool -K eth0 tx off > "$WORK/ethtool" 2>&1
check "20 connections without it at either end" fetch "http://10.0.0.1/page?[1-20]" -H 'Connection: close'
"$TCPGUARD" detach eth0 > "$WORK/detach"
attach eth0 --no-daemon --xdp generic
before=$(($(reason eth0 cookie) + $(reason eth0 tw_reuse)))
check "20 connections through generic XDP" fetch "http://10.0.0.1/page?[1-20]" -H 'Connection: close'
# A port used a moment ago has a flow in TIME_WAIT still: its SYN is known and goes to the stack.
check "each by cookie, or on a port used before" equal \
	"$(($(reason eth0 cookie) + $(reason eth0 tw_reuse)))" $((before + 20))

challenge off
check "afterwards the listener answers again" fetch http://10.0.0.1/
check "detaching leaves nothing at TC ingress" "$TCPGUARD" detach --all --purge
check "no pin is left" bpffs_is_empty
