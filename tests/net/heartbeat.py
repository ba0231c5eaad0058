#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One TCP connection that lives through a test: a byte there and back every few milliseconds.

usage: heartbeat.py serve ADDRESS PORT          echoes, one connection after the other
       heartbeat.py beat ADDRESS PORT FILE      writes into FILE how many bytes came back, or why it ended
"""

import contextlib
import os
import socket
import sys
import time

PAUSE_S = 0.01


def serve(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as listener:
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(ConnectionError): # the client may be killed
                while data := connection.recv(4096):
                    connection.sendall(data)


def put(path, text):
    """In one step: a reader sees the old or the new."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def beat(address, port, path):
    count = 0
    try:
        with socket.create_connection((address, port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                connection.sendall(b"x")
                if not connection.recv(1):
                    raise OSError("closed by the peer")
                count += 1
                put(path, f"{count}\n")
                time.sleep(PAUSE_S)
    except OSError as error:
        put(path, f"ended after {count}: {error}\n")
        return 1


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    sys.exit(beat(sys.argv[2], int(sys.argv[3]), sys.argv[4]))
