#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Upgrades to a version whose flow table has another layout, and from that to the present layout again
# (tests/layouts): connections, counters, lists and settings go on.  Interrupted, too.  LAYOUTS_EVERY=1
# interrupts at each call, LAYOUTS_SEED repeats a run.
. "$(dirname "$0")/lib.sh"

SEED=${LAYOUTS_SEED:-$RANDOM}
EVERY=${LAYOUTS_EVERY:-70}
RARE=${LAYOUTS_EVERY:-160}
. "$HERE/interrupted.sh"
. "$HERE/another_table.sh"
FIRST=$TCPGUARD
LATER=$ROOT/build/layouts/later/tcpguard
AGAIN=$ROOT/build/layouts/again/tcpguard
echo "# LAYOUTS_SEED=$SEED"

layout() { # of a program
	"$1" -j version | query "d['layout']"
}
for program in "$LATER" "$AGAIN"; do
	[ -x "$program" ] || {
		echo "no $program: run 'make all tests' first"
		exit 1
	}
done
L1=$(layout "$FIRST") L2=$(layout "$LATER") L3=$(layout "$AGAIN")

topology_pair
web "::"
printf '%s\n' 'version: 1' 'flows: {max: 8192}' 'metrics: {listen: off}' 'interfaces: [{name: eth0}]' \
	'services: [{name: other, ports: [9], mode: monitor}]' > "$WORK/tcpguard.yaml"
attach --config "$WORK/tcpguard.yaml"
check "a rule" "$TCPGUARD" block add 192.0.2.7 --for 1h --reason "port scan"
. "$HERE/heartbeat.sh"

# What lasts: state and origin of the connection, the rules, the settings.
lasting() {
	flow 7 origin phase
	"$TCPGUARD" -j block list | query "[(row['prefix'], row['reason']) for row in d['rules']]"
	"$TCPGUARD" -j status | query "(iface('eth0')['mode'], iface('eth0')['profile'])"
	"$TCPGUARD" config diff "$WORK/tcpguard.yaml"
}

counted() { # packets of eth0 and bytes of the connection
	"$TCPGUARD" -j stats | query "packets('eth0', 'pass')"
	"$TCPGUARD" -j flows list | query "sum(way['bytes'] for row in d['flows']
		if row['dst'].endswith(':7') or row['src'].endswith(':7') for way in row['directions'])"
}

# becomes PROGRAM: that version takes over; from now on TCPGUARD is it.
becomes() {
	local before counts i now

	before=$(lasting)
	read -rd '' -a counts <<< "$(counted)" || true
	"$1" -j upgrade > "$WORK/upgrade.json" || return 1
	TCPGUARD=$1
	equal "$(lasting)" "$before" || return 1
	read -rd '' -a now <<< "$(counted)" || true
	for i in 0 1; do
		at_least "${now[i]}" "${counts[i]}" || return 1
	done
	UNJUDGED=$((UNJUDGED + $(query "d.get('table', {}).get('unjudged_packets', 0)" < "$WORK/upgrade.json")))
	heart_beats
}
UNJUDGED=0

table() {
	query "d['table']['$1']" < "$WORK/upgrade.json"
}

check "attack is dropped" attack
dropped=$(packets eth0 drop)
check "a download" fetch http://10.0.0.1/bytes/2000000
before=$(lasting)
echo "# $before"

# --- there -------------------------------------------------------------------------------------------

check "another layout: every command of the later version refuses" equal \
	"$("$LATER" stats 2>&1 | grep -c "have layout $L1, this tcpguard has $L2; 'tcpguard upgrade' carries the flows over")" 1
check "upgrade to another layout: everything goes on" becomes "$LATER"
check "the table has it" equal "$(table layout_before) $(table layout)" "$L1 $L2"
check "no flow is without room" equal "$(table no_room)" 0
check "one table is left" one_table
check "what was dropped is still counted" equal "$(packets eth0 drop)" "$dropped"
check "the daemon is the later one's" equal "$(readlink "/proc/$("$LATER" -j status | query "d['daemon']['pid']")/exe")" "$LATER"
check "attack is dropped by the later version" attack
check "a download through it" fetch http://10.0.0.1/bytes/2000000
check "the former version's commands refuse and say the remedy" equal \
	"$("$FIRST" stats 2>&1 | grep -c "have layout $L2, this tcpguard has $L1; .*detach --all --purge")" 1
check "so does its upgrade" equal "$("$FIRST" upgrade 2>&1 | grep -c "have layout $L2, this tcpguard has $L1; ")" 1
check "nothing of which touched anything" becomes "$LATER"

# --- and no way back but another upgrade -------------------------------------------------------------------

rollback_says_why() {
	equal "$("$TCPGUARD" upgrade --rollback 2>&1 > /dev/null; echo $?)" \
		"tcpguard: 'eth0' is left as it is: no former programs of it are kept; the version you want and its 'tcpguard upgrade' put its programs in place
1"
}
check "to the present layout again: everything goes on" becomes "$AGAIN"
check "the table has that" equal "$(table layout_before) $(table layout)" "$L2 $L3"
check "attack is dropped there" attack
check "a download there" fetch http://10.0.0.1/bytes/2000000
check "--rollback of it is refused, with the remedy" rollback_says_why
check "one table is left, and no former programs" one_table
check "nothing but the attacks was dropped" equal "$(packets eth0 drop)" $((dropped + 200))
check "what passed unjudged was told" equal "$(packets eth0 would_drop)" "$UNJUDGED"

# --- the version before that knows nothing of it -------------------------------------------------------

start_anew() {
	"$FIRST" detach --all --purge > "$WORK/out" 2>&1 || return 1
	"$FIRST" attach --config "$WORK/tcpguard.yaml" > "$WORK/out" 2>&1 || return 1
	TCPGUARD=$FIRST
	heart_beats && equal "$(flow 7 origin phase)" "seed established"
}
check "its remedy: detach and attach, and the connection goes on" start_anew
check "attack is dropped there, too" attack

way_back() {
	"$LATER" upgrade --no-daemon > "$WORK/out" 2>&1 || return 1
	cat "$WORK/out"
	grep -q "^flow table for 8192 instead of 8192 flows, layout $L2 instead of $L1: " "$WORK/out" &&
		grep -q "^Back:    no --rollback: the former version does not know this layout" "$WORK/out" &&
		grep -q "detach --all --purge" "$WORK/out"
}
check "the upgrade says at once what the way back is" way_back

# Nothing is attached: there are no programs that an upgrade could exchange.
attach_over() {
	local rules before

	start_anew || return 1
	"$FIRST" block add 192.0.2.7 --reason "port scan" > "$WORK/out" || return 1
	rules=$("$FIRST" -j block list)
	before=$(packets eth0 pass)
	"$FIRST" detach eth0 > "$WORK/out"
	TCPGUARD=$LATER
	"$LATER" upgrade --no-daemon > "$WORK/out" 2>&1 || true
	cat "$WORK/out"
	grep -q "no interface is attached; attach with 'tcpguard attach IFACE'" "$WORK/out" || return 1
	"$LATER" attach eth0 --no-daemon > "$WORK/out" 2>&1
	cat "$WORK/out"
	grep -q "the flow table had layout $L1: its flows were carried to one of layout $L2" "$WORK/out" &&
		equal "$("$LATER" -j block list)" "$rules" && at_least "$(packets eth0 pass)" "$before" &&
		heart_beats && hooks_use_the_table && one_table && attack
}
check "a table of the former version and nothing attached: attach goes on with it" attach_over

# --- by the package, there and back --------------------------------------------------------------------

mkdir "$WORK/bin"
printf '#!/bin/sh\nexit 1\n' > "$WORK/bin/ischroot"
chmod +x "$WORK/bin/ischroot"
configure() { # PROGRAM FORMER_VERSION
	ln -sf "$1" "$WORK/bin/tcpguard"
	PATH=$WORK/bin:$PATH sh "$ROOT/packaging/debian/tcpguard.postinst" configure "$2" > "$WORK/out" 2>&1 || return 1
	cat "$WORK/out"
}
daemon_of() { # PROGRAM, which can read what is pinned
	readlink "/proc/$("$1" -j status | query "d['daemon']['pid']")/exe"
}
package_upgrade() {
	"$FIRST" detach --all --purge > "$WORK/out" 2>&1 || "$LATER" detach --all --purge > "$WORK/out" 2>&1 || return 1
	"$FIRST" attach eth0 --max-flows 8192 > "$WORK/out" 2>&1 || return 1
	TCPGUARD=$FIRST
	heart_beats || return 1
	configure "$LATER" 0.0.9 || return 1
	TCPGUARD=$LATER
	equal "$(daemon_of "$LATER")" "$LATER" && heart_beats
}
package_downgrade() {
	configure "$FIRST" 9.9 || return 1
	grep -q "have layout $L2, this tcpguard has $L1; " "$WORK/out" &&
		grep -q "^tcpguard: the former programs go on" "$WORK/out" &&
		grep -q "^tcpguard: so does the former daemon" "$WORK/out" &&
		equal "$(daemon_of "$LATER")" "$LATER" && heart_beats
}
refused_daemon() {
	local status=0

	"$FIRST" daemon > "$WORK/out" 2>&1 || status=$?
	equal "$status $(grep -c "have layout $L2, this tcpguard has $L1; " "$WORK/out")" "70 1"
}
check "a package upgrade to another layout: the connection goes on, the daemon is the later one's" package_upgrade
check "a package downgrade from it fails aloud; programs and daemon go on" package_downgrade
check "the former version's daemon would end at once, with the remedy" refused_daemon

# --- interrupted ------------------------------------------------------------------------------------

need_strace "another layout, interrupted"

sound() { # VERSION
	TCPGUARD=$1
	heart_beats && hooks_use_the_table && one_table && nothing_dropped_for_good && fetch http://10.0.0.1/bytes/200000
}

# What passed while verdicts waited is counted as would_drop.
nothing_dropped_for_good() {
	equal "$(packets eth0 drop)" 0
}

begin_with_first() {
	"$FIRST" detach --all --purge > "$WORK/out" 2>&1 &&
		"$FIRST" attach eth0 --max-flows 8192 --no-daemon > "$WORK/out" 2>&1
}

upgrade() { # traced|with_error|killed_before and its arguments
	"$@" "$LATER" upgrade --no-daemon
}

knows_the_table() { # VERSION
	"$1" status > /dev/null 2>&1
}

refused() { # CALL NUMBER
	begin_with_first || return 1
	upgrade with_error "$1" "$2" || return 1
	if [ "$code" = 0 ]; then
		tidy_or_told "$LATER" "$1" && sound "$LATER"
	else
		says_why && sound "$FIRST"
	fi
}

# Either version repairs it, as long as the table is one it knows.
killed() { # CALL NUMBER
	local next=$LATER

	begin_with_first || return 1
	upgrade killed_before "$1" "$2" && heart_beats || return 1
	if [ $((KILLED++ % 2)) = 0 ] && knows_the_table "$FIRST"; then
		next=$FIRST
	fi
	the_next_tidies_up "$next" || return 1
	sound "$next"
}
KILLED=0

begin_with_first || die "attach: $(cat "$WORK/out")"
upgrade traced "$WORK/whole" || die "upgrade: $(cat "$WORK/err")"
check "another layout, only watched" sound "$LATER"

# The last step, which `make check` takes each time: the hooks have met the new table, and go back.
exchanged=$(number_of RENAME_EXCHANGE "$WORK/whole" maps_new)
check "refused the last step" refused renameat2 "$exchanged"
check "killed before the last step: the former version repairs it" killed renameat2 "$exchanged"
check "killed before the last step: the later version repairs it" killed renameat2 "$exchanged"
faults "refused one call" "$WORK/whole" maps_new "$RARE" 0 refused
faults "killed before a call" "$WORK/whole" maps_new "$EVERY" $((EVERY / 2)) killed
check "the heart has beaten all along" heart_beats
check "the first version cleans up" "$FIRST" detach --all --purge
check "nothing is left in the bpffs" bpffs_is_empty
