# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One connection of the client that says something every moment (heartbeat.py), and whether it still
# does; for tests that interrupt tcpguard.  Sourced behind lib.sh, when there is a client.

background "$PYTHON" "$HERE/heartbeat.py" serve 10.0.0.1 7
wait_for 10 listening 7 || die "no echo server"
background on client "$PYTHON" "$HERE/heartbeat.py" beat 10.0.0.1 7 "$WORK/beats"
wait_for 10 test -s "$WORK/beats" || die "no connection"

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
