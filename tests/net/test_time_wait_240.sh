#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A connection closed normally stays in TIME_WAIT for 240 s; what the clock does after that is tested
# with the clock as an input (tests/bpf).
. "$(dirname "$0")/lib.sh"

topology_pair
web 10.0.0.1
attach eth0 --no-daemon

began=$(now_ms)
check "a request" fetch http://10.0.0.1/ --local-port 30000 -H 'Connection: close'
check "its flow is in TIME_WAIT" wait_for 5 in_time_wait 30000
check "one end is in TIME_WAIT, the other closed" \
	grep -qxE 'TIME_WAIT CLOSED|CLOSED TIME_WAIT' <(flow 30000 src_state dst_state)
timeout=$(flow 30000 timeout_s)
since_s=$((($(now_ms) - began + 999) / 1000)) # since the last FIN: less
echo "# timeout_s: $timeout after $since_s s at most"
check "it ends 240 s after the last FIN, not earlier" at_least $((${timeout%.*} + since_s)) 240
check "and not later" at_most "${timeout%.*}" 240
