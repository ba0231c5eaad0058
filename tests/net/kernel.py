# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel knows about a TCP socket, for comparison with what tcpguard does."""

import json
import socket
import struct

from world import flow, tcpguard

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
RECV_QUEUE, SEND_QUEUE = 1, 2
REPAIR_OFF_NO_PROBE = -1
OPTION_ECN = 8


def info(sock):
    """Some of struct tcp_info."""
    data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
    bytes_sent, bytes_resent = struct.unpack_from("QQ", data, 200)
    return {"options": data[5], "unacked": struct.unpack_from("I", data, 24)[0],
            "notsent": struct.unpack_from("I", data, 144)[0], "received": struct.unpack_from("Q", data, 128)[0],
            "sent": bytes_sent, "resent": bytes_resent}


def numbers(sock):
    """(next number it sends, next it expects); exact once all it was given is sent."""
    def number(queue):
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        return sock.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) & 0xffffffff

    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    try:
        return number(SEND_QUEUE), number(RECV_QUEUE)
    finally:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_NO_PROBE)


def tracked(port, address):
    """What tcpguard knows of the endpoint at this address of the flow with this port."""
    row = flow(port)
    told = json.loads(tcpguard("-j", "explain", f"{row['src']}-{row['dst']}"))
    return next(told[side] for side in ("src", "dst") if told[side]["endpoint"].startswith(address + ":"))
