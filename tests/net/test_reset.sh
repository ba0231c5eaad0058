#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Genuine resets pass and close the flow: sent by either side, refusing a SYN, answering data to a
# socket that is gone.
. "$(dirname "$0")/lib.sh"

topology_pair
attach eth0 --no-daemon

python_part <<'PYTHON'
import socket
import struct
from world import Cases, dropped, inside, settled, tcp_ext

cases = Cases()


def connect(port):
    listener = socket.create_server(("10.0.0.1", port))
    with inside("client"):
        client = socket.create_connection(("10.0.0.1", port), 5, ("10.0.0.2", port + 10000))
    server, _ = listener.accept()
    listener.close()
    client.settimeout(5)
    server.settimeout(5)
    return client, server


def is_reset(sock):
    try:
        return f"received {sock.recv(100)!r}"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "nothing happened"


def abort(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def closed(port):
    return settled(port, "CLOSED/CLOSED")


client, server = connect(8001)
abort(client)
cases.equal("the client's reset arrives at the server", is_reset(server), "reset")
cases.equal("both ends are closed", closed(8001), "CLOSED/CLOSED")

client, server = connect(8002)
abort(server)
cases.equal("the server's reset arrives at the client", is_reset(client), "reset")
cases.equal("both ends are closed", closed(8002), "CLOSED/CLOSED")

client, server = connect(8003)
server.send(b"never read")
client.recv(100, socket.MSG_PEEK)
client.close()
cases.equal("closing with unread data resets", is_reset(server), "reset")
cases.equal("both ends are closed", closed(8003), "CLOSED/CLOSED")

before = tcp_ext("client", "TCPSynRetrans")
try:
    with inside("client"):
        socket.create_connection(("10.0.0.1", 8004), 5, ("10.0.0.2", 18004))
    outcome = "connected"
except ConnectionRefusedError:
    outcome = "refused"
cases.equal("a closed port refuses", outcome, "refused")
cases.equal("at once: SYNs sent again", tcp_ext("client", "TCPSynRetrans") - before, 0)
cases.equal("the refused flow is closed", closed(8004), "CLOSED/CLOSED")

cases.equal("nothing was dropped", dropped(), {})
cases.finish()
PYTHON
