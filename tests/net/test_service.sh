#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attach, daemon and detach as the units run them: user tcpguard, three capabilities, the unit's system
# calls, and of the bpffs one directory.  The service manager is told what it waits for.
. "$(dirname "$0")/lib.sh"

ATTACH_UNIT=$ROOT/build/systemd/tcpguard-attach.service
DAEMON_UNIT=$ROOT/build/systemd/tcpguard.service
AS_SERVICE=$ROOT/tests/packaging/as_service.py

"$PYTHON" -c 'import seccomp' 2> /dev/null || skip_all "no python3-seccomp (Debian package)"
command -v systemd-analyze > /dev/null || skip_all "no systemd-analyze (Debian package systemd)"

topology_pair
web 10.0.0.1

# A user of that name, in this world only; others may find their way to the program and the sources.
cp /etc/passwd /etc/group "$WORK/"
echo 'tcpguard:x:64999:64999::/nonexistent:/usr/sbin/nologin' >> "$WORK/passwd"
echo 'tcpguard:x:64999:' >> "$WORK/group"
mount --bind "$WORK/passwd" /etc/passwd
mount --bind "$WORK/group" /etc/group
mkdir /run/tested
cp "$TCPGUARD" /run/tested/tcpguard
cp "$ATTACH_UNIT" "$DAEMON_UNIT" "$AS_SERVICE" /run/tested/
chmod 0711 "$WORK"
# As systemd mounts it: nobody but root may even look inside.
chmod 0700 /sys/fs/bpf

# With the unit's rights the sanitizer cannot look for leaks: that takes ptrace.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0

prepare() {
	"$PYTHON" /run/tested/as_service.py "/run/tested/$1" prepare
}

# as_unit UNIT ARGUMENT...: in a mount namespace of its own.
as_unit() {
	local unit=$1

	shift
	unshare --mount --propagation private "$PYTHON" /run/tested/as_service.py "/run/tested/$unit" run \
		/run/tested/tcpguard "$@"
}

refuses() {
	local wanted=$1 status=0

	shift
	"$@" || status=$?
	equal $status "$wanted"
}

owner_of_everything() {
	find /sys/fs/bpf/tcpguard -printf '%U\n' | sort -u
}

told() {
	grep -q "$1" "$WORK/told"
}

told_often() {
	[ "$(grep -c "$1" "$WORK/told")" -ge "$2" ]
}

status_of() {
	awk '/^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):/ { print $1, $2 }' "/proc/$1/status"
}

daemon_runs() {
	equal "$("$TCPGUARD" -j status | query "d['daemon']['running']")" True
}

daemon_pid() {
	"$TCPGUARD" -j status | query "d['daemon']['pid']"
}

# --- somebody else's directory ----------------------------------------------------------------------

# Where the bpffs is open to all, as a plain mount makes it.
chmod 1777 /sys/fs/bpf
NOBODY=65534
nobody() {
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups -- "$@"
}
refused() { # PATH, of nobody: both units leave it alone
	local unit

	for unit in tcpguard tcpguard-attach; do
		! prepare "$unit.service" > "$WORK/prepared" 2>&1 || return 1
	done
	cat "$WORK/prepared"
	grep -q 'others could change' "$WORK/prepared" && equal "$(stat -c %u "$1")" $NOBODY
}
nobody mkdir -m 777 /sys/fs/bpf/tcpguard
check "the units do not take somebody's directory over" refused /sys/fs/bpf/tcpguard
rmdir /sys/fs/bpf/tcpguard
nobody mkdir /sys/fs/bpf/theirs
nobody ln -s theirs /sys/fs/bpf/tcpguard
check "nor what his link leads to" refused /sys/fs/bpf/theirs
rm /sys/fs/bpf/tcpguard
rmdir /sys/fs/bpf/theirs
# As systemd-tmpfiles would, at boot: the directory itself is the service's then.
nobody mkdir -p /sys/fs/bpf/tcpguard/v1
chown tcpguard /sys/fs/bpf/tcpguard
chmod 700 /sys/fs/bpf/tcpguard
check "nor what he made below before it was the service's" refused /sys/fs/bpf/tcpguard/v1
rm -r /sys/fs/bpf/tcpguard
chmod 0700 /sys/fs/bpf

# --- attach -----------------------------------------------------------------------------------------

check "the unit prepares its directory" prepare tcpguard-attach.service
check "which belongs to its user" equal "$(stat -c '%U %a' /sys/fs/bpf/tcpguard)" "tcpguard 700"
as_unit tcpguard-attach.service attach --no-daemon eth0 > "$WORK/attach.out" 2>&1 ||
	die "attach as the unit failed: $(cat "$WORK/attach.out")"
check "attach said what it did" grep -q 'mode ENFORCE' "$WORK/attach.out"
check "live sockets were seeded" grep -q 'seeded' "$WORK/attach.out"
check "everything pinned belongs to the user" equal "$(owner_of_everything)" 64999
check "connections work" fetch "http://10.0.0.1/page?[1-20]"
check "stats answer the user" as_unit tcpguard.service stats
check "an attach again is an update" as_unit tcpguard-attach.service attach --no-daemon eth0

# --- the daemon -------------------------------------------------------------------------------------

background "$PYTHON" "$ROOT/tests/packaging/notify_socket.py" "$WORK/notify" "$WORK/told"
wait_for 5 test -S "$WORK/notify" || die "nobody listens in the place of the service manager"
check "the daemon's unit prepares its directory" prepare tcpguard.service
NOTIFY_SOCKET=$WORK/notify WATCHDOG_USEC=200000 \
	background unshare --mount --propagation private "$PYTHON" /run/tested/as_service.py \
	/run/tested/tcpguard.service run /run/tested/tcpguard daemon 2> "$WORK/daemon.err"
daemon=$PID
check "it says that it is ready" wait_for 10 told '^READY=1$'
check "and for what" told '^STATUS=1 interface attached$'
check "it is the process that the unit started" equal "$(daemon_pid)" "$daemon"
check "with the unit's rights and no more" equal "$(status_of "$daemon" | tr '\n' ' ')" \
	"Uid: 64999 CapEff: 000000c000001000 CapBnd: 000000c000001000 NoNewPrivs: 1 Seccomp: 2 "
check "its metrics are served, and it is ready" \
	grep -q '^ready$' <(curl -s --max-time 20 http://127.0.0.1:9844/-/ready)
check "with what it costs itself" \
	grep -q '^process_resident_memory_bytes [1-9]' <(curl -s --max-time 20 http://127.0.0.1:9844/metrics)
check "the watchdog is answered, again and again" wait_for 10 told_often '^WATCHDOG=1$' 5

# What root attaches while it runs is not out of its reach.
ip link add eth5 type veth peer name eth6
ip link set eth5 up
attach eth5
check "what root pins belongs to the user, too" equal "$(owner_of_everything)" 64999
check "the daemon noticed" wait_for 5 told '^STATUS=2 interfaces attached$'
ip link del eth5
check "it tidies up after an interface root attached" wait_for 10 told '^STATUS=1 interface attached$'

kill -9 "$daemon"
wait "$daemon" || true
check "its death detaches nothing" fetch "http://10.0.0.1/page?[1-20]"
check "the next one is started like it" prepare tcpguard.service
: > "$WORK/told"
NOTIFY_SOCKET=$WORK/notify \
	background unshare --mount --propagation private "$PYTHON" /run/tested/as_service.py \
	/run/tested/tcpguard.service run /run/tested/tcpguard daemon 2>> "$WORK/daemon.err"
daemon=$PID
check "and is ready, too" wait_for 10 told '^READY=1$'
kill -TERM "$daemon"
status=0
wait "$daemon" || status=$?
check "stopping it is no failure" equal $status 0
check "it said that it was stopping" wait_for 5 told '^STOPPING=1$'
check "no watchdog, no answers" equal "$(grep -c WATCHDOG "$WORK/told")" 0

# --- detach -----------------------------------------------------------------------------------------

check "detach as the unit" as_unit tcpguard-attach.service detach --all
check "with nothing attached the daemon ends with 3, which its unit takes for success" \
	refuses 3 as_unit tcpguard.service daemon
# verb NAME: the arguments of the unit's ExecNAME, with the configuration of this world.
verb() {
	sed -n "s|^Exec$1=[^ ]*/tcpguard ||p" "$ATTACH_UNIT" | sed 's|/etc/tcpguard/|/run/tested/|'
}

if "$TCPGUARD" attach --help | grep -q -e --config; then
	printf 'version: 1\nmode: monitor\ninterfaces:\n  - {name: eth0}\n' > /run/tested/tcpguard.yaml
	# shellcheck disable=SC2046 # words
	check "start attaches what the configuration names" as_unit tcpguard-attach.service $(verb Start)
	check "in its mode" equal "$("$TCPGUARD" -j status | query "iface('eth0')['mode']")" monitor
	# shellcheck disable=SC2046
	check "reload is an update" as_unit tcpguard-attach.service $(verb Reload)
	# shellcheck disable=SC2046
	check "stop detaches" as_unit tcpguard-attach.service $(verb Stop)
else
	skip_case "start attaches what the configuration names" "attach has no --config"
fi
check "purge as the user leaves the directory made for it" as_unit tcpguard.service detach --all --purge
check "empty" equal "$(find /sys/fs/bpf/tcpguard -mindepth 1)" ""

# --- attach leaves the daemon to systemd ------------------------------------------------------------

# systemctl, for this world; while the file "broken" is there it fails.
cat > "$WORK/systemctl" << END
#!/bin/bash
echo "\$*" >> "$WORK/systemctl.log"
[ ! -e "$WORK/broken" ] || exit 1
unshare --mount --propagation private "$PYTHON" /run/tested/as_service.py /run/tested/tcpguard.service \
	run /run/tested/tcpguard daemon < /dev/null > "$WORK/unit.out" 2>&1 &
for _ in {1..200}; do
	! "$TCPGUARD" -j status | grep -q '"daemon":{[^}]*"running":true' || exit 0
	sleep 0.05
done
exit 1
END
chmod +x "$WORK/systemctl"
mount --bind "$WORK/systemctl" /usr/bin/systemctl
mount -t tmpfs tmpfs /etc/systemd/system
cp "$DAEMON_UNIT" /etc/systemd/system/

daemon_user() {
	stat -c %u "/proc/$(daemon_pid)"
}

attach eth0
check "without systemd attach starts a daemon of its own" equal "$(daemon_user)" 0
check "detach --all --purge ends it" "$TCPGUARD" detach --all --purge
mkdir -p /run/systemd/system
prepare tcpguard.service
attach eth0
check "with systemd the unit is started" equal "$(cat "$WORK/systemctl.log")" "start tcpguard.service"
sed 's/^/# /' "$WORK/unit.out"
check "and its user is the unit's" equal "$(daemon_user)" 64999
"$TCPGUARD" detach --all --purge > /dev/null
prepare tcpguard.service
touch "$WORK/broken"
attach eth0
check "if that fails, it is said" grep -q 'systemctl status tcpguard' "$WORK/attach.out"
check "and there is a daemon all the same" equal "$(daemon_user)" 0
check "detach --all --purge" "$TCPGUARD" detach --all --purge
rm /etc/systemd/system/tcpguard.service

# --- the journal ------------------------------------------------------------------------------------

# stderr_in FILE: fails to attach, with the file for stderr, and names it as systemd would.
stderr_in() {
	: > "$1"
	JOURNAL_STREAM=$(stat -c %d:%i "${2:-$1}") "$TCPGUARD" attach nope0 2> "$1" || true
}

complaint="no interface named 'nope0': No such device"
remedy="'ip link' lists them"
stderr_in "$WORK/journal.err"
check "without a journal to talk to, its prefix says how bad it is" \
	equal "$(cat "$WORK/journal.err")" "<3>$complaint; $remedy"
mkdir -p /run/systemd/journal
background "$PYTHON" "$ROOT/tests/packaging/notify_socket.py" /run/systemd/journal/socket "$WORK/journal"
wait_for 5 test -S /run/systemd/journal/socket || die "nobody listens in the place of the journal"
stderr_in "$WORK/journal.err"
wait_for 5 grep -q -e '^--$' "$WORK/journal" || die "nothing came to the journal"
check "the journal is told, not stderr" equal "$(cat "$WORK/journal.err")" ""
check "in fields" equal "$(tr '\n' '|' < "$WORK/journal")" \
	"PRIORITY=3|SYSLOG_IDENTIFIER=tcpguard|MESSAGE=$complaint; $remedy|ERRNO=19|TCPGUARD_REMEDY=$remedy||--|"
stderr_in "$WORK/journal.err" /dev/null
check "a shell that put stderr elsewhere gets words" \
	equal "$(cat "$WORK/journal.err")" "tcpguard: $complaint; $remedy"

# --- limits -----------------------------------------------------------------------------------------

prepare tcpguard-attach.service
sed 's/CAP_BPF //' /run/tested/tcpguard-attach.service > /run/tested/less.service
check "without CAP_BPF nothing is attached" refuses 4 as_unit less.service attach --no-daemon eth0
check "and the capability is named" equal "$(as_unit less.service attach --no-daemon eth0 2>&1 | grep -o CAP_BPF)" CAP_BPF
sed 's/^SystemCallFilter=bpf$//' /run/tested/tcpguard-attach.service > /run/tested/less.service
check "system calls that the unit does not name are refused" \
	refuses 4 as_unit less.service attach --no-daemon eth0
attach eth0 --no-daemon > /dev/null
NOTIFY_SOCKET=$WORK/nobody background "$TCPGUARD" daemon 2> "$WORK/nobody.err"
check "a service manager that is not there stops nothing" wait_for 10 daemon_runs
check "and is said" wait_for 5 grep -q 'cannot tell the service manager' "$WORK/nobody.err"
check "detach --all --purge" "$TCPGUARD" detach --all --purge
