#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is pinned is root's alone, and nobody else gets anything out of the commands.
. "$(dirname "$0")/lib.sh"

topology_pair
attach eth0 --max-flows 4096

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
}

refused() { # COMMAND...: as nobody, with one of the exit codes of a refusal
	local status=0

	as_nobody "$TCPGUARD" "$@" || status=$?
	[ $status -ge 3 ]
}

check "perm: each pin is 0600" equal "$(find /sys/fs/bpf/tcpguard -type f ! -perm 0600)" ""
check "perm: each directory is 0700" equal "$(find /sys/fs/bpf/tcpguard -type d ! -perm 0700)" ""
check "perm: all of it is root's" equal "$(find /sys/fs/bpf/tcpguard ! -user root)" ""
check "perm: there are pins at all" at_least "$(find /sys/fs/bpf/tcpguard -type f | wc -l)" 10
check "perm: the lock is not for others" equal \
	"$(find /run -mindepth 1 -name '*tcpguard*' -perm /0022 2> /dev/null)" ""
cp "$TCPGUARD" /run/tcpguard-for-all && chmod 755 /run/tcpguard-for-all && TCPGUARD=/run/tcpguard-for-all
check "perm: nobody lists no pin" equal "$(as_nobody ls /sys/fs/bpf/tcpguard 2> /dev/null)" ""
for command in "stats" "flows list" "status" "monitor eth0" "bypass on" "detach eth0"; do
	# shellcheck disable=SC2086 # words
	check "perm: nobody is refused: $command" refused $command
done
check "perm: it still enforces" equal \
	"$("$TCPGUARD" -j status | query "(iface('eth0')['mode'], d['bypass'])")" "('enforce', False)"
