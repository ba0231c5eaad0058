#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flow table gets another size while transfers run and connections come and go: no reset, no drop, no
# flow begun anew.  Then the same interrupted: refused a step or killed at it.  RESIZE_SEED repeats a run,
# RESIZE_EVERY=1 interrupts at each call.
. "$(dirname "$0")/lib.sh"

SEED=${RESIZE_SEED:-$RANDOM}
EVERY=${RESIZE_EVERY:-60}
RARE=${RESIZE_EVERY:-150}
. "$HERE/interrupted.sh"
. "$HERE/another_table.sh"
echo "# RESIZE_SEED=$SEED"

topology_pair
attach eth0 --max-flows 8192
check "another size needs 'upgrade'" equal \
	"$("$TCPGUARD" attach eth0 --max-flows 9000 2>&1 | grep -c 'upgrade --max-flows')" 1

SEED=$SEED python_part <<'PYTHON'
import hashlib
import json
import os
import random
import selectors
import socket
import subprocess
import threading
import time
from world import TCPGUARD, Cases, inside, wait_for

TRANSFERS, RESIZES, BLOCK, PAUSE_S = 40, 6, 3000, 0.02
cases = Cases()
dice = random.Random(int(os.environ["SEED"]))
stop = threading.Event()
blocks, failed, short = [0] * TRANSFERS, [], [0, 0]


def tcpguard(*words):
    return subprocess.run([TCPGUARD, *words], capture_output=True, text=True)


def echo(listener):
    """What comes goes back, whoever connects, until it is over."""
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    while not stop.is_set() or len(ready.get_map()) > 1:
        for key, _ in ready.select(0.1):
            if key.fileobj is listener:
                ready.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            data = key.fileobj.recv(65536)
            if data:
                key.fileobj.sendall(data)
            else:
                ready.unregister(key.fileobj)
                key.fileobj.close()


def exchange(connection, block):
    connection.sendall(block)
    back = b""
    while len(back) < len(block):
        data = connection.recv(len(block) - len(back))
        if not data:
            raise OSError("closed by the peer")
        back += data
    if back != block:
        raise OSError("something else came back than was sent")


def transfer(number, connection):
    try:
        while not stop.is_set():
            exchange(connection, os.urandom(BLOCK))
            blocks[number] += 1
            time.sleep(PAUSE_S)
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1):
            raise OSError("more came back than was sent")
        connection.close()
    except OSError as error:
        failed.append((number, str(error)))


def come_and_go(which, namespace, address):
    """One short connection after the other: some handshake is always under way."""
    while not stop.is_set():
        try:
            with inside(namespace):
                connection = socket.create_connection((address, 8000), 10)
            with connection:
                exchange(connection, b"hello")
            short[which] += 1
        except OSError as error:
            failed.append((f"short, {namespace}", str(error)))
        time.sleep(0.005)


listeners = [socket.create_server(("10.0.0.1", 8000), backlog=TRANSFERS)]
with inside("client"):
    listeners.append(socket.create_server(("10.0.0.2", 8000), backlog=TRANSFERS))
threads = [threading.Thread(target=echo, args=(listener,)) for listener in listeners]
for thread in threads:
    thread.start()
with inside("client"):
    connections = [socket.create_connection(("10.0.0.1", 8000), 10) for _ in range(TRANSFERS)]
ours = {"10.0.0.2:%d" % connection.getsockname()[1] for connection in connections}
for number, connection in enumerate(connections):
    connection.settimeout(20)
    threads.append(threading.Thread(target=transfer, args=(number, connection)))
for which, (namespace, address) in enumerate((("client", "10.0.0.1"), (None, "10.0.0.2"))):
    threads.append(threading.Thread(target=come_and_go, args=(which, namespace, address)))
for thread in threads[2:]:
    thread.start()

wrong, unjudged = [], []
for number in range(RESIZES):
    seen, size = list(blocks), dice.randrange(5000, 300000)
    answer = tcpguard("-j", "upgrade", "--max-flows", str(size))
    if answer.returncode:
        wrong.append((number, answer.returncode, answer.stderr))
        continue
    table = json.loads(answer.stdout)["table"]
    unjudged.append(table["unjudged_packets"])
    if table["max_flows"] != size or table["flows"] < TRANSFERS or table["no_room"]:
        wrong.append((number, table))
    if not wait_for(lambda: all(now > then for now, then in zip(blocks, seen)), 20):
        wrong.append((number, "a transfer stands still", blocks))
stop.set()
for thread in threads:
    thread.join()
cases.equal("resize: what did not succeed", wrong, [])
cases.equal("resize: connections that were reset, or not whole", failed, [])
cases.check("resize: short connections came and went", min(short) > 100, str(short))
packets = json.loads(tcpguard("-j", "stats").stdout)["interfaces"][0]["packets"]
cases.equal("resize: nothing was dropped", packets["drop"], 0)
cases.equal("resize: what would have been in between was told", sum(unjudged), packets["would_drop"])
print(f"# {short} short connections, {unjudged} segments unjudged", flush=True)
flows = [row for row in json.loads(tcpguard("-j", "flows", "list").stdout)["flows"]
         if row["src"] in ours and row["dst"] == "10.0.0.1:8000"]
cases.equal("resize: every transfer was followed from its SYN to its end",
            sorted({(row["origin"], row["phase"]) for row in flows}), [("syn", "time_wait")])
cases.equal("resize: none was lost", len(flows), TRANSFERS)
least = min(sum(way["bytes"] for way in row["directions"]) for row in flows)
# What passed unjudged is not counted with its flow.
cases.check("resize: and its counters went on", least >= 1.9 * BLOCK * min(blocks), f"{least} {min(blocks)}")
cases.finish()
PYTHON

check "verdicts are carried out again" attack
check "there is one table, and nothing is kept of the others" one_table
check "no former programs to go back to: exit code 1" \
	equal "$("$TCPGUARD" upgrade --rollback > /dev/null 2>&1; echo $?)" 1
check "too small for the flows there are" equal "$("$TCPGUARD" upgrade --max-flows 3 2>&1 | grep -c 'there are')" 1
check "--rollback and --max-flows do not go together" \
	equal "$("$TCPGUARD" upgrade --max-flows 300 --rollback > /dev/null 2>&1; echo $?)" 2

# --- interrupted ------------------------------------------------------------------------------------

need_strace "a resize interrupted"
. "$HERE/heartbeat.sh"

sound() {
	heart_beats && hooks_use_the_table && one_table && attack
}

SIZE=10000
resize() { # traced|with_error|killed_before and its arguments
	SIZE=$((SIZE + 500))
	"$@" "$TCPGUARD" upgrade --no-daemon --max-flows $SIZE
}

refused() { # CALL NUMBER
	resize with_error "$1" "$2" || return 1
	[ "$code" = 0 ] || says_why || return 1
	tidy_or_told "$TCPGUARD" "$1" && sound
}

repaired() {
	[ ! -e $V1/exchange ] && [ ! -e $V1/exchange_new ] && [ ! -e $V1/exchange_done ] && [ ! -e $V1/maps_new ]
}

killed() { # CALL NUMBER
	resize killed_before "$1" "$2" && heart_beats || return 1
	if [ $((KILLED++ % 2)) = 0 ]; then
		"$TCPGUARD" daemon > "$WORK/daemon" 2>&1 < /dev/null &
		wait_for 20 repaired || {
			echo "the daemon repairs nothing"
			return 1
		}
		wait_for 20 has_begun $! || return 1
		kill $!
		wait $! || true
	else
		the_next_tidies_up "$TCPGUARD" || return 1
	fi
	sound
}
KILLED=0

end_daemon
resize traced "$WORK/whole" || die "upgrade: $(cat "$WORK/err")"
check "a resize that is only watched" sound

# The tables have changed places, the journal is not gone yet: it is the daemon's that had the former one open.
last_step() {
	steps "$WORK/whole" RENAME_EXCHANGE "$CHANGES" | awk '$1 ~ /^rename/ && !/RENAME_EXCHANGE/ && !done++ { print $1, $2 }'
}
follows() {
	local status=0

	"$TCPGUARD" daemon > "$WORK/daemon" 2>&1 < /dev/null &
	wait_for 20 has_begun $! || return 1
	# shellcheck disable=SC2046 # two words
	resize killed_before $(last_step) || return 1
	wait_for 5 one_table && has_begun $! && sound || status=1
	cat "$WORK/daemon"
	kill $!
	wait $! || true
	return $status
}
check "killed when the tables had changed places: the daemon repairs that, and goes on" follows
faults "refused one call" "$WORK/whole" maps_new "$RARE" 0 refused
faults "killed before a call" "$WORK/whole" maps_new "$EVERY" $((EVERY / 2)) killed
check "a resize afterwards" resize traced "$WORK/trace"
check "the heart has beaten all along" heart_beats
check "clean at the end" "$TCPGUARD" detach --all --purge
check "nothing is left in the bpffs" bpffs_is_empty
