#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# capture takes the packets of the verdicts asked for and no others, in a file other tools read; works
# without the daemon; one at a time; a killed one disturbs nobody.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
web 10.0.0.1

code() {
	local status=0

	"$@" > "$WORK/out" 2> "$WORK/err" || status=$?
	echo $status
}

capturing() {
	[[ "$("$TCPGUARD" -j stats | query "d['events']['watching']")" == *capture* ]]
}

not_capturing() {
	! capturing
}

strays() {
	on attacker "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.9 -d 10.0.0.1 -n "$1" > /dev/null
}

# Of the last file written.
ask() {
	"$PYTHON" "$HERE/pcapng.py" "$WORK/file" "$1"
}

check "not attached: exit code 3" equal "$(code "$TCPGUARD" capture --reason no_flow)" 3
attach eth0 --no-daemon

# --- bad input --------------------------------------------------------------------------------------

check "no packets chosen: exit code 2" equal "$(code "$TCPGUARD" capture)" 2
check "an unknown reason" equal "$(code "$TCPGUARD" capture --reason nonsense)" 2
check "in one line" equal "$(wc -l < "$WORK/err")" 1
check "an unknown verdict" equal "$(code "$TCPGUARD" capture --verdict nonsense)" 2
check "a filter that does not compile" equal "$(code "$TCPGUARD" capture --verdict drop 'host and and')" 2
check "says so" grep -q 'does not compile' "$WORK/err"
check "a directory that is not there" equal "$(code "$TCPGUARD" capture --verdict drop -w "$WORK/none/file")" 2
check "an unknown flow" equal "$(code "$TCPGUARD" capture --flow ffff-ff)" 1
check "after all this nothing is captured" not_capturing

# --- to a file --------------------------------------------------------------------------------------

background "$TCPGUARD" capture --reason no_flow -c 5 -w "$WORK/file"
first=$PID
check "a capture begins, without a daemon" wait_for 5 capturing
check "a second one is refused" equal "$(code "$TCPGUARD" capture --verdict pass)" 7
check "in one line" equal "$(wc -l < "$WORK/err")" 1
fetch "http://10.0.0.1/page?[1-5]"
strays 20
check "it ends after five packets" wait "$first"
check "and switches itself off" not_capturing
check "the file is well made" equal "$(ask 'len(p)')" 5
check "dropped packets only, with reason and verdict" equal "$(ask "{x['comment'] for x in p}")" \
	"{'drop no_flow: segment of a connection never seen'}"
check "of the interface, inbound" equal "$(ask "{(x['iface'], x['link'], x['outbound']) for x in p}")" \
	"{('eth0', 1, False)}"
check "whole frames from the attacker" equal \
	"$(ask "{(x['captured'] == x['length'], x['data'][26:30]) for x in p}")" "{(True, b'\\n\\x00\\x00\\t')}"
now=$(date +%s)
check "wall clock times, in order" equal \
	"$(ask "p == sorted(p, key=lambda x: x['time']) and all(abs(x['time'] - $now) < 60 for x in p)")" True
check "tcpguard reads it" "$TCPGUARD" replay "$WORK/file"
if command -v tshark > /dev/null; then
	check "tshark shows the comments" equal \
		"$(tshark -r "$WORK/file" -T fields -e frame.comment -e frame.interface_name 2> /dev/null | sort -u)" \
		"$(printf 'drop no_flow: segment of a connection never seen\teth0')"
else
	skip_case "tshark shows the comments" "no tshark"
fi

# --- choices ----------------------------------------------------------------------------------------

# After a killed one the data path captures still; the file is made once it does for this one.
to_file() {
	rm -f "$WORK/file"
	background "$TCPGUARD" capture -w "$WORK/file" "$@"
	wait_for 5 begun || die "capture $* does not begin"
}
begun() {
	[ -e "$WORK/file" ] && capturing
}
file_has() {
	[ "$(ask 'len(p)')" -ge "$1" ]
}
done_with_it() {
	kill -INT "$PID"
	wait "$PID" || die "capture ended with exit code $?"
}

to_file --flow 10.0.0.2:41000-10.0.0.1:80 -s 60
fetch http://10.0.0.1/page
fetch --local-port 41000 http://10.0.0.1/page
wait_for 5 file_has 6
done_with_it
check "one flow alone, before it exists" equal \
	"$(ask "{b'\\xa0\\x28' in (x['data'][34:36], x['data'][36:38]) for x in p}")" "{True}"
check "both directions" equal "$(ask "sorted({x['outbound'] for x in p})")" "[False, True]"
check "cut at the snap length" equal "$(ask "max(x['captured'] for x in p) == 60 and max(x['length'] for x in p) > 60")" True
check "with the flow's id" equal "$(ask "all('; flow ' in x['comment'] for x in p[1:])")" True

to_file --verdict pass 'tcp[tcpflags] & tcp-syn != 0 and src host 10.0.0.2'
fetch "http://10.0.0.1/page?[1-3]"
strays 5
wait_for 5 file_has 1
done_with_it
check "a pcap filter picks on top" equal \
	"$(ask "{(x['comment'].split(':')[0], x['data'][47] & 18) for x in p}")" "{('pass new', 2)}"

"$TCPGUARD" monitor eth0 > /dev/null
background "$TCPGUARD" -o ndjson capture --verdict would_drop -c 2 > "$WORK/lines"
lines=$PID
wait_for 5 capturing || die "capture does not begin"
strays 3
check "without -w one line a packet" wait "$lines"
check "that says what would have been done" equal \
	"$("$PYTHON" "$HERE/events.py" ask "$WORK/lines" "[(x['verdict'], x['reason'], x['src'][:9]) for x in e]")" \
	"[('would_drop', 'no_flow', '10.0.0.9:'), ('would_drop', 'no_flow', '10.0.0.9:')]"
strays_on() {
	strays 2000
	! kill -0 "$PID" 2> /dev/null
}
background "$TCPGUARD" capture --verdict would_drop --max-mb 1 -w "$WORK/file"
wait_for 5 capturing || die "capture does not begin"
check "--max-mb ends it" wait_for 30 strays_on
check "at that size" at_least "$(stat -c %s "$WORK/file")" 1000000
check "and little more" at_most "$(stat -c %s "$WORK/file")" 1005000
background "$TCPGUARD" capture --verdict would_drop -w - > >(head -c 100 > /dev/null)
check "a reader that goes away ends it" wait_for 30 strays_on

# --- killed -----------------------------------------------------------------------------------------

to_file --verdict drop
kill -KILL "$PID"
gone() {
	! kill -0 "$PID" 2> /dev/null
}
wait_for 5 gone || die "it lives"
check "killed, it leaves the data path capturing" capturing
"$TCPGUARD" enforce eth0 > /dev/null
strays 10
to_file --verdict drop --reason no_flow -c 1
strays 1
check "the next one takes over" wait "$PID"
check "and gets nothing of the old one's" equal "$(ask 'len(p)')" 1
to_file --verdict drop
kill -KILL "$PID"
background "$TCPGUARD" daemon
check "so does the daemon" wait_for 5 not_capturing
check "nothing but strays was dropped" equal "$(drops eth0 | grep -o '[a-z_]*=' | sort -u)" "no_flow="
