#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong around tcpguard, one case after the other of docs/failure-modes.md: a connection made
# before lives on, what is dropped and what not, what the operator is told, and what mends it.
. "$(dirname "$0")/lib.sh"

OK=0 NOT_ATTACHED=3 CANNOT=5 BUSY=7 UMOUNT_REFUSED=32

settle
add_namespace client
ip link add eth0 address 02:00:00:00:00:01 numrxqueues 4 numtxqueues 4 type veth \
	peer name eth0 address 02:00:00:00:00:02 numrxqueues 4 numtxqueues 4 netns client
address - eth0 0 1
address client eth0 0 2
on client ethtool -L eth0 rx 1 tx 1

background "$PYTHON" "$HERE/heartbeat.py" serve 10.0.0.1 7
wait_for 10 listening 7 || die "no echo server"
background on client "$PYTHON" "$HERE/heartbeat.py" beat 10.0.0.1 7 "$WORK/beats"
wait_for 10 test -s "$WORK/beats" || die "no connection"

beats_beyond() {
	[[ $(< "$WORK/beats") =~ ^[0-9]+$ ]] && [ "$(< "$WORK/beats")" -gt "$1" ]
}

heart_beats() {
	local now

	now=$(< "$WORK/beats")
	wait_for 20 beats_beyond "$now" || {
		echo "the connection: $now, then $(< "$WORK/beats")"
		return 1
	}
}

no_flow_beyond() {
	[ "$(reason "$1" no_flow)" -gt "$2" ]
}

# drops_strays [IFACE]: a stray segment is dropped as one.
drops_strays() {
	local iface=${1:-eth0} before

	"$TCPGUARD" status "$iface" | grep -q ENFORCE || {
		"$TCPGUARD" status
		return 1
	}
	before=$(reason "$iface" no_flow)
	on client "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -n 5 > /dev/null
	wait_for 5 no_flow_beyond "$iface" "$before"
}

# enforces [IFACE]: that, and the connection moves.
enforces() {
	drops_strays "$@" && heart_beats
}

# answers EXIT_CODE PATTERN COMMAND...: what it says on either stream matches.
answers() {
	local want=$1 pattern=$2 code=0

	shift 2
	"$@" > "$WORK/answer" 2>&1 < /dev/null || code=$?
	cat "$WORK/answer"
	equal $code "$want" && grep -qiE -e "$pattern" "$WORK/answer"
}

nothing_attached() {
	! ip -d link show eth0 | grep -q 'prog/xdp'
}

# start_daemon: in the foreground, what it logs in a file; logged PATTERN: it has.
start_daemon() {
	background "$TCPGUARD" daemon --metrics off 2> "$WORK/log"
	DAEMON=$PID
	wait_for 10 "$TCPGUARD" events > /dev/null || die "the daemon does not start"
}
logged() {
	grep -q -e "$1" "$WORK/log"
}
daemon_ended() {
	! kill -0 "$DAEMON" 2> /dev/null
}

# --- memory and kernel, at attach -------------------------------------------------------------------

refused() { # EXIT_CODE PATTERN COMMAND...: and nothing is left of it
	answers "$@" && bpffs_is_empty && nothing_attached && heart_beats
}
SMALL=(attach eth0 --no-daemon --max-flows 64)
if [ -n "${TG_SANITIZED-}" ]; then
	skip_case "memory is short" "the sanitizer's own memory counts, too"
else
	check "memory is short: what would help is said" \
		refused $CANNOT 'memory.*--max-flows' prlimit --as=100000000 "$TCPGUARD" attach eth0 --no-daemon \
		--max-flows 1000000
fi
check "too few descriptors" refused $CANNOT 'open files.*ulimit -n' prlimit --nofile=16 "$TCPGUARD" "${SMALL[@]}"
check "too few descriptors, later" refused $CANNOT 'open files.*ulimit -n' \
	prlimit --nofile=30 "$TCPGUARD" "${SMALL[@]}"
check "locked memory does not matter" answers $OK ENFORCE prlimit --memlock=0 "$TCPGUARD" "${SMALL[@]}"
check "and goes" "$TCPGUARD" detach --all --purge

mount -t tmpfs none /sys/kernel/btf
check "a kernel without type information" refused $CANNOT 'description of its types' "$TCPGUARD" "${SMALL[@]}"
umount /sys/kernel/btf

# --- the table is full ------------------------------------------------------------------------------

attach eth0 --no-daemon --max-flows 1
start_daemon
many_connections() {
	"$PYTHON" - <<- 'END'
		import socket
		from world import inside
		listener = socket.create_server(("10.0.0.1", 9), backlog=128)
		pairs = []
		for i in range(100):
		    with inside("client"):
		        client = socket.create_connection(("10.0.0.1", 9), timeout=20)
		    server, _ = listener.accept()
		    server.settimeout(20)
		    pairs.append((client, server))
		for client, server in pairs:
		    client.sendall(b"there")
		    assert server.recv(5) == b"there"
		    server.sendall(b"back")
		    assert client.recv(4) == b"back"
	END
}
check "a full table: 100 connections work where 16 have room" many_connections
check "and are counted" at_least "$(reason eth0 table_full)" 1
check "a full table: the daemon says that it makes room" wait_for 30 logged 'short of room: [1-9][0-9]* flows given up early'
check "a full table: the connection of before lives" heart_beats
"$TCPGUARD" detach --all --purge > /dev/null
wait_for 10 daemon_ended || die "the daemon outlives its tables"

# --- the interface changes --------------------------------------------------------------------------

attach eth0 --no-daemon --max-flows 1000
start_daemon
check "it works" enforces

ip link set eth0 down
ip link set eth0 name lan0
ip link set lan0 up
check "renamed: it goes on" enforces lan0
check "renamed: status has the new name" answers $OK '^lan0 ' "$TCPGUARD" status
check "renamed: commands take the new name" answers $OK 'on lan0' "$TCPGUARD" enforce lan0

ip link add eth0 type veth peer name eth9
check "its former name is another's: monitor" answers $NOT_ATTACHED "'eth0' is neither" "$TCPGUARD" monitor eth0
check "its former name is another's: detach" answers $NOT_ATTACHED "'eth0' is not attached" "$TCPGUARD" detach eth0
attach eth0 --no-daemon --mode monitor
check "its former name is another's: attach" enforces lan0
check "which is an interface besides" answers $OK 'eth0: detached' "$TCPGUARD" detach eth0
ip link del eth0
printf '%s\n' 'version: 1' 'mode: enforce' 'interfaces: [{name: lan0, mode: monitor}]' > "$WORK/renamed.yaml"
"$TCPGUARD" config reload "$WORK/renamed.yaml" > "$WORK/out"
check "renamed: so does the configuration" answers $OK '^lan0 .*MONITOR' "$TCPGUARD" status
check "renamed: and what is shown of it" answers $OK "name: 'lan0', mode: monitor" "$TCPGUARD" config show
"$TCPGUARD" enforce lan0 > "$WORK/out"
ip link set lan0 down
ip link set lan0 name eth0
ip link set eth0 up
check "renamed back" enforces

for _ in 1 2 3 4 5; do
	ip link set eth0 down
	ip link set eth0 up
done
check "the link went down and up five times" enforces
for _ in 1 2 3 4 5; do
	on client ip link set eth0 down
	on client ip link set eth0 up
done
check "the carrier was lost five times" enforces

ip link set eth0 mtu 1280
check "a smaller MTU" enforces
ip link set eth0 mtu 9000
on client ip link set eth0 mtu 9000
check "a larger MTU" enforces
on client ethtool -L eth0 rx 2 tx 2
ethtool -L eth0 rx 2 tx 2
check "another number of queues" enforces

# --- the clock --------------------------------------------------------------------------------------

# Monotonic and boot-time clock a day ahead for this process.
later() {
	unshare --time --fork --boottime 86400 --monotonic 86400 "$@"
}
age_of_heart() {
	"$@" "$TCPGUARD" -j flows list --dport 7 | query 'd["flows"][0]["age_s"] < 3600'
}
check "clocks a day ahead: a flow is not a day old" equal "$(age_of_heart later)" True
later "$TCPGUARD" attach eth0 > "$WORK/out"
check "attached by a process whose clocks are a day ahead" enforces

# --- the bpffs --------------------------------------------------------------------------------------

mount -t bpf bpf /sys/fs/bpf
check "another bpffs over ours: status sees nothing" answers $NOT_ATTACHED 'nothing is pinned' "$TCPGUARD" status
check "another bpffs over ours: attach says where to look" \
	answers $BUSY "tcpguard's own.*hides" "$TCPGUARD" attach eth0 --no-daemon
check "another bpffs over ours: traffic passes" heart_beats
check "another bpffs over ours: the daemon ends" wait_for 10 daemon_ended
check "another bpffs over ours: and says why" logged 'the pinned maps are gone, ending'
umount /sys/fs/bpf
check "it is taken away: all as before" enforces

start_daemon
check "a bpffs that the daemon uses is not unmounted" answers $UMOUNT_REFUSED busy umount /sys/fs/bpf
umount -l /sys/fs/bpf
check "no bpffs any more: how to mend it" answers $NOT_ATTACHED 'mount -t bpf -o mode=0700 bpf /sys/fs/bpf' "$TCPGUARD" status
check "no bpffs any more: the programs go with the daemon" wait_for 20 nothing_attached
check "no bpffs any more: traffic passes" heart_beats
check "no bpffs any more: the daemon ends" wait_for 10 daemon_ended
check "no bpffs any more: and says why" logged 'the pinned maps are gone, ending'
mount -t bpf bpf /sys/fs/bpf
attach eth0 --no-daemon --max-flows 1000
check "mounted again and attached" enforces

# --- two versions -----------------------------------------------------------------------------------

mv /sys/fs/bpf/tcpguard/v1 /sys/fs/bpf/tcpguard/v0
check "attached by another version: refused, with the place" \
	answers $BUSY "another tcpguard's.*version|tcpguard/v0/.*another tcpguard's" "$TCPGUARD" attach eth0 --no-daemon
check "attached by another version: traffic passes" heart_beats
mv /sys/fs/bpf/tcpguard/v0 /sys/fs/bpf/tcpguard/v1
check "that version goes on" enforces

# The first word of tg_info is the layout.
info=/sys/fs/bpf/tcpguard/v1/maps/tg_info
read -r -a value < <(bpftool -j map lookup pinned $info key 0 0 0 0 |
	"$PYTHON" -c 'import json, sys; print(*json.load(sys.stdin)["value"])')
bpftool map update pinned $info key 0 0 0 0 value 9 0 0 0 "${value[@]:4}"
same_refusal() {
	local command

	for command in status stats "flows list" "enforce eth0" "bypass on" "attach eth0" "detach eth0"; do
		# shellcheck disable=SC2086 # words
		answers 70 'layout 9.*has 2' "$TCPGUARD" $command || return 1
	done
	heart_beats
}
check "maps of another layout: nothing is touched" same_refusal
check "maps of another layout: a way out" answers $OK removed "$TCPGUARD" detach --all --purge
attach eth0 --no-daemon --max-flows 64

# --- the disk ---------------------------------------------------------------------------------------

mkdir "$WORK/small"
mount -t tmpfs -o size=8k none "$WORK/small"
capture_from_the_middle "$WORK/middle.pcap"
check "the disk is full" answers 70 'no space' "$TCPGUARD" replay -w "$WORK/small/dropped.pcap" "$WORK/middle.pcap"
umount "$WORK/small"

# Room for one file of metrics, and then for none.
mount -t tmpfs -o size=256k none "$WORK/small"
"$TCPGUARD" metrics --textfile "$WORK/small/node.prom" > /dev/null
cp "$WORK/small/node.prom" "$WORK/node.prom"
head -c 1m /dev/zero > "$WORK/small/rest" 2> /dev/null || true
check "the disk is full: metrics for a file" answers 70 'no space' "$TCPGUARD" metrics --textfile "$WORK/small/node.prom"
check "the disk is full: the former metrics stay whole" cmp "$WORK/small/node.prom" "$WORK/node.prom"
check "the disk is full: nothing half-written is left beside them" equal "$(ls "$WORK/small")" "node.prom
rest"
head -c 200k /dev/zero > "$WORK/small/rest"
check "the disk is full: a capture ends, and says why" \
	answers 70 'no space' timeout 60 "$TCPGUARD" capture --verdict pass -w "$WORK/small/all.pcapng"
check "the disk is full: traffic and judging go on" enforces
umount "$WORK/small"
cannot_answer() {
	local command

	for command in status stats "-j stats" "flows list" "-j flows list" version help; do
		# shellcheck disable=SC2086 # words
		if "$TCPGUARD" $command > /dev/full 2> "$WORK/err"; then
			echo "$command: success, though nothing was written"
			return 1
		fi
	done
}
check "an answer that cannot be written is no success" cannot_answer

# --- the interface goes -----------------------------------------------------------------------------

check "before the end" enforces
ip link del eth0
check "the interface is removed: status says so" answers $OK "device has vanished: 'tcpguard detach eth0' tidies up" \
	"$TCPGUARD" status
ip link add eth0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns client
address - eth0 0 1
address client eth0 0 2
attach eth0 --no-daemon --tc clsact
check "made again, attached again" answers $OK ENFORCE "$TCPGUARD" status eth0

# Filters of clsact are no links: they go with their qdisc, and that with the network namespace.
ip link add moving type veth peer name behind
"$TCPGUARD" attach moving --no-daemon --tc clsact > "$WORK/out"
start_daemon
tc qdisc del dev eth0 clsact
ip link set moving netns client
# An answer, too: connected is who got a SYN-ACK, whatever the server did.
background "$PYTHON" "$HERE/heartbeat.py" serve 10.0.0.1 11
wait_for 10 listening 11 || die "no other echo server"
talks() {
	# shellcheck disable=SC2016 # the inner shell's
	on client timeout 5 bash -c 'exec 3<> /dev/tcp/10.0.0.1/11 && echo there >&3 && read -r back <&3 && [ "$back" = there ]'
}
no_drop_since() {
	talks && equal "$(packets eth0 drop)" "$1"
}
stopped() {
	answers $OK 'ENFORCE .* XDP \+ clsact \(gone\) egress' "$TCPGUARD" status eth0 &&
		grep -q '^   a hook was lost: nothing is dropped here any more$' "$WORK/answer" &&
		grep -q "'tcpguard attach eth0' repairs it$" "$WORK/answer" &&
		equal "$("$TCPGUARD" -j status eth0 | query "(iface('eth0')['tc_alive'], iface('eth0')['hook_lost'])")" "(False, True)"
}
check "its clsact qdisc is removed: the daemon says so" wait_for 10 logged "somebody took the TC filter off 'eth0'"
check "its clsact qdisc is removed: new connections work" no_drop_since "$(packets eth0 drop)"
check "its clsact qdisc is removed: status says so, and the remedy" stopped
"$TCPGUARD" monitor eth0 > "$WORK/out"
"$TCPGUARD" attach eth0 --no-daemon > "$WORK/out"
check "its clsact qdisc is removed: attach repairs, in the mode there was" answers $OK '^eth0 +MONITOR .*XDP \+ [a-z]+ egress' \
	"$TCPGUARD" status eth0
"$TCPGUARD" enforce eth0 > "$WORK/out"
check "its clsact qdisc is removed: and strays are dropped again" drops_strays
not_half_attached() {
	logged "'moving' has vanished: detached" && ! on client ip -d link show moving | grep prog/xdp
}
check "one with clsact moves to another network namespace: nothing stays on it" wait_for 10 not_half_attached

ip link del eth0
check "it is removed beside a daemon, which says so" wait_for 10 logged "'eth0' has vanished: detached"
check "and status knows of no interface" answers $NOT_ATTACHED 'no interface is attached' "$TCPGUARD" status
check "and removed" "$TCPGUARD" detach --all --purge
