#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Upgrades and rollbacks under traffic, with the daemon killed at random moments; then upgrades that are
# refused something, or killed themselves: all hooks have the new programs or all the former ones, at the
# latest when the next tcpguard starts.  UPGRADE_SEED repeats a run, UPGRADE_EVERY=1 interrupts at each call.
. "$(dirname "$0")/lib.sh"

SEED=${UPGRADE_SEED:-$RANDOM}
V1=/sys/fs/bpf/tcpguard/v1
echo "# UPGRADE_SEED=$SEED"

topology_pair
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up

printf '%s\n' 'version: 1' 'flows: {max: 8192}' 'metrics: {listen: "127.0.0.1:9850"}' > "$WORK/tcpguard.yaml"
(cd "$WORK" && "$TCPGUARD" attach eth0 --config tcpguard.yaml > "$WORK/attach.out" 2>&1) || die "$(cat "$WORK/attach.out")"

# --- the daemon is the one it was -------------------------------------------------------------------

daemon_pid() {
	"$TCPGUARD" -j status | query "d['daemon']['pid']"
}
daemon_is_configured() {
	equal "$("$TCPGUARD" -j status | query "d['daemon']['metrics']")" 127.0.0.1:9850
}
check "the daemon has the configuration attach was given" daemon_is_configured
before=$(daemon_pid)
check "upgrade" "$TCPGUARD" upgrade
is_another() {
	local now

	now=$(daemon_pid)
	[ "$now" != "$before" ] && [ "$now" != None ]
}
check "starts another daemon" is_another
check "with the same configuration" daemon_is_configured
kill -KILL "$(daemon_pid)"
check "upgrade after the daemon was killed" "$TCPGUARD" upgrade
check "the next one has it, too" daemon_is_configured

# Whoever kills daemons may meet the one that is being started: not its fault, it is started again.
kill_next() { # PID of the present one
	local pid

	until [ -s "$WORK/met" ]; do
		for pid in $(pgrep -f '[t]cpguard daemon'); do
			[ "$pid" = "$1" ] || ! kill -KILL "$pid" 2> /dev/null || echo "$pid" > "$WORK/met"
		done
	done
}
background kill_next "$(daemon_pid)"
killer=$PID
check "upgrade while somebody kills the daemon being started" "$TCPGUARD" upgrade
wait "$killer" || true
check "somebody did" test -s "$WORK/met"

# --- a hundred transfers, twenty upgrades, a rollback after every fourth, twenty dead daemons -----------

SEED=$SEED python_part <<'PYTHON'
import hashlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import threading
import time
from world import TCPGUARD, Cases, dropped, inside, wait_for

TRANSFERS, UPGRADES, KILLS = 100, 20, 20
BLOCK, PAUSE_S = 2000, 0.02  # a hundred such flows: 80 Mbit/s at most, both ways
cases = Cases()
dice = random.Random(int(os.environ["SEED"]))
stop = threading.Event()
blocks, failed, counted = [0] * TRANSFERS, [], []
wrong, took = [], []  # of the exchanges: what went wrong, and how long each took


def tcpguard(*words):
    return subprocess.run([TCPGUARD, *words], capture_output=True, text=True)


def daemons():
    return [int(pid) for pid in
            subprocess.run(["pgrep", "-f", "[t]cpguard daemon"], capture_output=True, text=True).stdout.split()]


def echo(listener):
    """Our side: what comes goes back."""
    ready = selectors.DefaultSelector()
    for _ in range(TRANSFERS):
        connection, _ = listener.accept()
        ready.register(connection, selectors.EVENT_READ)
    while ready.get_map():
        for key, _ in ready.select(0.1):
            data = key.fileobj.recv(65536)
            if data:
                key.fileobj.sendall(data)
            else:
                ready.unregister(key.fileobj)
                key.fileobj.close()


def transfer(number, connection):
    """Blocks there and back, each compared, until it is over; then closed in order."""
    sent, got = hashlib.sha256(), hashlib.sha256()
    try:
        while not stop.is_set():
            block = os.urandom(BLOCK)
            connection.sendall(block)
            sent.update(block)
            back = b""
            while len(back) < BLOCK:
                data = connection.recv(BLOCK - len(back))
                if not data:
                    raise OSError("closed by the peer")
                back += data
            got.update(back)
            blocks[number] += 1
            time.sleep(PAUSE_S)
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1):
            raise OSError("more came back than was sent")
        if sent.digest() != got.digest():
            raise OSError("something else came back than was sent")
        connection.close()
    except OSError as error:
        failed.append((number, str(error)))


def count():
    """Passed packets of eth0, again and again."""
    while not stop.is_set():
        answer = tcpguard("-j", "stats")
        if answer.returncode:
            failed.append(("stats", answer.stderr))
            return
        counted.append(next(entry for entry in json.loads(answer.stdout)["interfaces"]
                            if entry["name"] == "eth0")["packets"]["pass"])
        time.sleep(0.05)


def killer(killed):
    """One dead daemon for each upgrade, at any moment of it; the next is started at once."""
    while killed[0] < KILLS and not stop.is_set():
        if not wait_for(lambda: len(took) >= killed[0], 60):
            return
        time.sleep(dice.uniform(0.05, 0.9))
        for pid in daemons()[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
                killed[0] += 1
            except ProcessLookupError:
                continue
            subprocess.Popen([TCPGUARD, "daemon"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)


listener = socket.create_server(("10.0.0.1", 8000), backlog=TRANSFERS)
threads = [threading.Thread(target=echo, args=(listener,)), threading.Thread(target=count)]
for thread in threads:
    thread.start()
with inside("client"):
    connections = [socket.create_connection(("10.0.0.1", 8000), 10) for _ in range(TRANSFERS)]
for number, connection in enumerate(connections):
    connection.settimeout(20)
    threads.append(threading.Thread(target=transfer, args=(number, connection)))
    threads[-1].start()
killed = [0]
executioner = threading.Thread(target=killer, args=(killed,))
executioner.start()


def exchange(*words):
    """One exchange of programs, after which every transfer goes on."""
    seen, began = list(blocks), time.monotonic()
    answer = tcpguard(*words)
    took.append(time.monotonic() - began)
    if answer.returncode:
        wrong.append((words, len(took), answer.returncode, answer.stderr))
    if not wait_for(lambda: all(now > then for now, then in zip(blocks, seen)), 20):
        wrong.append((words, len(took), "a transfer stands still", blocks))


for number in range(1, UPGRADES + 1):
    exchange("upgrade")
    if number % 4 == 0:
        exchange("upgrade", "--rollback")
executioner.join()
stop.set()
for thread in threads:
    thread.join()
print(f"# {len(took)} exchanges in {sum(took):.1f} s", flush=True)
cases.equal("upgrade: exchanges that did not succeed", wrong, [])
cases.equal("upgrade: daemons killed", killed[0], KILLS)
cases.equal("upgrade: transfers that were reset, or not whole", failed, [])
cases.equal("upgrade: nothing was dropped", dropped(), {})
cases.check("upgrade: counters never go back", counted == sorted(counted) and len(counted) > 20, str(counted))
cases.check("upgrade: and grow", counted[-1] > counted[0] + 2 * sum(blocks), f"{counted[0]} {counted[-1]}")
flows = json.loads(tcpguard("-j", "flows", "list").stdout)["flows"]
cases.equal("upgrade: every flow was followed from its SYN to its end",
            sorted({(row["origin"], row["phase"]) for row in flows}), [("syn", "time_wait")])
cases.equal("upgrade: none was lost", len(flows), TRANSFERS)
cases.finish()
PYTHON

# --- interrupted ------------------------------------------------------------------------------------

need_strace "an upgrade interrupted"
. "$HERE/interrupted.sh"
attach v0 --no-daemon
end_daemon
. "$HERE/heartbeat.sh"

# A link, or else the filter of clsact.
on_hook() { # SLOT HOOK
	local names=(eth0 v0) side=egress

	if [ -e "$V1/iface/$1/$2" ]; then
		bpftool -j link show pinned "$V1/iface/$1/$2" | grep -oP '"prog_id":\K\d+'
	else
		[ "$2" = tc ] || side=ingress
		tc filter show dev "${names[$1]}" "$side" | grep -oP ' id \K\d+'
	fi
}

# The program on each hook of both interfaces, and that each is the one that is pinned for it.
hooks() {
	local slot hook on pinned

	for slot in 0 1; do
		for hook in xdp tc tc_in; do
			[ -e $V1/iface/$slot/prog_$hook ] || continue
			on=$(on_hook $slot $hook)
			pinned=$(bpftool -j prog show pinned $V1/iface/$slot/prog_$hook | grep -oP '^{"id":\K\d+')
			[ "$on" = "$pinned" ] || echo -n "pinned:$pinned "
			echo -n "$on "
		done
	done
}

no_journal() {
	[ ! -e $V1/exchange ] && [ ! -e $V1/exchange_new ] && [ ! -e $V1/exchange_done ]
}

all_or_none() { # BEFORE AFTER
	local before after i

	read -ra before <<< "$1"
	read -ra after <<< "$2"
	if ! at_least ${#before[@]} 4 || ! equal ${#before[@]} ${#after[@]}; then
		echo "hooks: $1, then $2"
		return 1
	fi
	if [ "$1" != "$2" ]; then
		for i in "${!before[@]}"; do
			[ "${before[i]}" != "${after[i]}" ] || {
				echo "some of the hooks are new: $1, then $2"
				return 1
			}
		done
	fi
}

# There are always former programs to go back to.
former_are_there() {
	[ -e $V1/former/1_tc ] || "$TCPGUARD" upgrade --no-daemon > "$WORK/out" 2>&1
}

# Refused one call: the former programs everywhere, at once; or it could do without.
refused() { # CALL NUMBER ARGUMENT...
	local before after call=$1 number=$2

	shift 2
	former_are_there || return 1
	before=$(hooks)
	with_error "$call" "$number" "$TCPGUARD" upgrade --no-daemon "$@" && heart_beats || return 1
	after=$(hooks)
	all_or_none "$before" "$after" || return 1
	[ $code = 0 ] || { says_why && equal "$after" "$before"; }
}

# Killed: whatever the next tcpguard is, it finds all or none, or makes it so.
killed() { # CALL NUMBER ARGUMENT...
	local before call=$1 number=$2

	shift 2
	former_are_there || return 1
	before=$(hooks)
	killed_before "$call" "$number" "$TCPGUARD" upgrade --no-daemon "$@" && heart_beats || return 1
	if [ $((KILLED++ % 4)) = 0 ]; then # else the next upgrade repairs it
		"$TCPGUARD" daemon > "$WORK/daemon" 2>&1 < /dev/null &
		wait_for 10 no_journal || {
			echo "the daemon repairs nothing"
			return 1
		}
		wait_for 20 has_begun $! || return 1
		kill $!
		wait $! || true
	else
		"$TCPGUARD" upgrade --rollback --no-daemon > "$WORK/out" 2>&1 || [ $? = 1 ] || {
			cat "$WORK/out"
			return 1
		}
	fi
	all_or_none "$before" "$(hooks)" && no_journal && heart_beats
}
KILLED=0

traced "$WORK/upgrade" "$TCPGUARD" upgrade --no-daemon || die "upgrade: $(cat "$WORK/err")"
traced "$WORK/rollback" "$TCPGUARD" upgrade --rollback --no-daemon || die "rollback: $(cat "$WORK/err")"
FIRST=exchange_new
faults "rollback refused one call" "$WORK/rollback" $FIRST "${UPGRADE_EVERY:-60}" 1 refused --rollback
faults "rollback killed before a call" "$WORK/rollback" $FIRST "${UPGRADE_EVERY:-40}" 2 killed --rollback
faults "upgrade refused one call" "$WORK/upgrade" $FIRST "${UPGRADE_EVERY:-300}" 9 refused
faults "upgrade killed before a call" "$WORK/upgrade" $FIRST "${UPGRADE_EVERY:-150}" 13 killed
check "an upgrade afterwards" "$TCPGUARD" upgrade --no-daemon

# What attach changed goes back with the programs, and status never says anything else than they do.
programs_are_strict() {
	local id

	for id in $(bpftool -j prog show pinned $V1/iface/0/prog_tc | query "' '.join(map(str, d['map_ids']))"); do
		if bpftool -j map show id "$id" | grep -q '"name":"tcpguard.rodata"'; then
			bpftool -j map dump id "$id" | grep -oP '"strict":\K\d' | sort -u
			return
		fi
	done
}

strict() { # 1 or 0: the programs are, and status says so
	equal "$(programs_are_strict) $("$TCPGUARD" -j status | query "int(iface('eth0')['strict'])")" "$1 $1"
}

attach eth0 --no-daemon --strict
attach eth0 --no-daemon
"$TCPGUARD" upgrade --rollback > "$WORK/out" 2> "$WORK/err"
check "what attach changed goes back with the programs" strict 1
check "which is said" grep -q "^tcpguard: 'eth0' is as it was attached before: profile host, strict$" "$WORK/err"
traced "$WORK/attach" "$TCPGUARD" attach eth0 --no-daemon || die "attach: $(cat "$WORK/err")"
read -r call number _ < <(steps "$WORK/attach" $FIRST "$CHANGES" | grep '"exchange".*"exchange_done"')
check "attach is killed before the last step" killed_before "$call" "$number" "$TCPGUARD" attach eth0 --no-daemon --strict
"$TCPGUARD" daemon > "$WORK/daemon" 2>&1 < /dev/null &
check "the daemon takes it back" wait_for 10 no_journal
check "what it was attached with, too" strict 0
wait_for 20 has_begun $! || die "no daemon"
end_daemon
check "attach is killed after it" killed_before "$call" $((number + 1)) "$TCPGUARD" attach eth0 --no-daemon --strict
check "it has what was asked for" strict 1

# The same where programs are clsact filters, which are no links.
"$TCPGUARD" detach --all --purge > "$WORK/out"
for name in eth0 v0; do attach "$name" --no-daemon --tc clsact; done
traced "$WORK/clsact" "$TCPGUARD" upgrade --no-daemon || die "upgrade: $(cat "$WORK/err")"
faults "clsact: upgrade refused one call" "$WORK/clsact" $FIRST "${UPGRADE_EVERY:-300}" 17 refused
faults "clsact: upgrade killed before a call" "$WORK/clsact" $FIRST "${UPGRADE_EVERY:-150}" 21 killed
check "clsact: an upgrade afterwards" "$TCPGUARD" upgrade --no-daemon
check "the heart has beaten all along" heart_beats
check "clean at the end" "$TCPGUARD" detach --all --purge
check "nothing is left in the bpffs" bpffs_is_empty
