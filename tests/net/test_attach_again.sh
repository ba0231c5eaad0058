#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A router is detached while connections run, and attached again: what the table still holds of them is older
# than they are, and is forgotten. Nothing is dropped before an attach is complete, nor of what was only watched.
. "$(dirname "$0")/lib.sh"

SEED=0
. "$HERE/interrupted.sh"
topology_router
HEART_IN=server HEART_AT=10.0.2.2
. "$HERE/heartbeat.sh"
web 10.0.2.2 server
PORT=31000 BYTES=24000000

came() { # BYTES so far
	[ -e "$WORK/download" ] && [ "$(stat -c %s "$WORK/download")" -ge "$1" ]
}

attach eth0 eth1 --profile gateway --no-daemon
background on client curl -sS --fail --max-time 60 --local-port $PORT -o "$WORK/download" "http://10.0.2.2/slow/6/$BYTES"
LOAD=$PID
check "a transfer begins" wait_for 10 came 100000
check "and is followed" equal "$(flow $PORT origin)" syn
check "detached" "$TCPGUARD" detach eth0 eth1
check "it goes on, further than any window" wait_for 10 came 8000000
attach eth0 eth1 --profile gateway --no-daemon
check "attached again: it finishes" wait "$LOAD"
check "it was adopted" equal "$(flow $PORT origin)" pickup
check "and nothing was dropped" equal "$(packets eth0 drop) $(packets eth1 drop)" "0 0"

check "its end is followed" wait_for 5 in_time_wait $PORT
check "detached" "$TCPGUARD" detach eth0 eth1
attach eth0 eth1 --profile gateway --no-daemon
check "what had ended is forgotten, too: its ports may have been used again" \
	equal "$("$TCPGUARD" -j flows list | query "sum(f['dst'].endswith(':80') for f in d['flows'])")" 0

# --- who is silent while it learns ------------------------------------------------------------------

heart_beats || die "no connection"
kill -STOP "$HEART"
"$TCPGUARD" detach eth0 eth1 > "$WORK/out"
attach eth0 eth1 --profile gateway --no-daemon --learn 1s
learning_is_over() {
	! "$TCPGUARD" status | grep -q 'learning for another'
}
check "learning ends" wait_for 10 learning_is_over
kill -CONT "$HEART"
check "a connection of before that was silent all the while goes on" heart_beats
check "as one that found no room" at_least "$(reason eth0 table_full)" 1
check "and nothing was dropped" equal "$(packets eth0 drop) $(packets eth1 drop)" "0 0"

# --- one of two interfaces, and a third that is not attached ----------------------------------------

ip link add idle0 type veth peer name idle1
ip link set idle0 up
"$TCPGUARD" detach eth0 eth1 > "$WORK/out"
heart_ends
beat
attach idle0 eth0 --profile gateway --no-daemon
adopted() {
	[ "$(flow 7 origin)" = pickup ]
}
check "a connection is adopted" wait_for 10 adopted
kill -STOP "$HEART"
rm -f "$WORK/download"
PORT=31001
background on client curl -sS --fail --max-time 60 --local-port $PORT -o "$WORK/download" "http://10.0.2.2/slow/6/$BYTES"
LOAD=$PID
check "a transfer by way of one that is attached and one that is not" wait_for 10 came 100000
check "is followed" equal "$(flow $PORT origin)" syn
check "the one is detached" "$TCPGUARD" detach eth0
check "it goes on, further than any window" wait_for 10 came 8000000
attach eth0 --profile gateway --no-daemon
check "attached again: it finishes" wait "$LOAD"
check "it was adopted" equal "$(flow $PORT origin)" pickup
kill -CONT "$HEART"
check "who was silent goes on, too" heart_beats
check "nothing was dropped" equal "$(packets eth0 drop)" 0
"$TCPGUARD" detach idle0 > "$WORK/out"

# --- from monitor to enforce ------------------------------------------------------------------------

heart_ends
beat
"$TCPGUARD" detach --all --purge > "$WORK/out"
attach eth0 eth1 --profile gateway --no-daemon --learn 0s --mode monitor
check "mode monitor: a connection that nobody has learned of goes on" heart_beats
check "and would have been dropped" at_least "$(packets eth0 would_drop)" 1
check "bypass on" "$TCPGUARD" bypass on
check "enforce" "$TCPGUARD" enforce
check "it is learned of now" heart_beats
check "bypass off" "$TCPGUARD" bypass off
check "and goes on" heart_beats
check "nothing was dropped" equal "$(packets eth0 drop) $(packets eth1 drop)" "0 0"

"$TCPGUARD" detach --all --purge > "$WORK/out"
attach eth0 eth1 --profile gateway --no-daemon --learn 0s --mode monitor
check "mode monitor once more: a connection that nobody has learned of goes on" heart_beats
attach eth0 eth1 --profile gateway --no-daemon --mode enforce
check "an attach that enforces learns of it, too" heart_beats
check "nothing was dropped" equal "$(packets eth0 drop) $(packets eth1 drop)" "0 0"

# --- a mode is kept, and a service's waits ----------------------------------------------------------

"$TCPGUARD" monitor eth0 > "$WORK/out"
rm /sys/fs/bpf/tcpguard/v1/iface/0/tc
attach eth0 --profile gateway --no-daemon
check "whose hooks were not all there is attached anew, in the mode it had" \
	equal "$("$TCPGUARD" -j status | query "[i['mode'] for i in d['interfaces'] if i['name'] == 'eth0']")" "['monitor']"

printf '%s\n' 'version: 1' 'interfaces: [{name: eth0}]' 'state: {no_flow: adopt}' > "$WORK/tcpguard.yaml"
"$TCPGUARD" config reload "$WORK/tcpguard.yaml" > "$WORK/out"
"$TCPGUARD" monitor eth0 > "$WORK/out"
rm /sys/fs/bpf/tcpguard/v1/iface/0/tc
printf '%s\n' 'version: 1' 'state: {no_flow: adopt}' > "$WORK/tcpguard.yaml"
attach eth0 --profile gateway --no-daemon --config "$WORK/tcpguard.yaml"
check "with a configuration that names no mode, too" \
	equal "$("$TCPGUARD" -j status | query "iface('eth0')['mode'], iface('eth0')['adopts']")" "('monitor', True)"
rm /sys/fs/bpf/tcpguard/v1/iface/0/tc
attach eth0 --profile gateway --no-daemon
check "it adopts whom it knows not, as before" equal "$("$TCPGUARD" -j status | query "iface('eth0')['adopts']")" True

"$TCPGUARD" enforce eth0 --confirm 1h > "$WORK/out"
rm /sys/fs/bpf/tcpguard/v1/iface/0/tc
attach eth0 --profile gateway --no-daemon
check "whose mode waits to be confirmed: it waits on" \
	equal "$("$TCPGUARD" -j status | query "iface('eth0')['mode'], bool(iface('eth0')['confirm_until'])")" "('enforce', True)"
check "and can be answered" "$TCPGUARD" revert eth0
check "with what it was before" equal "$("$TCPGUARD" -j status | query "iface('eth0')['mode']")" monitor

printf '%s\n' 'version: 1' 'services: [{name: web, ports: [80], mode: enforce}]' > "$WORK/tcpguard.yaml"
check "a service enforces" "$TCPGUARD" config reload "$WORK/tcpguard.yaml"
"$TCPGUARD" detach eth0 eth1 > "$WORK/out"
need_strace "attach, killed"
traced "$WORK/trace.attach" "$TCPGUARD" attach eth0 --profile gateway --no-daemon || die "attach: $(cat "$WORK/err")"
"$TCPGUARD" detach eth0 > "$WORK/out"
last_hook=$(numbers_of BPF_LINK_CREATE "$WORK/trace.attach" "" | tail -n 1)
rm -f "$WORK/download"
background on client curl -sS --fail --max-time 60 -o "$WORK/download" "http://10.0.2.2/slow/3/$BYTES"
LOAD=$PID
check "a transfer that nobody knows of" wait_for 10 came 100000
check "attach is killed before its last hook" \
	killed_before bpf "$last_hook" "$TCPGUARD" attach eth0 --profile gateway --no-daemon
check "the transfer finishes" wait "$LOAD"
