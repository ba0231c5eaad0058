#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Eight streams each way while packets are spread over the processors: no number and no byte is lost.
. "$(dirname "$0")/lib.sh"

settle
add_namespace client
ip link add eth0 numrxqueues 2 numtxqueues 2 address 02:00:00:00:00:01 type veth \
	peer name eth0 numrxqueues 2 numtxqueues 2 address 02:00:00:00:00:02 netns client
address - eth0 0 1
address client eth0 0 2
all=$(printf %x $(((1 << $(getconf _NPROCESSORS_ONLN)) - 1)))
for queue in /sys/class/net/eth0/queues/rx-*; do
	echo "$all" > "$queue/rps_cpus"
done
attach eth0 --no-daemon --max-flows 4096

python_part <<'PYTHON'
import os
import socket
import threading
from kernel import info, numbers, tracked
from world import Cases, dropped, inside, reasons, wait_for

STREAMS, AMOUNT = 8, 4_000_000
cases = Cases()
listener = socket.create_server(("10.0.0.1", 8000), backlog=STREAMS)
pairs = []
for number in range(STREAMS):
    with inside("client"):
        client = socket.create_connection(("10.0.0.1", 8000), 60, ("10.0.0.2", 20000 + number))
    pairs.append((client, listener.accept()[0]))


def drain(sock):
    got = 0
    while got < AMOUNT:
        got += len(sock.recv(1 << 20))


threads = []
for pair in pairs:
    for sender, receiver in (pair, pair[::-1]):
        threads.append(threading.Thread(target=sender.sendall, args=(bytes(AMOUNT),)))
        threads.append(threading.Thread(target=drain, args=(receiver,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
for sock in sum(pairs, ()):
    wait_for(lambda: info(sock)["unacked"] == info(sock)["notsent"] == 0)

wrong, bytes_out, bytes_in = [], [], []
for number, (client, server) in enumerate(pairs):
    ours, theirs = (tracked(20000 + number, address) for address in ("10.0.0.1", "10.0.0.2"))
    known, want = (ours["end"], theirs["ack"], theirs["end"], ours["ack"]), numbers(server) * 2
    want = (want[0], want[0], want[1], want[1])
    if known != want:
        wrong.append((number, known, want))
    sent, theirs_sent = info(server)["sent"], info(client)["sent"]
    if ours["bytes"] != sent:
        bytes_out.append((number, ours["bytes"], sent))
    if not AMOUNT <= theirs["bytes"] <= theirs_sent:
        bytes_in.append((number, theirs["bytes"], AMOUNT, theirs_sent))
cases.equal("multi_cpu: end and ack of all streams are the sockets'", wrong, [])
cases.equal("multi_cpu: each byte that ours sent is counted once", bytes_out, [])
cases.equal("multi_cpu: so is each byte that arrived", bytes_in, [])
cases.equal("multi_cpu: nothing was dropped", dropped(), {})
cases.finish()
PYTHON
