#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each thing that can be wrong is made wrong: doctor finds it, names a command, and that command mends it.
. "$(dirname "$0")/lib.sh"

topology_pair

tg() {
	"$TCPGUARD" "$@"
}

# The answer in JSON, whatever the exit code.
doctor() {
	tg -j doctor "$@" || [ $? = 1 ]
}

# finding IFACE|"" CHECK [ARGUMENT...]: "severity command".
finding() {
	local iface=$1 check=$2

	shift 2
	doctor ${iface:+"$iface"} "$@" | query "finding('$iface', '$check')"
}

text_of() { # IFACE CHECK
	doctor "$1" | query "' '.join(f['text'] for f in d['findings'] if f['check'] == '$2')"
}

exit_code() {
	local status=0

	"$@" > "$WORK/out" 2> "$WORK/err" || status=$?
	echo $status
}

# mends IFACE CHECK SEVERITY: runs the command of the finding; then it is gone.
mends() {
	local found

	found=$(finding "$1" "$2")
	[ "${found%% *}" = "$3" ] || {
		echo "found '$found', not of severity $3"
		return 1
	}
	echo "runs: ${found#* }"
	bash -ec "${found#* }" || return 1
	equal "$(finding "$1" "$2")" ok
}

# --- a healthy machine ------------------------------------------------------------------------------

# A worker of the kernel's sets it, a moment after the address was given.
is_up() {
	ip link show eth0 | grep -q 'state UP'
}
wait_for 5 is_up || die "eth0 does not come up"
links=$(ip -d link show)
check "nothing blocks: exit code 0" equal "$(exit_code tg doctor eth0)" 0
check "one line of counts ends the text" grep -qE '^0 block, [0-9]+ warnings?, .* ok$' "$WORK/out"
check "every line of the text is a title, a finding or a command" equal \
	"$(grep -cvE '^([a-z0-9]+$|  (ok|note|unchecked|warning|blocks) +[a-z_]+ +[^ ]|  +=> |[0-9]+ block)' "$WORK/out")" 0
check "no colours where there is no terminal" equal "$(grep -c $'\e' "$WORK/out")" 0
check "colours when asked for" grep -q $'\e\[32m' <(tg --color always doctor eth0)
check "JSON has a schema" equal "$(doctor eth0 | query "d['schema']")" tcpguard.doctor/1
check "JSON: every finding is complete" equal "$(doctor eth0 | query "all(
	set(f) == {'check', 'interface', 'severity', 'text', 'command'} and f['text'] for f in d['findings'])")" True
check "JSON: counts are those of the findings" equal "$(doctor eth0 | query "all(
	n == sum(f['severity'] == s for f in d['findings']) for s, n in d['counts'].items())")" True
check "ndjson: one finding a line" equal "$(tg -o ndjson doctor eth0 | wc -l)" \
	"$(doctor eth0 | query "len(d['findings'])")"
check "without an interface: the machine alone" equal "$(doctor | query "{f['interface'] for f in d['findings']}")" \
	"{None}"
check "an interface that is not there: exit code 5" equal "$(exit_code tg doctor nope0)" 5
check "said by name" grep -q "no interface named 'nope0'" "$WORK/err"
check "it has changed nothing" equal "$(ip -d link show)" "$links"
check "it has left nothing in the bpffs" bpffs_is_empty

# --- other programs ---------------------------------------------------------------------------------

"$PYTHON" "$HERE/foreign_xdp.py" /sys/fs/bpf/theirs
for kind in xdpdrv xdpgeneric; do
	ip link set dev eth0 $kind pinned /sys/fs/bpf/theirs
	check "$kind: a foreign program blocks: exit code 1" equal "$(exit_code tg doctor eth0)" 1
	check "$kind: it is named with its pin" grep -qE "'somebody', id [0-9]+, pinned at /sys/fs/bpf/theirs" "$WORK/out"
	check "$kind: attach agrees" equal "$(exit_code tg attach eth0 --no-daemon)" 7
	check "$kind: the command takes it off" mends eth0 iface.xdp blocks
done
rm /sys/fs/bpf/theirs

"$PYTHON" "$HERE/foreign_xdp.py" /sys/fs/bpf/theirs tc
tc qdisc add dev eth0 clsact
tc filter add dev eth0 egress bpf direct-action object-pinned /sys/fs/bpf/theirs
check "a foreign egress program is a note" equal "$(finding eth0 iface.egress)" note
check "it is named" grep -q "clsact.*'somebody', id [0-9]" <(text_of eth0 iface.egress)
tc qdisc del dev eth0 clsact
rm /sys/fs/bpf/theirs

# --- bpffs ------------------------------------------------------------------------------------------

mount -o remount,ro /sys/fs/bpf
check "a read-only bpffs" mends "" host.bpffs blocks
umount /sys/fs/bpf
check "no bpffs: exit code 1" equal "$(exit_code tg doctor)" 1
check "no bpffs: the command mounts it" mends "" host.bpffs blocks
check "for the superuser alone" equal "$(stat -c %A /sys/fs/bpf)" drwx-----T

# --- rights -----------------------------------------------------------------------------------------

install -m 755 "$TCPGUARD" "$WORK/tcpguard"
chmod 755 "$WORK"
as_nobody() { # SETPRIV-OPTIONS... -- COMMAND...
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
check "without rights: exit code 1" equal \
	"$(exit_code as_nobody --inh-caps=-all --bounding-set=-all "$WORK/tcpguard" -j doctor eth0)" 1
check "what is missing is named" equal "$(query "finding('', 'host.privileges')" < "$WORK/out")" \
	"blocks sudo tcpguard doctor"
check "each capability" equal "$(query "[w for w in ('CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON')
	if w not in next(f['text'] for f in d['findings'] if f['check'] == 'host.privileges')]" < "$WORK/out")" "[]"
check "what could not be checked is said" equal "$(query "[finding('', 'kernel.' + c) for c in
	('xdp', 'tcx', 'jit')] + [finding('eth0', 'iface.egress'), finding('', 'host.nat')]" < "$WORK/out")" \
	"['unchecked', 'unchecked', 'unchecked', 'unchecked', 'unchecked']"
check "what needs no right is checked all the same" equal \
	"$(query "[finding('eth0', 'iface.' + c) for c in ('link', 'driver', 'mtu', 'lro')]" < "$WORK/out")" \
	"['ok', 'ok', 'ok', 'ok']"
caps=+bpf,+net_admin,+perfmon
chmod 1777 /sys/fs/bpf
as_nobody --inh-caps=-all,$caps --ambient-caps=-all,$caps --bounding-set=-all,$caps \
	"$WORK/tcpguard" -j doctor eth0 > "$WORK/out" || true
check "three capabilities are enough for every check" equal "$(query "sorted(
	f['check'] for f in d['findings'] if f['severity'] in ('blocks', 'unchecked') and f['check'] != 'iface.queues')" \
	< "$WORK/out")" "[]"
chmod 700 /sys/fs/bpf
as_nobody --inh-caps=-all,$caps --ambient-caps=-all,$caps --bounding-set=-all,$caps \
	"$WORK/tcpguard" -j doctor > "$WORK/out" || true
check "but not for a bpffs of the superuser's" equal "$(query "finding('', 'host.bpffs')" < "$WORK/out")" \
	"blocks sudo tcpguard doctor"
chmod 1777 /sys/fs/bpf

# --- the interface ----------------------------------------------------------------------------------

check "queues of a peer elsewhere cannot be counted" equal "$(finding eth0 iface.queues)" unchecked
ip link add v0 numrxqueues 4 numtxqueues 4 type veth peer name v1 numrxqueues 4 numtxqueues 4
ip link set v0 up
ip link set v1 up
ethtool -L v0 rx 1
ethtool -L v1 tx 4
check "fewer receive queues than the peer sends on: native XDP is refused" equal \
	"$(exit_code tg attach v0 --xdp native --no-daemon)" 5
check "doctor knows, and its command mends it" mends v0 iface.queues warning
check "native XDP attaches now" equal "$(exit_code tg attach v0 --xdp native --no-daemon)" 0
check "our own program is no hindrance" equal "$(finding v0 iface.xdp)" ok
check "and known as ours" grep -q "tcpguard's own: 'tg_xdp_ingress'" <(text_of v0 iface.xdp)
check "the table's memory is taken" grep -q 'exists already' <(text_of v0 host.memory)
check "exit code 0 beside it" equal "$(exit_code tg doctor v0)" 0
tg detach v0 --purge > /dev/null

ip link set dev v0 mtu 9000
ip link set dev v1 mtu 9000
check "a large MTU where frames may have several pages" equal "$(finding v0 iface.mtu)" ok
check "that is true" equal "$(exit_code tg attach v0 --xdp native --no-daemon)" 0
tg detach v0 --purge > /dev/null

ip link set v0 down
check "an interface that is down" mends v0 iface.link note

sysctl -qw net.ipv4.conf.v0.forwarding=1
check "forwarding is a note about the profile" equal "$(finding v0 iface.profile)" note
sysctl -qw net.ipv4.conf.v0.forwarding=0
check "no forwarding is none" equal "$(finding v0 iface.profile)" ok

sw() { # KIND...: the kernel has it
	ip link add "$@" 2> "$WORK/err"
}
if sw link v1 name v1.5 type vlan id 5; then
	check "a VLAN: attach to its parent" equal "$(finding v1.5 iface.place)" "note tcpguard attach v1"
else
	skip_case "a VLAN" "$(cat "$WORK/err")"
fi
if sw br0 type bridge; then
	ip link set v0 master br0
	check "a port of a bridge" equal "$(finding v0 iface.profile)" note
	check "a port of a bridge: which one" grep -q '^br0 above it hands frames on' <(text_of v0 iface.profile)
	ip link set v0 nomaster
	check "no native XDP is a note" equal "$(finding br0 iface.driver)" note
	check "GRO before generic XDP" mends br0 iface.gro note
else
	skip_case "a bridge" "$(cat "$WORK/err")"
fi
if sw bond7 type bond; then
	ip link set v0 down
	ip link set v0 master bond7
	check "a port of a bond: attach to the bond" equal "$(finding v0 iface.place)" "warning tcpguard attach bond7"
	check "a bond alone hands nothing on" equal "$(finding v0 iface.profile)" ok
	ip link set bond7 master br0
	check "a bond that is a port of a bridge does" equal "$(finding v0 iface.profile)" note
else
	skip_case "a bond" "$(cat "$WORK/err")"
fi

# --- memory -----------------------------------------------------------------------------------------

if [ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -lt $((23 * 1024 * 1024)) ]; then
	found=$(finding "" host.memory --max-flows 67108864)
	check "a table larger than memory blocks" equal "${found%% *}" blocks
	check "the number it offers fits" equal "$(finding "" host.memory --max-flows "${found##* }")" ok
else
	skip_case "a table larger than memory" "too much memory"
fi
