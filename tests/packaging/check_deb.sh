#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package: built twice, the same both times; lintian is content; what is in it runs.
# About a minute and a half; `make check-deb`.  shellcheck disable=SC2317 # functions are called by
# check
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
for tool in dpkg-buildpackage dh lintian; do
	command -v $tool > /dev/null || {
		echo "no $tool ('scripts/install-deps package' installs it)"
		exit 77
	}
done
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
NUMBER=0
FAILED=0

check() {
	local name=$1

	shift
	NUMBER=$((NUMBER + 1))
	if "$@" > "$WORK/check.out" 2>&1; then
		echo "ok $NUMBER - $name"
	else
		FAILED=1
		echo "not ok $NUMBER - $name"
		sed 's/^/# /' "$WORK/check.out"
	fi
}

has() {
	[ -e "$CONTENT/$1" ] || {
		echo "no $1 in the package"
		return 1
	}
}

runs_without_privileges() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all \
		"$CONTENT/usr/sbin/tcpguard" "$@"
}

# Root may be the owner; nobody else.
owners() {
	dpkg-deb --contents "$DEB" | awk '$2 != "root/root" { print; bad = 1 } END { exit bad }'
}

no_paths_of_the_builder() {
	! grep -rl -e "$WORK" -e "$ROOT" "$CONTENT"
}

# The exchange has no other words than those that start no daemon.
scripts_start_nothing() {
	local invoked

	invoked=$(grep -ho 'deb-systemd-invoke [a-z-]* .*' "$WORK/control/"p* | sed 's/ *>.*//')
	[ "$invoked" = "deb-systemd-invoke try-restart 'tcpguard.service'
deb-systemd-invoke stop tcpguard-attach.service tcpguard.service" ] || {
		echo "$invoked"
		return 1
	}
	grep -h '^[^#]*tcpguard upgrade ' "$WORK/control/"p* > "$WORK/upgrades"
	[ "$(wc -l < "$WORK/upgrades")" = 1 ] && grep -q 'tcpguard upgrade --no-start ' "$WORK/upgrades"
}

package_upgrade() {
	CONTENT=$CONTENT CONTROL=$WORK/control "$ROOT/tests/packaging/package_upgrade.sh" "$1"
}

# In a private world, without systemd: an interface, attached with the packaged program.
only_removal_detaches() { # a mount namespace of its own would be a chroot to ischroot, so that we say whether it is
	mkdir -p "$WORK/stub"
	cat > "$WORK/stub/ischroot" << 'STUB'
#!/bin/sh
[ -n "$CHROOT" ]
STUB
	chmod 0755 "$WORK/stub/ischroot"
	CONTENT=$CONTENT CONTROL=$WORK/control STUB=$WORK/stub \
		unshare --net --mount --propagation private bash -eu << 'END'
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs tmpfs /run
ip link add eth0 type veth peer name eth1
ip link set eth0 up
PATH=$STUB:$CONTENT/usr/sbin:$PATH
tcpguard attach --no-daemon eth0
sh "$CONTROL/prerm" upgrade 9.9
CHROOT=yes sh "$CONTROL/prerm" remove
tcpguard status | grep eth0
sh "$CONTROL/prerm" remove
[ ! -e /sys/fs/bpf/tcpguard ]
sh "$CONTROL/prerm" remove
END
}

mkdir "$WORK/one" "$WORK/two"
DEB=$("$ROOT/scripts/build-deb" "$WORK/one")
# Elsewhere, under another name of the directory, with another umask.
SECOND=$(umask 027 && "$ROOT/scripts/build-deb" "$WORK/two")
CONTENT=$WORK/content
dpkg-deb --extract "$DEB" "$CONTENT"
dpkg-deb --control "$DEB" "$WORK/control"
chmod -R a+rX "$WORK"

check "two builds give the same bytes" cmp "$DEB" "$SECOND"
check "lintian has nothing to say" lintian --allow-root --fail-on error,warning,info,pedantic \
	"$WORK"/one/*.changes
check "it runs, with no privilege at all" runs_without_privileges --help
check "completion runs" runs_without_privileges completion bash
check "the completion installed is the one it prints" \
	cmp <(runs_without_privileges completion fish) "$CONTENT/usr/share/fish/vendor_completions.d/tcpguard.fish"
for file in lib/systemd/system/tcpguard.service lib/systemd/system/tcpguard-attach.service \
	usr/lib/sysusers.d/tcpguard.conf usr/lib/tmpfiles.d/tcpguard.conf \
	usr/share/bash-completion/completions/tcpguard usr/share/zsh/vendor-completions/_tcpguard \
	usr/share/man/man8/tcpguard.8.gz usr/share/man/man7/tcpguard-reasons.7.gz usr/share/man/man7/tcpguard-metrics.7.gz \
	usr/share/tcpguard/dashboard/tcpguard.json usr/share/tcpguard/alerts/tcpguard.rules.yaml \
	usr/libexec/tcpguard/tcpguard-bouncer etc/fail2ban/action.d/tcpguard.conf \
	usr/lib/tcpguard/tcpguard.bpf.o; do
	check "it has $file" has "$file"
done
check "everything belongs to root" owners
check "nothing says where it was built" no_paths_of_the_builder
check "the units call the program where it is" \
	grep -q '^ExecStart=/usr/sbin/tcpguard daemon ' "$CONTENT/lib/systemd/system/tcpguard.service"
check "installing starts nothing; an upgrade exchanges the daemon only if it runs" scripts_start_nothing
check "files under /etc are conffiles" \
	cmp <(cd "$CONTENT" && find etc -type f -printf '/%p\n' | sort) "$WORK/control/conffiles"
if [ "$(id -u)" = 0 ]; then
	check "an upgrade detaches nothing, nor does removal in a chroot; removal does" only_removal_detaches
	check "an upgrade exchanges programs and daemon; flows, counters and lists stay" package_upgrade exchanges
	check "it starts no daemon" package_upgrade starts_nothing
	check "it waits for another tcpguard" package_upgrade waits_for_another
	check "where nothing is attached, at first and in a chroot, it touches and says nothing" \
		package_upgrade touches_nothing
	check "if that fails, dpkg goes on, and it says what to do" package_upgrade failure_is_told
	check "a daemon that could not start again is not restarted" package_upgrade former_daemon_stays
	check "its own test passes" env TCPGUARD="$CONTENT/usr/sbin/tcpguard" \
		"$ROOT/packaging/debian/tests/netns"
else
	echo "ok $((NUMBER + 1)) - its own test passes # SKIP needs root"
fi
exit $FAILED
