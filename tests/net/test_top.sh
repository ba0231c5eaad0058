#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The terminal view through tmux: what the screen says is what stats says, keys, sizes, no terminal.
. "$(dirname "$0")/lib.sh"

command -v tmux > /dev/null || skip_all "no tmux (Debian package tmux)"
export LC_ALL=C.UTF-8 TMUX_TMPDIR=$WORK
unset TMUX NO_COLOR

topology_switch client attacker
attach eth0 --no-daemon
web 10.0.0.1

tg() {
	"$TCPGUARD" "$@"
}

mux() {
	tmux -L top "$@"
}

# A server that ends with its last session takes the next one with it.
mux -f /dev/null start-server \; set-option -s exit-empty off

# open_top COLUMNS LINES COMMAND: in a terminal of that size; its exit code will be in $WORK/code.
open_top() {
	rm -f "$WORK/code"
	mux -f /dev/null new-session -d -x "$1" -y "$2" \
		"$3; echo \$? > $WORK/code.new; mv $WORK/code.new $WORK/code"
	wait_for 10 on_screen "^tcpguard top"
}

screen() {
	mux capture-pane -p
}

on_screen() { # PATTERN
	screen | grep -qE -e "$1"
}

not_on_screen() {
	! on_screen "$1"
}

press() {
	mux send-keys "$@"
}

sees() { # PATTERN: soon
	wait_for 10 on_screen "$1" || {
		screen
		return 1
	}
}

ended() { # EXIT_CODE
	wait_for 10 test -e "$WORK/code" || {
		echo "it still runs"
		return 1
	}
	equal "$(cat "$WORK/code")" "$1"
}

# total VERDICT: the number in the table of verdicts.
total() {
	screen | awk -v want="$1" '/^VERDICT/ { on = 1 } /^REASON/ { on = 0 }
		on && index($0, want " ") == 1 { print substr($0, 38, 20) }' | tr -d ' '
}

# Both sides are read again until nothing moves in between.
agree() { # WORD-ON-SCREEN NAME-IN-STATS
	[ "$(total "$1")" = "$(packets eth0 "$2")" ]
}

# The same for what ends by itself.
open_and_end() { # EXIT_CODE COMMAND
	rm -f "$WORK/code"
	mux -f /dev/null new-session -d -x 80 -y 24 "$2; echo \$? > $WORK/code.new; mv $WORK/code.new $WORK/code"
	ended "$1"
}

# --- without a terminal -----------------------------------------------------------------------------

exit_code() {
	local status=0

	"$@" > "$WORK/out" 2> "$WORK/err" || status=$?
	echo $status
}
check "no terminal: exit code 2" equal "$(exit_code tg top < /dev/null)" 2
check "said in one line with what to do instead" equal "$(grep -c "needs a terminal.*stats -i 1" "$WORK/err")" 1
check "nothing on stdout" equal "$(wc -c < "$WORK/out")" 0

# --- numbers ----------------------------------------------------------------------------------------

check "opens at 80 x 24" open_top 80 24 "$TCPGUARD top eth0"
fetch http://10.0.0.1/bytes/500000 --local-port 30001
background on client "$PYTHON" -c 'import socket, time
open = socket.create_connection(("10.0.0.1", 80), 5, ("10.0.0.2", 30003))
time.sleep(600)'
on attacker "$ATTACK" ack -i eth0 -m 02:00:00:00:00:01 -s 10.0.0.3/32 -d 10.0.0.1 -D 80 -n 5000 -r 5000 \
	-t 20 > "$WORK/sent"
check "packets that pass are those of stats" wait_for 10 agree pass pass
check "packets dropped are those of stats" wait_for 10 agree drop drop
check "and all of the attack" equal "$(total drop)" "$(cat "$WORK/sent")"
check "the reason" sees '^no_flow +drop +[0-9.]+( k)? +5\.0 k  segment of a connection nev'
check "the interface, its hook and mode" sees '^eth0 +native +ENFORCE '
check "the table" sees "^flows $(tg -j flows count | query "d['flows']") / 1 048 576 \[\.{20}\] 0\.0 %"
check "flows by state" sees '^established 1'
check "the open connection" sees '^10\.0\.0\.2:30003 +10\.0\.0\.1:80 +established'
check "no daemon is said" sees '^no daemon'
check "the keys" sees '^q quit  p pause  f sources  s sort: packets/s  \? help'

fits() { # COLUMNS LINES: no line is longer, and none was wrapped
	local lines

	lines=$(screen | sed 's/ *$//')
	equal "$(wc -l <<< "$lines")" "$2" &&
		equal "$(awk -v most="$1" 'length > most' <<< "$lines")" "" &&
		equal "$(head -n 1 <<< "$lines" | grep -c '^tcpguard top')" 1 &&
		equal "$(grep -c '^VERDICT' <<< "$lines")" 1 &&
		equal "$(tail -n 1 <<< "$lines" | grep -c '^q quit')" 1
}
check "at 80 x 24 nothing wraps" fits 80 24

# --- keys -------------------------------------------------------------------------------------------

press f
check "f: sources" sees '^SOURCE +FLOWS +HALF-OPEN'
check "the client with its flows" sees '^10\.0\.0\.2 +2 +0 '
press s
check "s: the next order" sees 'sort: bytes/s'
press 4
check "4: of sources, half-open flows" sees 'sort: half-open'
press Tab
check "Tab: flows again, the same key means age" sees 'sort: age'
oldest_first() {
	equal "$(screen | grep -oE '^10\.0\.0\.2:[0-9]+' | tr '\n' ' ')" "10.0.0.2:30001 10.0.0.2:30003 "
}
check "the oldest flow first" wait_for 5 oldest_first
press '?'
check "?: help" sees 'pause, go on'
press x
check "any key ends it" sees '^VERDICT'
press p
check "p: paused, and says so" sees 'PAUSED'
before=$(total pass)
fetch http://10.0.0.1/bytes/100000
check "while paused nothing moves" equal "$(total pass)" "$before"
press Space
check "space: goes on" wait_for 10 agree pass pass
check "and says no more that it is paused" wait_for 5 not_on_screen PAUSED

# --- sizes ------------------------------------------------------------------------------------------

mux resize-window -x 132 -y 40
check "larger: longer columns" sees '^FLOW FROM {39}TO'
check "larger: the whole meaning" sees 'segment of a connection never seen$'
check "larger: nothing wraps" wait_for 5 fits 132 40
mux resize-window -x 40 -y 12
check "smaller: title and keys stay" sees '^q quit'
check "smaller: nothing wraps" wait_for 5 fits 40 12
mux resize-window -x 5 -y 1
mux resize-window -x 80 -y 24
check "it survives one line" wait_for 5 fits 80 24

# --- colours and modes ------------------------------------------------------------------------------

coloured() { # yes|no
	local found=no

	mux capture-pane -p -e | grep -qE $'\e\\[[0-9;]*3[1-7]m' && found=yes
	equal $found "$1"
}
check "colours on a terminal" wait_for 5 coloured yes
tg monitor eth0 > /dev/null
check "mode monitor" sees '^eth0 +native +MONITOR '
tg bypass on > /dev/null
check "bypass" sees 'BYPASS: nothing is dropped'
tg bypass off > /dev/null
press q
check "q: exit code 0" ended 0

check "opens again" open_top 80 24 "NO_COLOR=1 $TCPGUARD top --sources -i 2"
check "NO_COLOR" coloured no
check "--sources" sees '^SOURCE'
check "-i 2" sees 'every 2 s'
press C-c
check "Ctrl-C: exit code 130" ended 130
check "a terminal without abilities: exit code 2" open_and_end 2 "TERM=nonsense $TCPGUARD top"

check "opens a third time" open_top 80 24 "$TCPGUARD top"
tg detach eth0 --purge > /dev/null
check "detach --purge ends it: exit code 3" ended 3
mux kill-server 2> /dev/null || true
