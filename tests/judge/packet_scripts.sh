#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Plays packet scripts of other projects (packetdrill's language) without tcpguard and with it attached
# and enforcing, and names the scripts whose outcome differs; exit code 1 if there are any.  A script
# that differs is played three times more each way: on a busy machine timers decide some of them.
#
#	tests/judge/packet_scripts.sh FILE.pkt...	(as root)
#
# For example those of the kernel: apt-get download linux-source-7.2 and unpack from its archive
# tools/testing/selftests/net/packetdrill and .../netfilter/packetdrill.
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
TCPGUARD=${TCPGUARD:-$ROOT/build/tcpguard}
PYTHON=${PYTHON:-/usr/bin/python3}

# with|without FILE...: in a namespace of its own
if [ "${1:-}" = --inside ]; then
	how=$2
	shift 2
	mount -t sysfs sysfs /sys
	mount -t bpf bpf /sys/fs/bpf
	mount -t tmpfs tmpfs /run
	ip link set lo up
	ip tuntap add tun0 mode tun
	if [ "$how" = with ]; then
		ip link set tun0 up
		"$TCPGUARD" attach tun0 --mode enforce --profile host > /dev/null
	fi
	"$PYTHON" "$ROOT/tests/judge/packet_script.py" tun0 "$@"
	if [ "$how" = with ]; then
		"$TCPGUARD" stats | sed -n '/^ drop/,$p' >&2
	fi
	exit
fi

[ $# -gt 0 ] || {
	sed -n '3,11s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

play() { # with|without FILE...
	unshare --net --mount "$0" --inside "$@"
}

outcomes() { # FILE: name, outcome
	sed -n 's/^\(ok\|not ok\|skip\) \([^ ]*\).*/\2 \1/p' "$1" | sort
}

path_of() { # NAME FILE...
	local name=$1 file
	shift
	for file; do
		[ "$(basename "$file" .pkt)" != "$name" ] || echo "$file"
	done
}

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for how in without with; do
	play $how "$@" > "$work/$how"
	outcomes "$work/$how" > "$work/$how.outcomes"
	printf '%-8s %s ok, %s not ok, %s skipped\n' $how "$(grep -c '^[^ ]* ok$' "$work/$how.outcomes" || true)" \
		"$(grep -c ' not ok$' "$work/$how.outcomes" || true)" "$(grep -c ' skip$' "$work/$how.outcomes" || true)"
done

differ=0
for name in $(comm -3 "$work/without.outcomes" "$work/with.outcomes" | awk '{ print $1 }' | sort -u); do
	file=$(path_of "$name" "$@" | head -n 1)
	for how in without with; do
		play $how "$file" "$file" "$file" 2> /dev/null | sort | uniq -c > "$work/$how.again"
	done
	# Passed at least once each way: nothing that tcpguard prevents.
	if grep -q '^ *[0-9]* ok ' "$work/without.again" && ! grep -q '^ *[0-9]* ok ' "$work/with.again"; then
		differ=1
		echo "differs: $name"
		sed 's/^ *//' "$work/with.again"
	else
		echo "differed by chance: $name"
	fi
done
exit $differ
