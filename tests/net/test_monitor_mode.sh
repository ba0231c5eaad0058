#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Mode monitor drops nothing and counts what it would have dropped; enforce and monitor switch a running
# interface; bypass lets everything pass whatever the mode.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
attach eth0 --mode monitor --no-daemon

# stray NUMBER: ACKs of no connection; prints how many got behind XDP.
stray() {
	"$PYTHON" - "$1" <<'PYTHON'
import sys
from world import Counter, Injector, segment, stats, wait_for

number = int(sys.argv[1])
packet = segment(("10.0.0.2", 4321), ("10.0.0.1", 80), "ACK", 1, 1)
behind = Counter("eth0", "02:00:00:00:bb:bb")
forge = Injector("attacker", "eth0", "02:00:00:00:00:01")


def counted():
    row = next(i for i in stats()["interfaces"] if i["name"] == "eth0")
    return sum(row["packets"].values())


before = counted()
for _ in range(number):
    forge.send(packet)
wait_for(lambda: counted() - before >= number, 2)
print(behind.read())
PYTHON
}

verdicts() { # of reason no_flow: "drop=3 would_drop=10"
	"$TCPGUARD" -j stats | query "verdicts('eth0', 'no_flow')"
}

mode() {
	"$TCPGUARD" -j stats | query "iface('eth0')['mode']"
}

check "the mode is shown" equal "$(mode)" monitor
check "monitor: ten strays all pass" equal "$(stray 10)" 10
check "monitor: counted as would_drop" equal "$(verdicts)" "would_drop=10"
check "monitor: the drop counter is 0" equal "$(packets eth0 drop)" 0
check "monitor: the would_drop counter" equal "$(packets eth0 would_drop)" 10
web 10.0.0.1
check "monitor: connections work" fetch "http://10.0.0.1/page?[1-20]"
# The server answered the strays with resets: its own, passed whatever they are.
check "monitor: and are followed" equal "$(drops eth0)" "no_flow=10 rst_no_flow=10"

check "enforce is accepted" "$TCPGUARD" enforce eth0
check "the mode is shown" equal "$(mode)" enforce
check "enforce: ten strays are all dropped" equal "$(stray 10)" 0
check "enforce: counted as drop" equal "$(verdicts)" "drop=10 would_drop=10"
check "enforce: connections work" fetch "http://10.0.0.1/page?[1-20]"

check "bypass on is accepted" "$TCPGUARD" bypass on
check "bypass: ten strays all pass" equal "$(stray 10)" 10
check "bypass: the drop counter stands still" equal "$(packets eth0 drop)" 10
check "bypass: connections work" fetch "http://10.0.0.1/page?[1-20]"
check "bypass off is accepted" "$TCPGUARD" bypass off
check "after bypass strays are dropped again" equal "$(stray 10)" 0

check "monitor is accepted" "$TCPGUARD" monitor eth0
check "the mode is shown" equal "$(mode)" monitor
check "back in monitor strays pass" equal "$(stray 10)" 10
