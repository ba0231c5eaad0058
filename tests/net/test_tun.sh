#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An interface whose frames begin at the IP header: two tun devices, joined by a program.
. "$(dirname "$0")/lib.sh"

[ -c /dev/net/tun ] || skip_all "no /dev/net/tun"
settle
add_namespace client
background "$PYTHON" "$HERE/tun_cable.py"
cable_is_up() {
	ip link show tun0 && on client ip link show tun0
}
wait_for 5 cable_is_up || die "no tun devices"
ip link set tun0 up
ip addr add 10.0.0.1/24 dev tun0
ip addr add fd00:0::1/64 dev tun0 nodad
on client ip link set tun0 up
on client ip addr add 10.0.0.2/24 dev tun0
on client ip addr add fd00:0::2/64 dev tun0 nodad
web 10.0.0.1

attach tun0 --no-daemon
check "100 requests" fetch "http://10.0.0.1/page?[1-100]" -H 'Connection: close'
check "a download of 5 MB" fetch http://10.0.0.1/bytes/5000000 --local-port 30000
check "its flow is in TIME_WAIT" wait_for 5 in_time_wait 30000
check "nothing was dropped" nothing_dropped tun0

on client "$PYTHON" - <<'PYTHON'
import socket
from world import segment

raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for _ in range(10):
    raw.sendto(segment(("10.0.0.2", 4321), ("10.0.0.1", 80), "ACK", 1, 1), ("10.0.0.1", 0))
PYTHON
strays_dropped() {
	[ "$(drops tun0)" = no_flow=10 ]
}
check "strays are dropped" wait_for 5 strays_dropped
