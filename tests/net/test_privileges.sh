#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What root's tcpguard still may once it parses what strangers made, and what a daemon that root started
# keeps: what the services have, and the right to pins that are theirs.
. "$(dirname "$0")/lib.sh"

NOBODY=65534
# Bits of CAP_BPF (39), CAP_PERFMON (38), CAP_NET_ADMIN (12), CAP_DAC_OVERRIDE (1).
BPF=0000008000000000 DAEMON=000000c000001002

[ "${TG_SANITIZED-}" != valgrind ] || skip_all "below valgrind it is valgrind's rights that are seen"
topology_pair
web "::"

# rights PID CAPABILITIES [UID]: these in every set but the inheritable, and no way to more.
rights() {
	local set

	for set in CapPrm CapEff CapBnd; do
		equal "$set $(awk "/^$set:/ { print \$2 }" "/proc/$1/status")" "$set $2" || return 1
	done
	equal "$(awk '/^Cap(Inh|Amb):/ { print $2 }' "/proc/$1/status" | sort -u)" 0000000000000000 &&
		equal "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$1/status")" 1 &&
		equal "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$1/status")" "${3-0} ${3-0} ${3-0} ${3-0}"
}

# --- captures ---------------------------------------------------------------------------------------

capture_from_the_middle "$WORK/root.pcap"
chmod 0600 "$WORK/root.pcap"
chmod 0700 "$WORK"
"$TCPGUARD" -j replay "$WORK/root.pcap" > "$WORK/want.json" || die "replay"
want=$(query "(d['packets'], d['flows'])" < "$WORK/want.json")

# It has opened what it needs and waits for the first bytes.
mkfifo "$WORK/fifo"
is_nobody() {
	[ "$(awk '/^Uid:/ { print $3 }' "/proc/$PID/status")" = $NOBODY ]
}
exec 8<> "$WORK/fifo"
# shellcheck disable=SC2016 # words of the other shell
background bash -c 'exec "$0" -j replay -w "$1/dropped.pcap" - < "$1/fifo" > "$1/got.json" 2> "$1/err" 8>&-' \
	"$TCPGUARD" "$WORK"
replay=$PID
check "replay: who parses is nobody" wait_for 60 is_nobody
check "replay: with CAP_BPF alone" rights "$replay" $BPF $NOBODY
cat "$WORK/root.pcap" >&8
exec 8>&-
code=0
wait "$replay" || code=$?
check "replay: that is enough" equal "$code $(cat "$WORK/err")" "0 "
check "replay: with the same result" equal "$(query "(d['packets'], d['flows'])" < "$WORK/got.json")" "$want"
check "replay: what it wrote is root's alone" equal "$(stat -c '%u %a' "$WORK/dropped.pcap")" "0 600"
check "replay: and holds packets" at_least "$(stat -c %s "$WORK/dropped.pcap")" 100
check "replay: several captures that only root can read" "$TCPGUARD" replay "$WORK/root.pcap" "$WORK/root.pcap"
check "explain: a capture that only root can read" "$TCPGUARD" explain --pcap "$WORK/root.pcap#5"

check "explain: what cannot be read twice is refused" equal "$("$TCPGUARD" explain --pcap <(cat "$WORK/root.pcap")#5 2>&1 |
	grep -c 'twice.*give a file')" 1

# More captures than descriptors are allowed at first.
many=()
for i in {1..40}; do
	ln "$WORK/root.pcap" "$WORK/$i.pcap"
	many+=("$WORK/$i.pcap")
done
check "replay: more captures than 'ulimit -n' has" prlimit --nofile=32:4096 "$TCPGUARD" replay "${many[@]}"

# --- the daemon -------------------------------------------------------------------------------------

exec 7> "$WORK/held"
flock 7
attach eth0 --max-flows 1000
exec 7>&-
check "the daemon that attach starts holds no file of attach's caller" flock -n "$WORK/held" true
daemon() {
	"$TCPGUARD" -j status | query "d['daemon']['pid']"
}
has_rights() {
	rights "$(daemon)" $DAEMON
}
check "the daemon that attach starts has few rights" wait_for 10 has_rights
before=$(daemon)
check "upgrade" "$TCPGUARD" upgrade
check "starts another" test "$(daemon)" != "$before"
check "with no more" wait_for 10 has_rights
check "events are told" "$TCPGUARD" events -n 1 --type daemon
printf '%s\n' 'version: 1' 'flows: {max: 1000}' 'metrics: {listen: "127.0.0.1:9851"}' > "$WORK/tcpguard.yaml"
chmod 0600 "$WORK/tcpguard.yaml"
check "a configuration that only root can read is put in force" "$TCPGUARD" config reload "$WORK/tcpguard.yaml"
check "a download" fetch http://10.0.0.1/bytes/200000
kill "$(daemon)"
wait_for 10 no_daemon || die "the daemon does not end"
background "$TCPGUARD" daemon --config "$WORK/tcpguard.yaml"
started=$PID
by_hand() {
	rights "$started" $DAEMON
}
check "a daemon started by hand, likewise" wait_for 10 by_hand
metrics() {
	curl -s --max-time 2 http://127.0.0.1:9851/metrics | grep -q '^tcpguard_'
}
check "it serves metrics" wait_for 10 metrics
printf '%s\n' 'version: 1' 'flows: {max: 1000}' 'metrics: {listen: "127.0.0.1:9852"}' > "$WORK/tcpguard.yaml"
kill -HUP "$started"
elsewhere() {
	curl -s --max-time 2 http://127.0.0.1:9852/metrics | grep -q '^tcpguard_'
}
check "and elsewhere after a reload" wait_for 10 elsewhere
chown -R -h 64999:64999 /sys/fs/bpf/tcpguard # as the units do
ip link del eth0
tidied() {
	[[ "$("$TCPGUARD" status 2>&1)" != *eth0* ]]
}
check "it tidies up among pins of another user, after an interface that vanished" wait_for 20 tidied
"$TCPGUARD" detach --all --purge > /dev/null 2>&1 || true
