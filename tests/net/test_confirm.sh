#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# enforce --confirm goes back by itself, by the data path: with every process of tcpguard killed.  confirm
# keeps the mode, revert goes back at once, a second try goes back to where the first began.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
attach eth0 --mode monitor

# stray: one ACK of no connection; prints how many of it got behind XDP.
stray() {
	"$PYTHON" - <<'PYTHON'
from world import Counter, Injector, segment, stats, wait_for

packet = segment(("10.0.0.2", 4321), ("10.0.0.1", 80), "ACK", 1, 1)
behind = Counter("eth0", "02:00:00:00:bb:bb")
forge = Injector("attacker", "eth0", "02:00:00:00:00:01")


def counted():
    row = next(i for i in stats()["interfaces"] if i["name"] == "eth0")
    return sum(row["packets"].values())


before = counted()
forge.send(packet)
wait_for(lambda: counted() > before, 2)
print(behind.read())
PYTHON
}

stray_passes() {
	[ "$(stray)" = 1 ]
}

mode() {
	"$TCPGUARD" -j status | query "iface('eth0')['mode']"
}

exits() {
	local wanted=$1 status=0

	shift
	"$@" || status=$?
	equal $status "$wanted"
}

check "nothing is pending: confirm says no" exits 1 "$TCPGUARD" confirm
check "nothing is pending: revert says no" exits 1 "$TCPGUARD" revert
check "in monitor a stray passes" equal "$(stray)" 1
check "in a script nothing is to be confirmed" equal "$("$TCPGUARD" enforce eth0)" "enforcing on eth0"
"$TCPGUARD" monitor eth0 > /dev/null

"$TCPGUARD" enforce eth0 --confirm 10s > "$WORK/enforce"
check "it says how long, on a line of its own" grep -q '^Goes back by itself in 10 s unless you run:  tcpguard confirm' "$WORK/enforce"
daemon=$(daemon_pids)
kill -9 "$daemon"
wait_for 5 no_daemon || die "the daemon lives on"
check "before the deadline a stray is dropped" equal "$(stray)" 0
check "with every process dead the mode goes back, for packets" wait_for 20 stray_passes
check "and for status" equal "$(mode)" monitor
check "too late: confirm says no" exits 1 "$TCPGUARD" confirm
check "and changes nothing" equal "$(stray)" 1

"$TCPGUARD" enforce eth0 --confirm 5s > /dev/null
check "confirm in time" "$TCPGUARD" confirm
deadline_passed() {
	[ "$(now_ms)" -gt $((began + 5500)) ]
}
began=$(now_ms)
wait_for 10 deadline_passed
check "and it stays" equal "$(stray)" 0
check "enforce again, confirmed for the one named" exits 1 "$TCPGUARD" confirm eth0

"$TCPGUARD" monitor eth0 > /dev/null
"$TCPGUARD" enforce eth0 --confirm 1h > /dev/null
check "status shows the deadline" grep -q confirm_until <("$TCPGUARD" -j status)
check "a second try while one is pending" "$TCPGUARD" enforce eth0 --confirm 1h
check "strays are dropped" equal "$(stray)" 0
check "revert" "$TCPGUARD" revert
check "goes back at once, to where the first began" equal "$(stray)" 1
check "and is done" exits 1 "$TCPGUARD" revert

check "monitor lifts a deadline" exits 0 "$TCPGUARD" enforce --confirm 1h
"$TCPGUARD" monitor > /dev/null
check "and drops nothing" equal "$(mode)" monitor
check "for good" exits 1 "$TCPGUARD" confirm

# --wait: the answer is the exit code.
check "waited for in vain: 8" exits 8 "$TCPGUARD" enforce eth0 --confirm 1s --wait
check "gone back" equal "$(mode)" monitor
background "$TCPGUARD" enforce eth0 --confirm 1h --wait > "$WORK/waited"
waiting=$PID
pending() {
	"$TCPGUARD" -j status | grep -q confirm_until
}
wait_for 5 pending || die "no deadline"
"$TCPGUARD" confirm > /dev/null
check "waited for with an answer: 0" wait "$waiting"
check "still enforced" equal "$(mode)" enforce

check "attach with --confirm" "$TCPGUARD" attach eth0 --confirm 1h
check "revert goes back to what the interface had" "$TCPGUARD" revert
check "which was enforce" equal "$(mode)" enforce
"$TCPGUARD" detach eth0 > /dev/null
attach eth0 --confirm 1h
check "attached anew it enforces" equal "$(mode)" enforce
check "until revert" "$TCPGUARD" revert eth0
check "which makes it monitor" equal "$(mode)" monitor
check "monitor has no way back" exits 2 "$TCPGUARD" attach eth0 --mode monitor --confirm 1h
check "a name that is nothing: 3" exits 3 "$TCPGUARD" enforce nope0
check "nothing to wait for: 2" exits 2 "$TCPGUARD" enforce eth0 --wait
