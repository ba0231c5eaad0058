#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions about a file of event lines (NDJSON), and readers that tcpguard itself would not be."""

import json
import random
import select
import socket
import struct
import sys
import time

REQUEST = struct.Struct("=IIII40s")
MAGIC = 0x31457467
HEAD = struct.Struct("=IiQII")
EVENT_BYTES = 256
FOLLOW = 2
FLOW_TYPES = 1 << 1 | 1 << 2 | 1 << 3


def events(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def story(path, port):
    """The types of all events of the connection with this port, and the states they ended in."""
    out = []
    for event in events(path):
        if not (event.get("dst") or "").endswith(f":{port}"):
            continue
        out.append(event["type"] + ("=" + event["phase"] if event["type"] == "state" else ""))
    return " ".join(out)


def connect(path, types=FLOW_TYPES | 1 << 4):
    reader = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader.connect(path)
    reader.send(REQUEST.pack(MAGIC, FOLLOW, types, 0, b""))
    return reader


def receive(reader, timeout=30):
    """(refused, lost, events) of the next message."""
    reader.settimeout(timeout)
    magic, refused, lost, count, _ = HEAD.unpack_from(data := reader.recv(HEAD.size + 64 * EVENT_BYTES))
    assert magic == MAGIC and len(data) == HEAD.size + count * EVENT_BYTES
    return refused, lost, count


def crowd(path, count):
    """Many readers; prints "ready", waits for a line, then counts who hears at least one event; waits for a line."""
    readers = [connect(path) for _ in range(count)]
    for reader in readers:
        assert receive(reader) == (0, 0, 0)  # the greeting
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(receive(reader)[2] > 0 for reader in readers), flush=True)
    sys.stdin.readline()


def hold(path, count, places):
    """As many readers as are let in, of so many, who say nothing; prints how many, then how many are hung up on."""
    readers = []
    for _ in range(count):
        readers.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        readers[-1].connect(path)
    silent = readers
    deadline = time.monotonic() + 10
    while len(silent) > places and time.monotonic() < deadline:  # the others are refused, one by one
        spoken = select.select(silent, [], [], 0.05)[0]
        silent = [reader for reader in silent if reader not in spoken]
    silent = []
    for reader in readers:
        reader.settimeout(0.05)
        try:
            reader.recv(HEAD.size)  # a refusal
        except TimeoutError:
            silent.append(reader)
    print(len(silent), flush=True)
    for reader in silent:
        reader.settimeout(60)
    print(sum(reader.recv(1) == b"" for reader in silent), flush=True)
    sys.stdin.readline()


def full(path):
    """A listener that accepts nobody, and with one who waits; prints "full", then waits for a line."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(0)
    waiting = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    waiting.connect(path)
    print("full", flush=True)
    sys.stdin.readline()


def noise(path, count):
    """Requests that are none, of every size; prints how many got an answer, or an end, for each."""
    heard = 0
    for number in range(count):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as odd:
            odd.connect(path)
            bytes_ = random.randbytes(number % 300 + 1)
            # Every third with the right word at its beginning, every second of the right size.
            if number % 3 == 0:
                bytes_ = struct.pack("=I", MAGIC) + bytes_
            if number % 2 == 0:
                bytes_ = bytes_.ljust(REQUEST.size, b"\xff")[:REQUEST.size]
            odd.settimeout(10)
            odd.send(bytes_)
            odd.recv(HEAD.size)
            heard += 1
    print(heard)


def slow(path):
    """Reads nothing until told how many events there were, then everything: prints events heard and events lost,
    then waits for a line."""
    reader = connect(path, 1 << 4)
    assert receive(reader) == (0, 0, 0)
    print("ready", flush=True)
    told = int(sys.stdin.readline())
    heard = lost = 0
    while True:
        try:
            refused, missed, count = receive(reader, 10 if heard + lost < told else 1)
        except TimeoutError:
            break
        heard += count
        lost += missed
    print(heard, lost, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "story":
        print(story(arguments[0], int(arguments[1])))
    elif command == "ask":
        e = events(arguments[0])
        print(eval(arguments[1]))
    elif command == "crowd":
        crowd(arguments[0], int(arguments[1]))
    elif command == "hold":
        hold(arguments[0], int(arguments[1]), int(arguments[2]))
    elif command == "full":
        full(arguments[0])
    elif command == "noise":
        noise(arguments[0], int(arguments[1]))
    elif command == "slow":
        slow(arguments[0])
    elif command == "garbage":
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as odd:
            odd.connect(arguments[0])
            odd.send(REQUEST.pack(1, 2, 3, 4, b""))
            print(receive(odd)[0])
    elif command == "listen":
        taken = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        taken.bind(arguments[0])
        taken.listen()
        print("ready", flush=True)
        time.sleep(float(arguments[1]))
