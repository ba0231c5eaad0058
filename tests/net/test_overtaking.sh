#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Segments in an order that only a bad path gives them, of real sockets: data of a Fast Open server ahead
# of its SYN-ACK, and a RST that is lost behind the router.
. "$(dirname "$0")/lib.sh"

topology_wired_router
on client sysctl -qw net.ipv4.tcp_fastopen=5 # 1: client, 4: without a cookie
on server sysctl -qw net.ipv4.tcp_fastopen=1538 # 2: server, 0x200: without a cookie, 0x400: all listeners
attach eth0 eth1 --profile gateway --no-daemon --learn 0

python_part <<'PYTHON'
import socket
import struct
from world import Cases, Wire, dropped, inside, reasons, settled, wait_for

CLIENT, SERVER = "10.0.1.2", "10.0.2.2"
cases = Cases()
wire = Wire("wire", [("c0", "c1"), ("s0", "s1")])


def pass_on(origin, flags):
    """One segment all the way, through the router."""
    wire.step(origin, flags)
    wire.step("c1" if origin == "s0" else "s1", flags)


def sockets(port):
    wire.listen_to(port)
    with inside("server"):
        listener = socket.create_server((SERVER, port - 10000))
    with inside("client"):
        client = socket.socket()
    client.bind((CLIENT, port))
    client.setblocking(False)
    listener.settimeout(5)
    return listener, client


def counted(name):
    return sum(count for ifname in ("eth0", "eth1") for (reason, _), count in reasons(ifname).items()
               if reason == name)


def data_overtakes_its_synack():
    listener, client = sockets(18001)
    client.sendto(b"in the SYN", socket.MSG_FASTOPEN, (SERVER, 8001))
    pass_on("c0", "SYN")
    server, _ = listener.accept()
    cases.equal("early_seg: the server takes the data of the SYN", server.recv(100), b"in the SYN")
    server.sendall(b"x" * 2000)
    wire.overtake("s0", "ACK")
    wire.overtake("s0", "ACK")
    cases.check("early_seg: the data comes first", wait_for(lambda: counted("early_seg") == 2, 3),
                f"early_seg: {counted('early_seg')}")
    # As on a slow machine: the client has sent its SYN again, which then has no data.
    cases.check("early_seg: the SYN is sent again meanwhile", wait_for(
        lambda: client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 3)[2] > 0, 10))  # tcpi_retransmits
    wire.step("s0", "SYN|ACK")
    # The client hears them in order: a client that did not would wait for them to be sent again.
    wire.overtake("c1", "SYN|ACK")
    wire.step("c1", "ACK")
    wire.step("c1", "ACK")
    got = b""
    while len(got) < 2000 and wait_for(lambda: wire.held, 2):
        pass_on("c0", "ACK")
        try:
            got += client.recv(4000)
        except BlockingIOError:
            pass
    cases.equal("early_seg: the data arrives", len(got), 2000)
    want = "ESTABLISHED/ESTABLISHED"
    cases.equal(f"early_seg: {want}", settled(18001, want), want)
    client.close()
    server.close()


def connected(port):
    listener, client = sockets(port)
    client.connect_ex((SERVER, port - 10000))
    pass_on("c0", "SYN")
    pass_on("s0", "SYN|ACK")
    pass_on("c0", "ACK")
    server, _ = listener.accept()
    return client, server


def rst_is_lost(port, go_on, flags):
    """The server's RST passes us and gets no further; then the client goes on with these flags."""
    client, server = connected(port)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    wire.step("s0", "RST|ACK")
    cases.equal("rst_lost: CLOSED/CLOSED", settled(port, "CLOSED/CLOSED"), "CLOSED/CLOSED")
    wire.lose("c1", "RST|ACK")
    go_on(client)
    pass_on("c0", flags)
    pass_on("s0", "RST")
    return client


def reset_at_last(client):
    try:
        return client.recv(10)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        return "reset"


client = rst_is_lost(18002, lambda client: client.send(b"anybody there?"), "ACK")
cases.check("rst_lost: the sender learns of it", wait_for(lambda: reset_at_last(client) == "reset", 3))
rst_is_lost(18003, lambda client: client.close(), "FIN|ACK")
data_overtakes_its_synack()
cases.equal("rst_lost, early_seg: nothing was dropped", [dropped("eth0"), dropped("eth1")], [{}, {}])
cases.finish()
PYTHON
