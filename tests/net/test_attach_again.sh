#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A router is detached while connections run, and attached again: what the table still holds of them is older
# than they are, and is forgotten.
. "$(dirname "$0")/lib.sh"

topology_router
background on server "$PYTHON" "$ROOT/demo/web.py" 10.0.2.2 80
wait_for 10 on server sh -c 'ss -Hlnt "sport = :80" | grep -q .' || die "the web server does not start"
PORT=31000 BYTES=12000000

came() { # BYTES so far
	[ -e "$WORK/download" ] && [ "$(stat -c %s "$WORK/download")" -ge "$1" ]
}

attach eth0 eth1 --profile gateway --no-daemon
background on client curl -sS --fail --max-time 60 --local-port $PORT -o "$WORK/download" "http://10.0.2.2/slow/4/$BYTES"
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
	equal "$("$TCPGUARD" -j flows list | query "len(d['flows'])")" 0
