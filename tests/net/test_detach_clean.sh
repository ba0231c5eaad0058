#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attach and detach leave interfaces, qdiscs, filters, the bpffs and the kernel's objects as they were.
. "$(dirname "$0")/lib.sh"

topology_pair
web 10.0.0.1

# All that attach could have changed.  Counters and ages aside, which live on their own.
picture() {
	ip -d link show eth0
	tc qdisc show
	tc filter show dev eth0 ingress
	tc filter show dev eth0 egress
	find /sys/fs/bpf | sort
}

# Ids of the kernel's objects that are pinned now.
pinned_ids() {
	local kind=$1

	bpftool -j -f "$kind" show 2> /dev/null |
		"$PYTHON" -c 'import json, sys
for entry in json.load(sys.stdin):
    if any("/tcpguard/" in pin for pin in entry.get("pinned", [])):
        print(entry["id"])'
}

all_gone() { # KIND ID...
	local kind=$1 id

	shift
	for id in "$@"; do
		! bpftool "$kind" show id "$id" > /dev/null 2>&1 || return 1
	done
}

round() { # NAME ATTACH-ARGUMENT...
	local name=$1 before

	shift
	before=$(picture)
	attach eth0 "$@"
	mapfile -t progs < <(pinned_ids prog)
	mapfile -t maps < <(pinned_ids map)
	check "$name: programs and maps are pinned" at_least $((${#progs[@]} * ${#maps[@]})) 2
	check "$name: traffic passes" fetch "http://10.0.0.1/page?[1-20]"
	check "$name: detach --purge" "$TCPGUARD" detach eth0 --purge
	check "$name: everything is as it was" equal "$(picture)" "$before"
	check "$name: the programs are gone" wait_for 10 all_gone prog "${progs[@]}"
	check "$name: the maps are gone" wait_for 10 all_gone map "${maps[@]}"
	check "$name: traffic passes after that" fetch "http://10.0.0.1/page?[1-20]"
}

round "native" --xdp native --no-daemon
round "generic" --xdp generic --no-daemon
round "clsact" --tc clsact --no-daemon
round "with a daemon"
check "the daemon has gone with the last interface" wait_for 10 no_daemon

# What others have put there stays.
tc qdisc add dev eth0 clsact
mkdir /sys/fs/bpf/foreign
round "a clsact qdisc of somebody else" --tc clsact --no-daemon
round "somebody else's qdisc and pins" --no-daemon
tc qdisc del dev eth0 clsact
rmdir /sys/fs/bpf/foreign

# Without --purge flows and counters stay, and the next attach goes on with them.
attach eth0 --no-daemon
fetch http://10.0.0.1/ --local-port 30001
wait_for 5 in_time_wait 30001 || die "the connection does not end"
passed=$(packets eth0 pass)
check "detach" "$TCPGUARD" detach eth0
check "no program is left on the interface" equal "$(ip -d link show eth0 | grep -c 'prog/xdp')" 0
attach eth0 --no-daemon
check "flows survive a detach without --purge" equal "$(flow 30001 phase)" time_wait
"$TCPGUARD" detach eth0 > /dev/null
attach eth0 --no-daemon --no-seed
check "but not where nobody tells whether the ports were used since: sockets that are not asked," equal \
	"$(flow 30001 phase)" none
fetch http://10.0.0.1/ --local-port 30002
wait_for 5 in_time_wait 30002 || die "the connection does not end"
"$TCPGUARD" detach eth0 > /dev/null
attach eth0 --no-daemon --profile gateway --no-seed
check "or a router" equal "$("$TCPGUARD" -j flows list | query "len(d['flows'])")" 0
check "detach --all --purge" "$TCPGUARD" detach --all --purge
check "nothing is left in the bpffs" bpffs_is_empty
echo "# packets passed before: $passed"

# An interface that disappears takes nothing with it that the next commands would trip over.
attach eth0
ip link del eth0
status_quiet() {
	"$TCPGUARD" status > "$WORK/status" 2>&1
	! grep -q eth0 "$WORK/status"
}
check "a vanished interface leaves the list" wait_for 10 status_quiet
check "detach --all --purge still works" "$TCPGUARD" detach --all --purge
check "nothing is left in the bpffs" bpffs_is_empty

# The way out without the binary, as README.md says.
ip link add eth0 address 02:00:00:00:00:01 type veth peer name eth1 netns client
address - eth0 0 1
before=$(ip -d link show eth0)
attach eth0
rm -r /sys/fs/bpf/tcpguard
as_before() {
	[ "$(ip -d link show eth0)" = "$before" ]
}
check "removing the pins detaches" wait_for 5 as_before
check "and the daemon ends by itself" wait_for 20 no_daemon
