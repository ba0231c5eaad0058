#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A reader that does not read: the window closes, the sender probes it, and all arrives in the end.
. "$(dirname "$0")/lib.sh"

topology_pair
attach eth0 --no-daemon --max-flows 4096

python_part <<'PYTHON'
import socket
import threading
from world import Cases, dropped, inside, reasons, wait_for

AMOUNT = 200000
cases = Cases()


def probes():
    """Linux probes with the last byte's number, as it does to keep an idle connection alive."""
    return sum(count for (name, _), count in reasons().items() if name in ("window_probe", "keepalive"))


def converse(port, reader_is_client):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    listener.bind(("10.0.0.1", port))
    listener.listen()
    with inside("client"):
        client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    client.connect(("10.0.0.1", port))
    server, _ = listener.accept()
    reader, writer = (client, server) if reader_is_client else (server, client)
    who = "client" if reader_is_client else "server"
    before = probes()
    thread = threading.Thread(target=lambda: (writer.sendall(b"x" * AMOUNT), writer.close()), daemon=True)
    thread.start()
    cases.check(f"zero_window: the {who}'s window is probed", wait_for(lambda: probes() >= before + 2, 20))
    got = 0
    while part := reader.recv(4096):
        got += len(part)
    cases.equal(f"zero_window: the {who} gets all of it", got, AMOUNT)


converse(8001, True)
converse(8002, False)
cases.equal("zero_window: nothing was dropped", dropped(), {})
cases.finish()
PYTHON
