# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One connection of the client that says something every moment (heartbeat.py), and whether it still
# does; for tests that interrupt tcpguard.  Sourced behind lib.sh, when there is a client.

# Its server is in the namespace HEART_IN, or ours, at HEART_AT.
HEART_AT=${HEART_AT:-10.0.0.1}

# The present connection ends, and whatever else the client has: both FINs have come where one end is in TIME_WAIT.
heart_ends() {
	kill "$HEART"
	wait_for 10 heart_has_ended
}

heart_has_ended() {
	! on client ss -Hnt state connected exclude time-wait | grep -q .
}

beat() {
	rm -f "$WORK/beats"
	background on client "$PYTHON" "$HERE/heartbeat.py" beat "$HEART_AT" 7 "$WORK/beats"
	HEART=$PID
	wait_for 10 test -s "$WORK/beats" || die "no connection"
}

background ${HEART_IN:+on "$HEART_IN"} "$PYTHON" "$HERE/heartbeat.py" serve "$HEART_AT" 7
wait_for 10 listening 7 ${HEART_IN:+"$HEART_IN"} || die "no echo server"
beat

beats_beyond() {
	[[ $(cat "$WORK/beats") =~ ^[0-9]+$ ]] && [ "$(cat "$WORK/beats")" -gt "$1" ]
}

heart_beats() {
	local now

	now=$(cat "$WORK/beats")
	wait_for 10 beats_beyond "$now" || {
		echo "the connection: $now, then $(cat "$WORK/beats")"
		return 1
	}
}
