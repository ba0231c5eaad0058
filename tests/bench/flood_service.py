#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real server and the real clients of `make bench-floods`.

usage: flood_service.py serve                    both families, port 80; says "ready"
       flood_service.py visit ADDRESS SECONDS    JSON: what every connection of that time came to

A visit is connect, request, answer, end, as curl does it.  Beside the visits one connection stays open and
exchanges a word every 5 ms.
"""

import json
import selectors
import socket
import sys
import threading
import time

REQUEST = b"GET / HTTP/1.0\r\n\r\n"
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
WORD = b"word"
PATIENCE_S = 15.0
VISITORS = 2
PAUSE_S = 0.001


def serve():
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True, backlog=511)
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                accept_all(selector, listener)
            else:
                answer(selector, key.fileobj)


def accept_all(selector, listener):
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)


def answer(selector, connection):
    try:
        data = connection.recv(4096)
        if data.startswith(WORD):
            connection.send(data)
            return
        if data:
            connection.send(ANSWER)
    except OSError:
        pass  # the visitor tells of it
    selector.unregister(connection)
    connection.close()


class Visitors:
    def __init__(self, address, seconds):
        self.address = address
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.until = time.monotonic() + seconds
        self.connect_ms, self.total_ms, self.errors = [], [], []
        self.words, self.kept_error = 0, None

    def connect(self):
        connection = socket.socket(self.family)
        connection.settimeout(PATIENCE_S)
        connection.connect((self.address, 80))
        return connection

    def visit(self):
        began = time.monotonic()
        with self.connect() as connection:
            self.connect_ms.append((time.monotonic() - began) * 1000)
            connection.sendall(REQUEST)
            got = 0
            while data := connection.recv(4096):
                got += len(data)
        if got != len(ANSWER):
            raise OSError(f"{got} of {len(ANSWER)} bytes")
        self.total_ms.append((time.monotonic() - began) * 1000)

    def visit_all(self):
        while time.monotonic() < self.until:
            try:
                self.visit()
            except OSError as error:
                self.errors.append(f"{type(error).__name__}: {error}")
            time.sleep(PAUSE_S)

    def keep(self, connection):
        try:
            while time.monotonic() < self.until:
                connection.sendall(WORD)
                if connection.recv(64) != WORD:
                    raise OSError("another word, or none")
                self.words += 1
                time.sleep(0.005)
        except OSError as error:
            self.kept_error = f"{type(error).__name__}: {error}"

    def run(self):
        kept = self.connect()
        print("ready", file=sys.stderr, flush=True)
        threads = [threading.Thread(target=self.visit_all) for _ in range(VISITORS)]
        threads.append(threading.Thread(target=self.keep, args=(kept,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept.close()
        return {"connect_ms": self.connect_ms, "total_ms": self.total_ms, "errors": self.errors,
                "words": self.words, "kept_error": self.kept_error}


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    elif len(sys.argv) == 4 and sys.argv[1] == "visit":
        print(json.dumps(Visitors(sys.argv[2], float(sys.argv[3])).run()))
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
