#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A daemon that was taken over owns the pins: whatever it lays in their place or writes into them, root's
# commands refuse it or show it, and fall over nothing.
. "$(dirname "$0")/lib.sh"

PINS=/sys/fs/bpf/tcpguard/v1

topology_pair
web 10.0.0.1
attach eth0 --max-flows 64 --no-daemon

hostile() {
	"$PYTHON" "$HERE/hostile_pins.py" "$@"
}

# --- other things in the place of the pins ----------------------------------------------------------

check "a map of another type in the place of each is refused" hostile types $PINS "$TCPGUARD"
check "all is as it was" "$TCPGUARD" status eth0

# What other programs pinned is none of root's business here, whatever leads there.
mkdir -m 700 /sys/fs/bpf/other
ip link add eth1 type veth peer name eth2
attach eth1 --no-daemon
bpftool link pin pinned $PINS/iface/1/xdp /sys/fs/bpf/other/xdp
rm -r $PINS/iface/1
judging() {
	ip -j link show dev eth1 | query "d[0]['xdp']['prog']['id']"
}
program=$(judging)
lead() { # TARGET NAME: a link in the place of one of eth0's pins, or of their directory
	mv "$2" $PINS/kept
	ln -s "$1" "$2"
}
unharmed() { # COMMAND...: whatever it says
	"$TCPGUARD" "$@" > "$WORK/answer" 2>&1 || true
	cat "$WORK/answer"
	equal "$(judging)" "$program" && equal "$(ls /sys/fs/bpf/other)" xdp
}
lead /sys/fs/bpf/other/xdp $PINS/iface/0/xdp
check "a link in the place of a pin: upgrade changes nothing of others" unharmed upgrade --no-daemon
check "nor does detach" unharmed detach eth0
rm -f $PINS/iface/0/xdp
mv $PINS/kept $PINS/iface/0/xdp
lead /sys/fs/bpf/other $PINS/iface/0
check "one in the place of their directory: upgrade makes nothing there" unharmed upgrade --no-daemon
check "and detach removes nothing" unharmed detach eth0
rm -r /sys/fs/bpf/tcpguard /sys/fs/bpf/other
ip link del eth1
attach eth0 --max-flows 64 --no-daemon

# --- its lock ---------------------------------------------------------------------------------------

exec 9< $PINS
flock 9
ends() { # EXIT_CODE COMMAND...
	local want=$1 code=0

	shift
	timeout 30 "$TCPGUARD" "$@" 9<&- || code=$?
	equal $code "$want"
}
check "the lock held for ever: bypass works" ends 0 bypass on
check "and monitor" ends 0 monitor eth0
check "detach says who is at work" ends 7 detach eth0
exec 9<&-
check "then all is as ever" ends 0 enforce eth0
check "bypass off" ends 0 bypass off

# --- the ring of captures ---------------------------------------------------------------------------

capturing() {
	[[ "$("$TCPGUARD" -j stats | query "d['events']['watching']")" == *capture* ]]
}
background "$TCPGUARD" capture --verdict pass -w /run/captured 2> "$WORK/capture"
CAPTURE=$PID
wait_for 20 capturing || die "nothing is captured: $(cat "$WORK/capture")"
hostile payload > "$WORK/payload"
on client curl -s --max-time 5 --data-binary "@$WORK/payload" http://10.0.0.1/ > /dev/null || true
check "its reader is led into the middle of a packet" hostile rewind $PINS
kill -TERM "$CAPTURE" 2> /dev/null || true
code=0
wait "$CAPTURE" || code=$?
check "and takes no record that is longer than one can be" equal "$code" 0
check "nor writes what is none" at_most "$(stat -c %s /run/captured)" 100000

# --- what is written into the maps ------------------------------------------------------------------

for map in tg_flows tg_details tg_buckets tg_ports tg_cookies tg_protected tg_sources; do
	check "$map filled, so that no text ends: nothing falls over it" hostile fill $PINS $map "$TCPGUARD"
done
for map in tg_ifaces tg_settings; do
	check "$map, and commands that change something" hostile fill $PINS $map "$TCPGUARD"
	rm -r /sys/fs/bpf/tcpguard
	ip link set eth0 xdp off
	attach eth0 --max-flows 64 --no-daemon
done

# --- what is written while root works ----------------------------------------------------------------

services() { # NAME: a file of many services whose names begin so
	local port

	echo "version: 1"
	echo "services:"
	for port in {1001..1040}; do
		echo "  - {name: $1$port, ports: [$port]}"
	done
}
services one > "$WORK/one.yaml"
services two > "$WORK/two.yaml"
"$TCPGUARD" config reload "$WORK/one.yaml" > /dev/null
"$TCPGUARD" config reload "$WORK/one.yaml" > /dev/null
background "$PYTHON" "$HERE/hostile_pins.py" services $PINS one1001 > "$WORK/begun"
OTHER=$PID
wait_for 10 grep -q begun "$WORK/begun" || die "nobody writes"
reloads() {
	for _ in {1..20}; do
		"$TCPGUARD" config diff "$WORK/two.yaml" > /dev/null || equal $? 1 || return 1
		"$TCPGUARD" config reload "$WORK/two.yaml" || return 1
		"$TCPGUARD" config reload "$WORK/one.yaml" || return 1
	done
}
check "services are named and counted by another while root reloads" reloads
kill "$OTHER"
wait "$OTHER" || true
"$TCPGUARD" config reload "$WORK/one.yaml" > /dev/null
check "and all are in force when he has done" equal \
	"$("$TCPGUARD" -j config show | query "sum(key.startswith('services.one1') and key.endswith('.ports') for key in d['settings'])")" 40

# --- the lists ---------------------------------------------------------------------------------------

# An image of another version is made anew from its rules, in whatever order somebody put them.
disorder() { # COMMAND...
	"$TCPGUARD" block flush > /dev/null
	seq -f 198.18.1.%g 0 2 254 > "$WORK/list"
	seq -f 198.18.2.%g 0 2 254 >> "$WORK/list"
	seq -f 198.18.3.%g 0 2 254 >> "$WORK/list"
	"$TCPGUARD" block import "$WORK/list" > /dev/null
	"$PYTHON" "$HERE/hostile_image.py" $PINS disorder=384 format=1 || return 1
	"$TCPGUARD" "$@" || return 1
	equal "$("$TCPGUARD" -j block list | query "len(d['rules'])")" 2
}
check "rules in no order: upgrade puts them in order" disorder upgrade --no-daemon
check "and so does attach" disorder attach eth0 --no-daemon

# A table of no buckets: its size is the first thing every command reads.
no_buckets() {
	local info=$PINS/maps/tg_info value

	value=$(bpftool -j map lookup pinned "$info" key 0 0 0 0 |
		query "' '.join(d['value'][:4] + ['0'] * 4 + d['value'][8:])")
	# shellcheck disable=SC2086 # one word a byte
	bpftool map update pinned "$info" key 0 0 0 0 value $value || return 1
	equal "$("$TCPGUARD" status 2>&1; echo $?)" \
		"tcpguard: the pinned map tg_info says that the flow table has no buckets; remove everything with 'tcpguard detach --all --purge' and attach again
70"
}
check "a table of no buckets is refused" no_buckets

# --- a link that comes late -------------------------------------------------------------------------

rm -r /sys/fs/bpf/tcpguard
ip link set eth0 xdp off
attach eth0 --max-flows 64 --no-daemon
need_strace "a link that comes late"
mkdir -m 700 /run/elsewhere
# Held for a second where it is about to make a directory.  (AddressSanitizer makes its own by mkdir.)
background strace -qq -o "$WORK/trace" -e trace=mkdirat -e inject=mkdirat:delay_enter=1000000 \
	"$TCPGUARD" capture --verdict drop -c 1 -w "$WORK/late" > "$WORK/capture" 2>&1
makes_directory() { # mkdirat of x86-64, of arm64
	grep -qE '^(258|34) ' "/proc/$(pgrep -f "^$TCPGUARD capture .*$WORK/late")/syscall"
}
wait_for 5 makes_directory || die "capture makes no directory: $(cat "$WORK/capture")"
mv $PINS /sys/fs/bpf/tcpguard/aside
ln -s /run/elsewhere $PINS
check "capture notices" wait_for 5 grep -q 'is no directory that only root can write to' "$WORK/capture"
check "and has made nothing where it leads" equal "$(ls /run/elsewhere)" ""
