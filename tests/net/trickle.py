#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of HTTP that never finish: trickle.py PORT COUNT.  Prints "ready", then goes on with a byte a time for each
until standard input ends; whoever is hung up on comes again."""

import select
import socket
import sys


def client(port):
    one = socket.create_connection(("127.0.0.1", port))
    one.send(b"GET /metrics HTTP/1.1\r\nX: ")
    return one


port, count = map(int, sys.argv[1:])
clients = [client(port) for _ in range(count)]
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.2)[0]:
    for i, one in enumerate(clients):
        try:
            one.send(b"x", socket.MSG_DONTWAIT)
        except OSError:
            one.close()
            clients[i] = client(port)
