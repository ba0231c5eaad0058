#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Listens where a service manager, or the journal, would; appends each message to a file.

usage: notify_socket.py SOCKET FILE
"""

import os
import socket
import sys

where, kept = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(where)
os.chmod(where, 0o777)
with open(kept, "a", encoding="utf-8") as file:
    while True:
        file.write(listener.recv(65536).decode() + "\n--\n")
        file.flush()
