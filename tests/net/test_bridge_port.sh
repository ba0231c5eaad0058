#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine that forwards nothing, with a guest behind its bridge: the guest's connections have no socket here.
. "$(dirname "$0")/lib.sh"

# client eth0 10.0.0.2 - eth0 | br0 10.0.0.1 | guest - eth0 10.0.0.3 guest
settle
add_namespace client
add_namespace guest
ip link add br0 type bridge
address - br0 0 1
ip link add eth0 type veth peer name eth0 netns client
ip link add guest type veth peer name eth0 netns guest
ip link set eth0 master br0 up
ip link set guest master br0 up
address client eth0 0 2
address guest eth0 0 3
sysctl -qw net.ipv4.ip_forward=0

HEART_IN=guest HEART_AT=10.0.0.3
. "$HERE/heartbeat.sh"
web 10.0.0.3 guest

beat
attach eth0 --no-daemon
check "the bridge makes it a gateway" grep -q '^eth0: br0 above it hands frames on to others$' "$WORK/attach.out"
check "profile gateway" grep -q 'profile gateway, mode ENFORCE$' "$WORK/attach.out"
check "the guest's connection goes on" heart_beats
check "its next one works" fetch http://10.0.0.3/bytes/100000 --max-time 10
check "nothing was dropped" equal "$(packets eth0 drop)" 0

"$TCPGUARD" detach eth0 > "$WORK/out"
attach eth0 --profile host --no-daemon
check "profile host when asked for" grep -q 'profile host, mode ENFORCE$' "$WORK/attach.out"
check "which says nothing of the bridge" equal "$(grep -c above "$WORK/attach.out")" 0
