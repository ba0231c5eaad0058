#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the package's postinst does to attached programs, between two network namespaces.  For
# check_deb.sh, one case at a time; the rest of the system is played by commands that note that they
# were called.
#
#	CONTENT=DIRECTORY CONTROL=DIRECTORY package_upgrade.sh CASE
world_unavailable() {
	echo "$*"
	exit 77
}
die() {
	echo "$*"
	exit 1
}

HERE=$(cd "$(dirname "$0")/../net" && pwd)
export TCPGUARD=$CONTENT/usr/sbin/tcpguard
. "$(dirname "$0")/../net/world.sh"

export CALLED=$WORK/called AT_RESTART=$WORK/at_restart
mkdir -p "$WORK/bin" /run/systemd/system
cat > "$WORK/bin/note" << 'STUB'
#!/bin/sh
echo "${0##*/} $*" >> "$CALLED"
[ "${0##*/}" != deb-systemd-invoke ] || [ ! -d /sys/fs/bpf/tcpguard/v1/iface ] ||
	bpftool -j prog show pinned /sys/fs/bpf/tcpguard/v1/iface/0/prog_xdp > "$AT_RESTART"
STUB
cat > "$WORK/bin/ischroot" << 'STUB'
#!/bin/sh
exit "${IN_CHROOT:-1}"
STUB
chmod +x "$WORK/bin/"*
for command in systemctl systemd-sysusers systemd-tmpfiles deb-systemd-helper deb-systemd-invoke; do
	ln -s note "$WORK/bin/$command"
done
export PATH=$WORK/bin:$CONTENT/usr/sbin:$PATH

topology_pair

# postinst ARGUMENT...: what it says is in $WORK/said; whatever it meets, dpkg sees success.
postinst() {
	: > "$CALLED"
	rm -f "$AT_RESTART"
	sh "$CONTROL/postinst" "$@" > "$WORK/said" 2>&1 || die "exit code $?: $(cat "$WORK/said")"
}

says_nothing() {
	[ ! -s "$WORK/said" ] || die "$*: $(cat "$WORK/said")"
}

restarts() {
	grep -c "^deb-systemd-invoke try-restart tcpguard.service$" "$CALLED" || true
}

ids() { # of the programs of each hook
	local pin

	for pin in /sys/fs/bpf/tcpguard/v1/iface/*/prog_*; do
		echo "${pin##*/} $(bpftool -j prog show pinned "$pin" | ask "d['id']")"
	done
	echo "eth0 $(ip -json -details link show eth0 | ask "d[0].get('xdp', {}).get('prog', {}).get('id')")"
}

# The value of an expression over the document d on standard input.
ask() {
	"$PYTHON" -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

daemon_pid() {
	tcpguard -j status | ask "d['daemon'].get('pid')"
}

same() { # WHAT ONE OTHER
	[ "$2" = "$3" ] || die "$1: $2, then $3"
}

differ_in_each() { # IDS IDS
	[ -z "$(comm -12 <(sort <<< "$1") <(sort <<< "$2"))" ] || die "of the same id: $1, then $2"
}

lasting() { # the connection, the rule, the mode
	tcpguard -j flows list | ask "sorted((row['origin'], row['phase']) for row in d['flows']
		if row['dst'].endswith(':7') or row['src'].endswith(':7'))"
	tcpguard -j block list | ask "[row['prefix'] for row in d['rules']]"
	tcpguard -j status | ask "d['interfaces'][0]['mode']"
}

packets() { # NAME
	tcpguard -j stats | ask "d['interfaces'][0]['packets']['$1']"
}

# --- cases ------------------------------------------------------------------------------------------

exchanges() {
	local before kept passed daemon

	tcpguard attach eth0
	tcpguard block add 192.0.2.7
	. "$(dirname "$0")/../net/heartbeat.sh"
	before=$(ids) kept=$(lasting) passed=$(packets pass) daemon=$(daemon_pid)
	echo "$before, $kept, $passed packets"
	postinst configure 0.0.9
	cat "$WORK/said"
	differ_in_each "$before" "$(ids)"
	same "what lasts" "$kept" "$(lasting)"
	[ "$(packets pass)" -ge "$passed" ] || die "$passed packets, then $(packets pass)"
	same "dropped" 0 "$(packets drop)"
	heart_beats
	[ "$(daemon_pid)" != "$daemon" ] || die "the daemon is the former one"
	same "restarts by systemd" 1 "$(restarts)"
	same "what systemd found" "$(ids | sed -n 's/prog_xdp //p')" "$(ask "d['id']" < "$AT_RESTART")"
	tcpguard upgrade --rollback
	same "the programs after --rollback" "$before" "$(ids)"
}

starts_nothing() {
	local before

	tcpguard attach --no-daemon eth0
	before=$(ids)
	postinst configure 0.0.9
	differ_in_each "$before" "$(ids)"
	same "the daemon" None "$(daemon_pid)"
}

touches_nothing() {
	local before

	postinst configure 0.0.9
	says_nothing "nothing is attached"
	[ ! -e /sys/fs/bpf/tcpguard ] || die "$(find /sys/fs/bpf/tcpguard)"
	tcpguard attach --no-daemon eth0
	before=$(ids)
	postinst configure
	says_nothing "the first installation"
	postinst configure ""
	says_nothing "the first installation"
	postinst abort-upgrade 0.0.9
	says_nothing "abort-upgrade"
	IN_CHROOT=0 postinst configure 0.0.9
	says_nothing "in a chroot"
	DPKG_ROOT=$WORK postinst configure 0.0.9
	says_nothing "below another root"
	same "the programs" "$before" "$(ids)"
	tcpguard detach eth0
	before=$(find /sys/fs/bpf/tcpguard | sort)
	postinst configure 0.0.9
	says_nothing "detached, counters kept"
	same "the pins" "$before" "$(find /sys/fs/bpf/tcpguard | sort)"
	umount /sys/fs/bpf
	postinst configure 0.0.9
	says_nothing "no bpffs"
}

failure_is_told() {
	local before lock

	tcpguard attach eth0
	before=$(ids)
	exec {lock}< /sys/fs/bpf/tcpguard/v1
	flock "$lock"
	postinst configure 0.0.9
	cat "$WORK/said"
	grep -q "another tcpguard is attaching" "$WORK/said"
	grep -q "^tcpguard: the former programs go on; run 'tcpguard upgrade'$" "$WORK/said"
	same "the programs" "$before" "$(ids)"
	same "restarts of the daemon, which can read what is pinned" 1 "$(restarts)"
	exec {lock}<&-
	tcpguard upgrade
	differ_in_each "$before" "$(ids)"
}

waits_for_another() {
	local before

	tcpguard attach --no-daemon eth0
	before=$(ids)
	background flock /sys/fs/bpf/tcpguard/v1 sleep 2
	wait_for 10 eval '! flock --nonblock /sys/fs/bpf/tcpguard/v1 true'
	postinst configure 0.0.9
	differ_in_each "$before" "$(ids)"
}

# As a version would that does not know the layout of what is pinned (tests/net/test_layouts.sh).
former_daemon_stays() {
	local daemon

	tcpguard attach eth0
	daemon=$(daemon_pid)
	printf '#!/bin/sh\necho "the pinned maps have layout 9" >&2\nexit 70\n' > "$WORK/bin/tcpguard"
	chmod +x "$WORK/bin/tcpguard"
	postinst configure 9.0
	rm "$WORK/bin/tcpguard"
	cat "$WORK/said"
	grep -q "layout 9" "$WORK/said"
	grep -q "^tcpguard: the former programs go on; run 'tcpguard upgrade'$" "$WORK/said"
	grep -q "^tcpguard: so does the former daemon" "$WORK/said"
	same "restarts" 0 "$(restarts)"
	grep -q "^systemctl --system daemon-reload$" "$CALLED"
	same "the daemon" "$daemon" "$(daemon_pid)"
}

"$1"
