#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each mistake gets one line on stderr and its own exit code, and leaves nothing half attached.
. "$(dirname "$0")/lib.sh"

topology_pair

USAGE=2 NOT_ATTACHED=3 PERMISSION=4 CANNOT=5 BUSY=7

untouched() {
	! ip -d link show | grep -q 'prog/xdp' || {
		echo "an XDP program is attached"
		return 1
	}
	[ -z "$(tc qdisc show dev eth0 clsact)" ] || {
		echo "a clsact qdisc is there"
		return 1
	}
	equal "$(find /sys/fs/bpf | sort)" "$1"
}

# run COMMAND...: its exit code in $code, its output in $WORK/out and $WORK/err, and shown if the case fails.
run() {
	code=0
	"$@" > "$WORK/out" 2> "$WORK/err" < /dev/null || code=$?
	cat "$WORK/out" "$WORK/err"
}

# one_line PATTERN: what the last run said on stderr.
one_line() {
	equal "$(wc -l < "$WORK/err")" 1 || return 1
	grep -q '^tcpguard: ' "$WORK/err" || {
		echo "does not begin with the program's name"
		return 1
	}
	grep -qiE -e "$1" "$WORK/err" || {
		echo "does not mention '$1'"
		return 1
	}
}

# refuses EXIT_CODE PATTERN COMMAND...: says why in one line that matches, and changes nothing.
refuses() {
	local want=$1 pattern=$2 pins

	shift 2
	pins=$(find /sys/fs/bpf | sort)
	run "$@"
	equal $code "$want" && one_line "$pattern" && equal "$(wc -c < "$WORK/out")" 0 &&
		untouched "$pins"
}

tg() {
	"$TCPGUARD" "$@"
}

check "unknown interface" refuses $CANNOT nope0 tg attach nope0 --no-daemon
check "a good and an unknown interface: neither is attached" \
	refuses $CANNOT nope0 tg attach eth0 nope0 --no-daemon
check "no interface" refuses $USAGE interface tg attach
check "unknown command" refuses $USAGE frobnicate tg frobnicate
check "no command" refuses $USAGE command tg
check "unknown option" refuses $USAGE frobnicate tg attach eth0 --frobnicate
check "wrong value of an option" refuses $USAGE sideways tg attach eth0 --mode sideways
check "wrong XDP mode" refuses $USAGE warp tg attach eth0 --xdp warp
check "wrong profile" refuses $USAGE spaceship tg attach eth0 --profile spaceship
check "a number out of range: 0" refuses $USAGE max-flows tg attach eth0 --max-flows 0
check "a number out of range: huge" refuses $USAGE max-flows tg attach eth0 --max-flows 99999999999
check "a negative number" refuses $USAGE max-flows tg attach eth0 --max-flows -5
check "a number with a tail" refuses $USAGE 10abc tg attach eth0 --max-flows 10abc
check "an interval of 0" refuses $USAGE interval tg stats -i 0
check "an argument too many" refuses $USAGE extra tg status eth0 extra words
check "bypass without on or off" refuses $USAGE 'on|off' tg bypass
check "bypass maybe" refuses $USAGE maybe tg bypass maybe
check "flows without a verb" refuses $USAGE 'list' tg flows
check "flows with an unknown verb" refuses $USAGE frobnicate tg flows frobnicate
check "flows with a wrong filter" refuses $USAGE 99999 tg flows list --sport 99999
check "flows with a wrong address" refuses $USAGE 10.0.0.300 tg flows list --src 10.0.0.300
check "flows with an unknown state" refuses $USAGE SLEEPING tg flows list --state SLEEPING

for command in "status eth0" stats "flows list" "enforce eth0" "monitor eth0" "bypass on" "detach eth0"; do
	# shellcheck disable=SC2086 # words
	check "$command before anything is attached" refuses $NOT_ATTACHED attach tg $command
done

ip link add br0 type bridge
check "an interface without native XDP" refuses $CANNOT 'br0.*native' tg attach br0 --xdp native --no-daemon
ip link del br0

check "no capabilities" refuses $PERMISSION CAP_ \
	setpriv --bounding-set=-all --inh-caps=-all -- "$TCPGUARD" attach eth0 --no-daemon

without_bpffs() {
	unshare --mount sh -c 'umount /sys/fs/bpf; exec "$@"' sh "$@"
}
check "no bpffs" refuses $CANNOT 'mount' without_bpffs "$TCPGUARD" attach eth0 --no-daemon

# Somebody else's XDP program: pinned, so that the message can say where.
"$PYTHON" "$HERE/foreign_xdp.py" /sys/fs/bpf/somebody
ip link set dev eth0 xdp pinned /sys/fs/bpf/somebody
foreign() {
	run tg attach eth0 --no-daemon
	equal $code $BUSY && one_line somebody && one_line '--share' &&
		equal "$(find /sys/fs/bpf | sort)" "$(sort <<< "$EMPTY_BPFFS"$'\n'/sys/fs/bpf/somebody)" &&
		ip -d link show eth0 | grep -q 'prog/xdp'
}
check "somebody else's XDP program: named, left alone, --share offered" foreign
ip link set dev eth0 xdp off
rm /sys/fs/bpf/somebody

# A pin that is not ours where ours should be.
mkdir -p /sys/fs/bpf/tcpguard/v1/maps
bpftool map create /sys/fs/bpf/tcpguard/v1/maps/tg_flows type array key 4 value 4 entries 1 name intruder
wrong_pin() {
	run tg attach eth0 --no-daemon
	[ $code != 0 ] && one_line tg_flows && ! ip -d link show eth0 | grep -q 'prog/xdp'
}
check "a pin of the wrong shape" wrong_pin
rm -r /sys/fs/bpf/tcpguard

# Two at once: the second is told to wait.
mkdir -p /sys/fs/bpf/tcpguard/v1
background flock --no-fork /sys/fs/bpf/tcpguard/v1 sleep 100
locked() {
	! flock -n /sys/fs/bpf/tcpguard/v1 true
}
wait_for 5 locked || die "no lock"
check "another tcpguard at work" refuses $BUSY 'another|busy|lock' tg attach eth0 --no-daemon
kill "$PID"
unlocked() {
	! locked
}
wait_for 5 unlocked
rm -r /sys/fs/bpf/tcpguard

attach eth0 --no-daemon
still_attached() { # VERB IFACE: refused, and what is attached stays so
	run tg "$@"
	equal $code $NOT_ATTACHED && one_line lo && ip -d link show eth0 | grep -q 'prog/xdp'
}
check "detach of an interface that is not attached" still_attached detach lo
check "enforce of an interface that is not attached" still_attached enforce lo
check "status of an interface that is not attached" still_attached status lo

# A pin that may not be read: root without the capabilities that make permissions meaningless.
chmod 000 /sys/fs/bpf/tcpguard/v1/maps/tg_settings
unreadable_pin() {
	run setpriv --bounding-set=-dac_override,-dac_read_search -- "$TCPGUARD" stats
	equal $code $PERMISSION && one_line tg_settings
}
check "an unreadable pin" unreadable_pin
chmod 600 /sys/fs/bpf/tcpguard/v1/maps/tg_settings

# A kernel that lacks something needed: its types are hidden from us.  Others are in tests/kernels.
"$TCPGUARD" detach --all --purge > /dev/null
mount -t tmpfs tmpfs /sys/kernel/btf
check "a kernel without BTF" refuses $CANNOT 'CONFIG_DEBUG_INFO_BTF.*Linux [0-9.]+ or later' \
	"$TCPGUARD" attach eth0 --no-daemon
umount /sys/kernel/btf
