#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The installed services under systemd itself, as process 1 of a machine of their own (boot.sh): started,
# reloaded, killed, hung, upgraded and stopped, as an administrator does.
. "$(dirname "$0")/lib.sh"

[ -x /usr/lib/systemd/systemd ] || skip_all "no systemd (Debian package systemd)"

topology_pair
web 10.0.0.1

make -s -C "$ROOT" install "DESTDIR=$WORK/root" > "$WORK/install.out" 2>&1 ||
	die "make install failed: $(tail -n 3 "$WORK/install.out")"
cat > "$WORK/root/etc/tcpguard/tcpguard.yaml" << 'END'
version: 1
interfaces:
  - {name: eth0}
flows:
  max: 4096
END

# Patience is no part of what is tested.
install -d "$WORK/root/etc/systemd/system/tcpguard.service.d"
printf '[Service]\nWatchdogSec=3\n' > "$WORK/root/etc/systemd/system/tcpguard.service.d/watchdog.conf"

# A control group of its own, outside of the directory that is removed at the end.
mkdir "$WORK/layer" /run/cgroup
mount -t cgroup2 cgroup2 /run/cgroup || skip_all "no cgroup2 here"
MACHINE=/run/cgroup/tcpguard-test-$$.$RANDOM
mkdir "$MACHINE" || skip_all "no control group can be made here"
is_gone() {
	find "$MACHINE" -depth -mindepth 1 -type d -exec rmdir {} +
	rmdir "$MACHINE"
}
switch_off() {
	[ ! -d "$MACHINE" ] || {
		echo 1 > "$MACHINE/cgroup.kill"
		wait_for 10 is_gone
	}
}
trap 'switch_off; cleanup' EXIT

on_machine() {
	echo "$BASHPID" > "$MACHINE/cgroup.procs" || exit
	exec unshare --pid --mount --propagation private --cgroup --uts --ipc --fork --kill-child \
		"$ROOT/tests/net/boot.sh" "$WORK/root" "$WORK/layer"
}
on_machine > "$WORK/boot.out" 2>&1 &
WORLD_PIDS+=("$!")

# Process 1 is the child of unshare, the first in our group but for unshare itself.
process_1() {
	pgrep -x -f '/usr/lib/systemd/systemd --system --unit=tested.target.*' | head -n 1
}
inside() {
	nsenter --target "$INIT" --mount --pid --uts --ipc --cgroup -- \
		env "PATH=/usr/local/sbin:$PATH" "$@"
}

# --- the machine ------------------------------------------------------------------------------------

boots() {
	INIT=$(process_1)
	[ -n "$INIT" ] && inside systemctl is-active tested.target
}
wait_for 30 boots || die "systemd does not get up: $(cat "$WORK/boot.out"), $(inside journalctl -n 5)"
inside systemd-sysusers 2> /dev/null
inside systemd-tmpfiles --create /usr/lib/tmpfiles.d/tcpguard.conf

property() { # UNIT NAME
	inside systemctl show --value --property "$2" "$1"
}
daemon_pid() {
	property tcpguard MainPID
}
another_daemon() { # than PID; both in one answer
	local MainPID=0 ActiveState

	eval "$(inside systemctl show --property MainPID,ActiveState tcpguard)"
	[ "$ActiveState" = active ] && [ "$MainPID" != 0 ] && [ "$MainPID" != "$1" ]
}
mode() {
	inside tcpguard -j status | query "d['interfaces'][0]['mode']"
}
said() { # in the journal of the daemon
	inside journalctl -q --unit tcpguard --output cat --grep "$1"
}
reload() {
	sed "$1" "$WORK/root/etc/tcpguard/tcpguard.yaml" | inside tee /etc/tcpguard/tcpguard.yaml > /dev/null
	inside systemctl reload tcpguard
}

# --- start ------------------------------------------------------------------------------------------

check "tcpguard-attach starts" inside systemctl start tcpguard-attach
check "and has attached" equal "$(mode)" enforce
check "the daemon came with it" wait_for 10 another_daemon 0
check "as user tcpguard" equal "$(inside stat -c %U "/proc/$(daemon_pid)")" tcpguard
check "both are in order" equal "$(inside systemctl --failed --quiet --plain)" ""

background on client curl -sS --fail --max-time 60 -o /dev/null "http://10.0.0.1/slow/20/2000000"
running=$PID
check "a request" fetch http://10.0.0.1/page

# --- what becomes of the daemon ---------------------------------------------------------------------

before=$(daemon_pid)
[ "$before" != 0 ] || die "there is no daemon: $(inside journalctl -n 20)"
inside kill -KILL "$before"
check "a daemon that is killed comes back" wait_for 20 another_daemon "$before"
before=$(daemon_pid)
inside kill -STOP "$before"
check "so does one that hangs: the watchdog" wait_for 30 another_daemon "$before"
check "systemd says so" equal "$(property tcpguard NRestarts)" 2
before=$(daemon_pid)
check "restart" inside systemctl restart tcpguard
check "is another process" another_daemon "$before"
check "tcpguard-attach did not notice" equal "$(property tcpguard-attach ActiveState)" active

# --- reload -----------------------------------------------------------------------------------------

is_in_mode() {
	[ "$(mode)" = "$1" ]
}
before=$(daemon_pid)
check "reload with another mode" reload 's/^version.*/&\nmode: monitor/'
check "which takes effect" wait_for 10 is_in_mode monitor
reload 's/^flows/floes/' || true # systemd sends the signal; whether the file is good is said in the journal
check "a file with an error is named in the journal" wait_for 10 said 'tcpguard.yaml:[0-9]+:[0-9]+'
check "and changes nothing" equal "$(mode)" monitor
reload ''
check "back to enforcing" wait_for 10 is_in_mode enforce
check "all of this by the same process" equal "$(daemon_pid)" "$before"

# --- upgrade ----------------------------------------------------------------------------------------

check "upgrade" inside tcpguard upgrade
check "systemd starts the new daemon" wait_for 20 another_daemon "$before"
check "reload of tcpguard-attach: the programs are exchanged" inside systemctl reload tcpguard-attach
before=$(daemon_pid)
check "a package upgrade" inside sh "$ROOT/packaging/debian/tcpguard.postinst" configure 0.0.9
check "exchanges the daemon, as a service" wait_for 20 another_daemon "$before"
check "a download that began before all this is complete" wait "$running"
check "nothing was dropped" equal "$(inside tcpguard -j stats | query "drops('eth0')")" ""

# --- stop -------------------------------------------------------------------------------------------

is_inactive() {
	[ "$(property "$1" ActiveState)" = inactive ]
}
check "stop" inside systemctl stop tcpguard tcpguard-attach
check "detaches" equal "$(ip -json -details link show eth0 | query "'xdp' in d[0]")" False
inside systemctl start tcpguard || true # it may have ended before systemctl looks
check "a daemon with nothing to do ends" wait_for 20 is_inactive tcpguard
check "which is not a failure" equal "$(property tcpguard Result)" success
check "nothing failed in all this" equal "$(inside systemctl --failed --quiet --plain)" ""

# --- and off ----------------------------------------------------------------------------------------

check "the machine leaves nothing" switch_off
