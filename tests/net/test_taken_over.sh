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
