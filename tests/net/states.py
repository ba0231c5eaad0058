#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One conversation after the other over the wire of test_handshake_states.sh; see there."""

import socket

from world import Cases, Wire, flow, inside, settled, states, wait_for

CLIENT, SERVER = "10.0.1.2", "10.0.2.2"
cases = Cases()
wire = Wire("wire", [("c0", "c1"), ("s0", "s1")])


def step(port, origin, flags, want):
    """Lets one segment through to tcpguard and compares the states of opener and answerer.

    The router forwards it at once; the far half of the wire hands it on.
    """
    wire.step(origin, flags)
    cases.equal(f"{flags} from the {'client' if origin == 'c0' else 'server'}: {want}",
                settled(port, want), want)
    wire.step("c1" if origin == "s0" else "s1", flags)


def tcp(netns, address, port):
    """The client's port names the connection."""
    if netns == "client":
        wire.listen_to(port)
    with inside(netns):
        sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    return sock


def listen(port):
    server = tcp("server", SERVER, port)
    server.listen()
    return server


def start(sock, address, port):
    sock.setblocking(False)
    sock.connect_ex((address, port))


def handshake(client_port, server_port):
    """Returns (client, server) sockets in ESTABLISHED, having checked each step."""
    listener = listen(server_port)
    client = tcp("client", CLIENT, client_port)
    start(client, SERVER, server_port)
    step(client_port, "c0", "SYN", "SYN_SENT/LISTEN")
    step(client_port, "s0", "SYN|ACK", "SYN_SENT/SYN_RECEIVED")
    step(client_port, "c0", "ACK", "ESTABLISHED/ESTABLISHED")
    server, _ = listener.accept()
    listener.close()
    return client, server


def phase(port):
    row = flow(port)
    return row["phase"] if row else "none"


def client_closes_first():
    client, server = handshake(40001, 8001)
    cases.equal("the flow's phase", phase(40001), "established")
    client.setblocking(True)
    client.send(b"question")
    step(40001, "c0", "ACK", "ESTABLISHED/ESTABLISHED")
    step(40001, "s0", "ACK", "ESTABLISHED/ESTABLISHED")
    cases.equal("the data arrived", server.recv(100), b"question")

    client.close()
    step(40001, "c0", "FIN|ACK", "FIN_WAIT_1/ESTABLISHED")
    step(40001, "s0", "ACK", "FIN_WAIT_2/CLOSE_WAIT")
    cases.equal("phase after one FIN", phase(40001), "half_closed")
    cases.equal("the server sees the end", server.recv(100), b"")
    server.close()
    step(40001, "s0", "FIN|ACK", "FIN_WAIT_2/LAST_ACK")
    cases.equal("phase after both FINs", phase(40001), "last")
    step(40001, "c0", "ACK", "TIME_WAIT/CLOSED")
    cases.equal("phase at the end", phase(40001), "time_wait")


def server_closes_first():
    client, server = handshake(40002, 8002)
    server.close()
    step(40002, "s0", "FIN|ACK", "ESTABLISHED/FIN_WAIT_1")
    step(40002, "c0", "ACK", "CLOSE_WAIT/FIN_WAIT_2")
    client.close()
    step(40002, "c0", "FIN|ACK", "LAST_ACK/FIN_WAIT_2")
    step(40002, "s0", "ACK", "CLOSED/TIME_WAIT")


def both_close_at_once():
    client, server = handshake(40003, 8003)
    client.close()
    server.close()
    # Both FINs are on the wire before either arrives.
    wire.step("c0", "FIN|ACK")
    wait_for(lambda: states(40003) == "FIN_WAIT_1/ESTABLISHED")
    wire.step("s0", "FIN|ACK")
    want = "FIN_WAIT_1/FIN_WAIT_1"
    cases.equal(f"FINs crossing: {want}", settled(40003, want), want)
    wire.step("s1", "FIN|ACK")
    wire.step("c1", "FIN|ACK")
    step(40003, "c0", "ACK", "CLOSING/FIN_WAIT_2")
    step(40003, "s0", "ACK", "TIME_WAIT/TIME_WAIT")


def both_open_at_once():
    left, right = tcp("client", CLIENT, 40004), tcp("server", SERVER, 8004)
    start(left, SERVER, 8004)
    start(right, CLIENT, 40004)
    wire.step("c0", "SYN")
    want = "SYN_SENT/LISTEN"
    cases.equal(f"the first SYN: {want}", settled(40004, want), want)
    wire.step("s0", "SYN")
    want = "SYN_RECEIVED/SYN_RECEIVED"
    cases.equal(f"SYNs crossing: {want}", settled(40004, want), want)
    wire.step("s1", "SYN")
    wire.step("c1", "SYN")
    # Each answers the other's SYN with a SYN-ACK, and that with an ACK.
    wire.step("c0", "SYN|ACK")
    wire.step("s1", "SYN|ACK")
    wire.step("s0", "SYN|ACK")
    want = "ESTABLISHED/ESTABLISHED"
    cases.equal(f"SYN-ACKs crossing: {want}", settled(40004, want), want)
    wire.step("c1", "SYN|ACK")
    left.close()
    right.close()


def refused():
    client = tcp("client", CLIENT, 40005)
    start(client, SERVER, 8005)
    step(40005, "c0", "SYN", "SYN_SENT/LISTEN")
    step(40005, "s0", "RST|ACK", "CLOSED/CLOSED")
    cases.equal("phase of a refused connection", phase(40005), "closed")
    client.close()


def reset():
    client, server = handshake(40006, 8006)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    step(40006, "s0", "RST|ACK", "CLOSED/CLOSED")
    client.close()


for conversation in (client_closes_first, server_closes_first, both_close_at_once, both_open_at_once,
                     refused, reset):
    print(f"# {conversation.__name__}", flush=True)
    try:
        conversation()
    except AssertionError as error:
        cases.check(conversation.__name__, False, str(error))
cases.finish()
