#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 200 KB that follow a FIN arrive; the states while they do.
. "$(dirname "$0")/lib.sh"

topology_pair
attach eth0 --no-daemon

python_part <<'PYTHON'
import socket
from world import Cases, dropped, flow, inside, settled, states

AMOUNT = 200 * 1024
cases = Cases()


def converse(port, closer_is_client):
    """One side shuts down its direction first, the other then sends AMOUNT bytes."""
    listener = socket.create_server(("10.0.0.1", port))
    with inside("client"):
        client = socket.create_connection(("10.0.0.1", port), 5, ("10.0.0.2", port + 10000))
    server, _ = listener.accept()
    closer, talker = (client, server) if closer_is_client else (server, client)

    closer.send(b"all I have")
    closer.shutdown(socket.SHUT_WR)
    request = b""
    while part := talker.recv(100):
        request += part
    cases.equal("the request arrived", request, b"all I have")
    want = "FIN_WAIT_2/CLOSE_WAIT" if closer_is_client else "CLOSE_WAIT/FIN_WAIT_2"
    cases.equal(f"half closed: {want}", settled(port, want), want)
    cases.equal("phase", flow(port)["phase"], "half_closed")

    received = 0
    for _ in range(AMOUNT // 4096):
        talker.sendall(b"x" * 4096)
        part = 0
        while part < 4096:
            part += len(closer.recv(65536))
        received += part
    cases.equal("bytes that followed the FIN", received, AMOUNT)
    cases.equal("still half closed", states(port), want)
    talker.close()
    cases.equal("the end is seen", closer.recv(100), b"")
    closer.close()
    want = "TIME_WAIT/CLOSED" if closer_is_client else "CLOSED/TIME_WAIT"
    cases.equal(f"closed: {want}", settled(port, want), want)


converse(8001, True)
converse(8002, False)
cases.equal("nothing was dropped", dropped(), {})
cases.finish()
PYTHON
