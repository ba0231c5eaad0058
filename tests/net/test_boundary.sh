#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Those who have a foot in the door: users of the machine who can reach a directory or a socket, members of
# the group, whoever wrote a file that root reads, and the service's user.  None of them gets further.
. "$(dirname "$0")/lib.sh"

USAGE=2 CONFIG=6
NOBODY=65534 SERVICE=64999 OTHER=64998
PINS=/sys/fs/bpf/tcpguard
SOCKET=/run/tcpguard/events.sock

[ "${TG_SANITIZED-}" != valgrind ] || skip_all "valgrind runs a script that others cannot read"
topology_pair

# The user and the group of the service, in this world only.
cp /etc/passwd /etc/group "$WORK/"
echo "tcpguard:x:$SERVICE:$SERVICE::/nonexistent:/usr/sbin/nologin" >> "$WORK/passwd"
echo "tcpguard:x:$SERVICE:" >> "$WORK/group"
mount --bind "$WORK/passwd" /etc/passwd
mount --bind "$WORK/group" /etc/group
install -m 755 "$TCPGUARD" /run/program
install -m 644 "$HERE/trickle.py" "$WORK/"
chmod 0711 "$WORK"

# as UID COMMAND...: an ordinary user; member UID COMMAND...: one of the group.
as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups -- "${@:2}"
}
member() {
	setpriv --reuid "$1" --regid "$1" --groups $SERVICE -- "${@:2}"
}

# answers EXIT_CODE PATTERN COMMAND...
answers() {
	local want=$1 pattern=$2 code=0

	shift 2
	"$@" > "$WORK/answer" 2>&1 < /dev/null || code=$?
	cat "$WORK/answer"
	equal $code "$want" && grep -qE -e "$pattern" "$WORK/answer"
}

attach eth0 --max-flows 64 --no-daemon

# --- what root writes -------------------------------------------------------------------------------

capturing() {
	[[ "$("$TCPGUARD" -j stats | query "d['events']['watching']")" == *capture* ]]
}
ended() {
	! kill -0 "$PID" 2> /dev/null
}
# One packet that passes for the capture at work, until that ends.
captured() {
	if ! ended && capturing; then
		on client curl -s --max-time 1 http://10.0.0.1:7/ || true
	fi
	ended
}
# capture_to FILE: one packet.
capture_to() {
	local code=0

	background timeout 20 "$TCPGUARD" capture --verdict pass -c 1 -w "$1" > "$WORK/captured" 2>&1
	wait_for 20 captured || return 1
	wait "$PID" || code=$?
	cat "$WORK/captured"
	return $code
}
mkdir -m 777 /run/shared # with the sticky bit the kernel itself would refuse to follow the link
echo precious > /run/precious
as $NOBODY ln -s /run/precious /run/shared/link
check "capture -w through somebody's link" answers $USAGE 'symbolic link' capture_to /run/shared/link
check "what it pointed at is whole" equal "$(cat /run/precious)" precious
as $NOBODY touch /run/shared/theirs
check "capture -w into somebody's file" answers $USAGE 'belongs to another user' capture_to /run/shared/theirs
check "which stays empty" equal "$(stat -c '%s %u' /run/shared/theirs)" "0 $NOBODY"
as $NOBODY mkfifo /run/shared/pipe
background setpriv --reuid $NOBODY --regid $NOBODY --clear-groups cat /run/shared/pipe > "$WORK/heard"
check "replay -w into somebody's pipe" answers $USAGE 'belongs to another user' \
	"$TCPGUARD" replay -w /run/shared/pipe "$ROOT/tests/data/clean.pcap.gz"
wait "$PID" || true
check "who hears nothing" equal "$(wc -c < "$WORK/heard")" 0
mkfifo -m 600 /run/shared/own
background cat /run/shared/own > "$WORK/heard"
check "replay -w into a pipe of one's own" "$TCPGUARD" replay -w /run/shared/own "$ROOT/tests/data/clean.pcap.gz"
wait "$PID" || true
check "all of it comes out" test -s "$WORK/heard"
piped() {
	"$TCPGUARD" replay -w - "$ROOT/tests/data/clean.pcap.gz" | cmp - "$WORK/heard"
}
check "and by standard output the same" piped
ln /run/precious /run/shared/second
check "replay -w into a file with two names" answers $USAGE 'other names' \
	"$TCPGUARD" replay -w /run/shared/second "$ROOT/tests/data/clean.pcap.gz"
check "which is whole, too" equal "$(cat /run/precious)" precious
rm /run/shared/second
check "capture -w a new file" capture_to /run/new
check "it is its owner's to read" equal "$(stat -c %a /run/new)" 600
install -m 644 /dev/null /run/old
check "capture -w over a file that all could read" capture_to /run/old
check "they cannot any more" equal "$(stat -c %a /run/old)" 600

# --- the socket of events ---------------------------------------------------------------------------

# As tmpfiles.d makes it: everybody may open it, and so could lock it for ever.
install -d -m 755 -o $SERVICE -g $SERVICE /run/tcpguard
coproc HOLDER { exec setpriv --reuid $NOBODY --regid $NOBODY --clear-groups -- flock /run/tcpguard sh -c 'echo held; exec cat'; }
read -r -u "${HOLDER[0]}" held
check "somebody holds a lock on the socket's directory" equal "$held" held
background "$TCPGUARD" daemon --metrics off 2> "$WORK/daemon"
DAEMON=$PID
check "the daemon begins all the same" wait_for 5 "$TCPGUARD" events
check "and leaves nothing beside its socket" equal "$(ls -A /run/tcpguard)" events.sock
kill -TERM "$DAEMON"
wait "$DAEMON" || die "the daemon ended with exit code $?"
eval "exec ${HOLDER[1]}>&-"

# 128 descriptors: 64 readers.  A member of the group has a quarter of them, all members seven eighths.
install -m 755 "$HERE/events.py" /run/events.py
(
	ulimit -n 128
	exec "$TCPGUARD" daemon --metrics off
) 2> "$WORK/daemon" &
DAEMON=$!
WORLD_PIDS+=("$DAEMON")
check "a daemon with few descriptors" wait_for 5 "$TCPGUARD" events
check "nobody is refused" answers 4 'Permission denied' as $NOBODY /run/program events
check "a member reads" answers 0 'daemon  *started' member $NOBODY /run/program events
# What the socket's mode lets through, the daemon itself refuses.
chmod 0666 $SOCKET
check "nobody is refused at a socket that all may open" answers 4 'refuses to tell' as $NOBODY /run/program events
check "a member reads there, too" answers 0 'daemon  *started' member $NOBODY /run/program events
chmod 0660 $SOCKET
coproc SILENT { exec setpriv --reuid $NOBODY --regid $NOBODY --groups $SERVICE -- "$PYTHON" /run/events.py hold $SOCKET 100 16; }
read -r -u "${SILENT[0]}" silent
check "a member who comes a hundred times has sixteen places" equal "$silent" 16
check "another member has one" answers 0 'daemon  *started' member $OTHER /run/program events
check "root, too" answers 0 'daemon  *started' "$TCPGUARD" events
read -r -u "${SILENT[0]}" ended
check "who asks for nothing is hung up on" equal "$ended" 16
echo enough >&"${SILENT[1]}"
tracers() {
	[ "$("$TCPGUARD" -j stats | query "d['events']['readers']")" = "$1" ]
}
wait_for 5 tracers 0 || die "the readers do not go"
for port in 1 2 3; do
	background setpriv --reuid $NOBODY --regid $NOBODY --groups $SERVICE -- \
		/run/program flows trace "10.0.0.2:$port-10.0.0.1:80"
	check "a member traces a flow" wait_for 5 tracers $port
done
check "but not the last that can be traced" answers 7 'traced already' \
	member $OTHER /run/program flows trace 10.0.0.2:4-10.0.0.1:80 --for 1s
check "which is root's" answers 1 . "$TCPGUARD" flows trace 10.0.0.2:4-10.0.0.1:80 --for 1s
noise() {
	equal "$(member $NOBODY "$PYTHON" /run/events.py noise $SOCKET 600)" 600
}
check "requests that are none are answered, or ended" noise
check "and the daemon goes on" answers 0 'daemon  *started' "$TCPGUARD" events
kill -TERM "$DAEMON"
wait "$DAEMON" || die "the daemon ended with exit code $?"

# --- metrics ----------------------------------------------------------------------------------------

# Many more clients than there are connections, who never finish asking and come again: one user's descriptors.
background "$TCPGUARD" daemon --metrics 127.0.0.1:9844 2> "$WORK/daemon"
DAEMON=$PID
wait_for 5 curl -sf -o "$WORK/answer" http://127.0.0.1:9844/-/healthy || die "no metrics are served"
coproc TRICKLE { exec setpriv --reuid $NOBODY --regid $NOBODY --clear-groups -- "$PYTHON" "$WORK/trickle.py" 9844 900; }
read -r -u "${TRICKLE[0]}" _
check "clients that never finish keep nobody out for long" curl -sf --max-time 5 -o /dev/null http://127.0.0.1:9844/metrics
check "nor the daemon from its work" "$TCPGUARD" events
eval "exec ${TRICKLE[1]}>&-"
kill -TERM "$DAEMON"
wait "$DAEMON" || die "the daemon ended with exit code $?"

# --- other people's sockets -------------------------------------------------------------------------

as $NOBODY install -d -m 755 /run/shared/socket
as $NOBODY ln -s /run/precious /run/shared/socket/s.lock
check "a link in the place of the lock" answers 4 "cannot lock" \
	"$TCPGUARD" daemon --metrics off --socket /run/shared/socket/s
as $NOBODY rm /run/shared/socket/s.lock
as $NOBODY touch /run/shared/socket/s.lock
check "somebody's file in its place" answers 4 "cannot lock" \
	"$TCPGUARD" daemon --metrics off --socket /run/shared/socket/s
check "nothing was put there" equal "$(ls -A /run/shared/socket)" s.lock
# Somebody who listens, accepts nobody, and has no room for one more.
coproc FULL { exec setpriv --reuid $NOBODY --regid $NOBODY --clear-groups -- "$PYTHON" /run/events.py full /run/shared/full; }
read -r -u "${FULL[0]}" _
check "a daemon does not wait for somebody who accepts nobody" answers 7 'another process does' \
	timeout -s KILL 20 "$TCPGUARD" daemon --metrics off --socket /run/shared/full
eval "exec ${FULL[1]}>&-"

# --- names and files that would speak to the terminal -----------------------------------------------

# tame COMMAND...: nothing it prints is a control character, and what it refuses is said in one line.
tame() {
	"$@" > "$WORK/answer" 2>&1 < /dev/null || true
	cat -v "$WORK/answer"
	[ -s "$WORK/answer" ] && ! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$WORK/answer"
}
ESCAPE=$'\e[31m'
gzip -dc "$ROOT/tests/data/clean.pcap.gz" > "/run/$ESCAPE.pcap"
check "the name of a capture" tame "$TCPGUARD" replay "/run/$ESCAPE.pcap"
check "that of one to explain" tame "$TCPGUARD" explain --pcap "/run/$ESCAPE.pcap#5"
check "a bad line of a list" tame "$TCPGUARD" block import <(printf '%s\n' "$ESCAPE")
printf 'version: 1\n"%s": 1\n' '\e[31m\nSYSLOG_IDENTIFIER=sshd' > /run/keys.yaml
check "an unknown key" tame "$TCPGUARD" config check /run/keys.yaml
check "begins no line of its own" equal "$(wc -l < "$WORK/answer")" 1
# shellcheck disable=SC2016 # that is its name
ip link add "odd$ESCAPE" type veth peer name '$(date)'
odd=odd$ESCAPE
for command in "attach $odd --no-daemon" status stats doctor "monitor $odd" "upgrade --no-daemon" "detach $odd"; do
	# shellcheck disable=SC2086 # words
	check "an interface's name: ${command%% *}" tame "$TCPGUARD" $command
done
# Nor need it be UTF-8, which JSON must be: no answer leaves the interface out.
latin=odd$'\xe9'
ip link add "$latin" type veth peer name odd1
for command in "attach $latin --no-daemon" status stats "monitor $latin" "upgrade --no-daemon" "detach $latin"; do
	# shellcheck disable=SC2086 # words
	check "one in Latin-1, as JSON: ${command%% *}" answers 0 'odd\?"' "$TCPGUARD" -j $command
done
ip link del "$latin"
csi=odd$'\x7f\xc2\x9b'm
ip link add "$csi" type veth peer name odd1
for command in "attach $csi --no-daemon" status stats "monitor $csi" "upgrade --no-daemon" "detach $csi"; do
	# shellcheck disable=SC2086 # words
	check "one that jansson would not escape: ${command%% *}" tame "$TCPGUARD" -j $command
done
ip link del "$csi"
# What the shell would run is offered as a word of the line.
offered() {
	bash -c 'source <("$0" completion bash)
		COMP_WORDS=(tcpguard status "$1") COMP_CWORD=2
		_tcpguard
		printf "%s\n" "${COMPREPLY[@]}"' "$TCPGUARD" "$1"
}
# What doctor says to run: pasted, it runs nothing else.
pasted() {
	local command

	command=$("$TCPGUARD" -j doctor "$1" | query "finding('$1', 'iface.link')")
	command=${command#* }
	echo "$command"
	[ -n "$command" ] && bash -c "$command" && ip link show dev "$1" | grep -q "[<,]UP[,>]"
}
# shellcheck disable=SC2016 # that is its name
check "doctor's command for such a name does what it says" pasted '$(date)'
check "bash completes it as a word" equal "$(offered '$' | head -n 1)" '\$\(date\)'
check "ordinary names as they are" equal "$(offered eth)" eth0
ip link del "odd$ESCAPE"

# --- configurations ---------------------------------------------------------------------------------

printf '%s\n' 'version: 1' 'interfaces: [{name: eth0, mode: monitor}]' > /run/tcpguard.yaml
mkdir /run/conf.d
anybodys() { # COMMAND...: is refused, and eth0 stays as it is
	answers $CONFIG 'everybody may write to it' "$@" &&
		equal "$("$TCPGUARD" -j status | query "iface('eth0')['mode']")" enforce
}
chmod 0666 /run/tcpguard.yaml
check "what everybody may write is not attached" anybodys "$TCPGUARD" attach --config /run/tcpguard.yaml --no-daemon
check "nor reloaded" anybodys "$TCPGUARD" config reload /run/tcpguard.yaml
check "nor said to be good" anybodys "$TCPGUARD" config check /run/tcpguard.yaml
chmod 0644 /run/tcpguard.yaml
install -m 0666 /dev/null /run/conf.d/more.yaml
check "nor as a part of another" anybodys "$TCPGUARD" config reload /run/tcpguard.yaml
chmod 0644 /run/conf.d/more.yaml
check "without that it is" answers 0 . "$TCPGUARD" config check /run/tcpguard.yaml
{
	printf 'version: 1\na: '
	head -c 2000000 /dev/zero | tr '\0' '['
} > /run/deep.yaml
check "two million brackets are refused at once" answers $CONFIG 'nested more than' \
	prlimit --cpu=5 "$TCPGUARD" config check /run/deep.yaml

anchors() {
	printf 'version: 1\na:\n'
	seq 100000 | sed 's/.*/- \&a& x/'
}
anchors > /run/anchors.yaml
check "and so are a hundred thousand anchors" answers $CONFIG 'more than 1000 anchors' \
	prlimit --cpu=5 "$TCPGUARD" config check /run/anchors.yaml

# --- captures of strangers --------------------------------------------------------------------------

# Whoever does not trust a capture need not be root to look at it.
three_rights() {
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --no-new-privs --bounding-set=-all,+bpf,+net_admin,+perfmon \
		--inh-caps=-all,+bpf,+net_admin,+perfmon --ambient-caps=-all,+bpf,+net_admin,+perfmon -- "$@"
}
gzip -dc "$ROOT/tests/data/clean.pcap.gz" > /run/clean.pcap
check "replay with three capabilities of nobody's" answers 0 'connections' three_rights /run/program replay /run/clean.pcap
check "explain, too" answers 0 Verdict three_rights /run/program explain --pcap /run/clean.pcap#5

# --- lists that are too much ------------------------------------------------------------------------

# AddressSanitizer takes terabytes of addresses for itself.
within() { # BYTES COMMAND...
	if [ "${TG_SANITIZED-}" = address ]; then
		"${@:2}"
	else
		prlimit --as="$1" "${@:2}"
	fi
}
long_line() {
	echo 192.0.2.0/24
	head -c 300000000 /dev/zero | tr '\0' x
	echo
	echo 198.51.100.0/24
}
"$TCPGUARD" block add 203.0.113.0/24 > /dev/null # what stands must stand afterwards
check "a line without an end is a bad line, not one of all memory" \
	answers $USAGE ':2: the line is too long' \
	within 200000000 "$TCPGUARD" block import --replace <(long_line)
check "the list is as it was" equal "$("$TCPGUARD" block list | head -n 1 | cut -d ' ' -f 1)" 203.0.113.0/24
check "nor does a list without an end take it" answers $USAGE 'too many prefixes' \
	within 2000000000 timeout 120 "$TCPGUARD" block import --replace <(yes 192.0.2.1)
check "the list is as it was still" equal "$("$TCPGUARD" block list | head -n 1 | cut -d ' ' -f 1)" 203.0.113.0/24

# --- what the service's user writes, and root reads -------------------------------------------------

# hostile CHANGE...: every command that reads the lists refuses the image, without falling over it.
hostile() {
	local verb

	"$TCPGUARD" block flush > /dev/null
	"$TCPGUARD" block add 203.0.113.0/24 --reason hostile > /dev/null
	"$PYTHON" "$HERE/hostile_image.py" $PINS/v1 "$@" || return 1
	for verb in list export "del 203.0.113.0/24" "add 192.0.2.1"; do
		# shellcheck disable=SC2086 # words
		answers 70 'not what a tcpguard makes' "$TCPGUARD" block $verb || return 1
	done
	answers 0 . "$TCPGUARD" block test 203.0.113.1 || answers 70 . "$TCPGUARD" block test 203.0.113.1
}
check "more rules than there is room for" hostile prefixes=0x3fffff
check "rules behind the end" hostile first_rule=0xfffffff0
check "a text behind the end" hostile text=0xffffffff
check "a rule of no list" hostile rule=ffffffff000000000000000078017f
check "a rule longer than an address" hostile rule=ffffffff0000000000000000ff0100
check "a rule of nobody" hostile rule=ffffffff0000000000000000780100ff
check "a rule with bits beyond its length" hostile rule=ffffffff00000000000000006801
check "rules before the image" hostile first_rule=0
check "a direct table of 2^127 entries" hostile direct0=0x7f000001 direct1=0x7f000001
check "levels beyond an address" hostile level0=0xff000000 level1=0xff
check "a reason behind the text" hostile rule=ffffffffffffff7f00000000780100
place=$(ls $PINS/v1/lists)
rm "$PINS/v1/lists/$place"
bpftool map create "$PINS/v1/lists/$place" type array key 4 value 65536 entries 1 name intruder
check "status reads no other map in its place" answers 0 . "$TCPGUARD" status
check "nor do commands" answers 70 . "$TCPGUARD" block list
# Interfaces, modes and services as nothing would write them: every command shows them, or says no.
for map in tg_ifaces tg_settings tg_ports; do
	check "the service's user fills $map: nothing falls over it" \
		"$PYTHON" "$HERE/hostile_maps.py" $PINS/v1/maps/$map "$TCPGUARD"
done
"$TCPGUARD" detach --all --purge > "$WORK/answer" 2>&1 || rm -r $PINS
check "root removes it all" test ! -e $PINS
ip link set eth0 xdp off
attach eth0 --max-flows 64 --no-daemon
"$TCPGUARD" block add 203.0.113.0/24 > /dev/null
"$PYTHON" "$HERE/hostile_image.py" $PINS/v1 text=0xffffffff
check "flush gives an image up" answers 0 . "$TCPGUARD" block flush
check "after which it works again" answers 0 added "$TCPGUARD" block add 192.0.2.1

# Root's upgrade ends the daemon, which is who holds its lock, not who the settings say it is.
"$TCPGUARD" detach --all --purge > /dev/null
attach eth0 --max-flows 64
mkdir /run/other
cp "$(command -v sleep)" /run/other/tcpguard
background /run/other/tcpguard 600
other=$PID
"$PYTHON" "$HERE/hostile_pins.py" daemon $PINS/v1 "$other"
check "the settings name another process" equal "$("$TCPGUARD" -j status | query "d['daemon']['pid']")" "$other"
check "upgrade ends the daemon" answers 0 . "$TCPGUARD" upgrade
check "and not that process" kill -0 "$other"
kill "$other"

# Nor is the next one started with any words but root's.
words=$PINS/v1/daemon/words
rm -f $words
ln -s -- $'--socket\n/run/strange/events.sock' $words
chown -h $NOBODY $words
check "words of the service's user are not among them" answers 0 "another user's" "$TCPGUARD" upgrade
check "so that root makes no socket where he says" test ! -e /run/strange
rm -f $words
ln -s -- $'--socket\n/run/strange/events.sock' $words
check "root's are" answers 0 . "$TCPGUARD" upgrade
check "and are obeyed" test -S /run/strange/events.sock
"$TCPGUARD" detach --all --purge > /dev/null
