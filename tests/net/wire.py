#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A cable in user space between two interfaces: what enters one leaves the other, if it is lucky.

usage: wire.py END END [KEY=VALUE...]

loss, dup, reorder   chance of each IP packet to be lost, sent twice, held back (0)
hold                 how many seconds one that is held back waits at most (0.05)
tag                  "5" or "100,5": VLAN tags put on what leaves the second end and taken off what
                     comes in there
seed                 of the random numbers (1)

Says "ready" once it carries.
"""

import heapq
import random
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
SERVICE_TAG, CUSTOMER_TAG = 0x88a8, 0x8100


def open_end(name):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # until it is bound: nobody's frames
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    end.bind((name, ETH_P_ALL))
    end.setblocking(False)
    return end


def tags_of(text):
    numbers = [int(number) for number in text.split(",") if number]
    outer = [SERVICE_TAG] * (len(numbers) - 1)
    return b"".join(struct.pack("!HH", kind, number)
                    for kind, number in zip(outer + [CUSTOMER_TAG], numbers))


class Cable:
    def __init__(self, first, second, options):
        self.first, self.second = open_end(first), open_end(second)
        self.loss, self.dup, self.reorder = (float(options.get(key, 0)) for key in ("loss", "dup", "reorder"))
        self.hold = float(options.get("hold", 0.05))
        self.tags = tags_of(options.get("tag", ""))
        self.random = random.Random(int(options.get("seed", 1)))
        self.waiting = []  # (when, number, where, frame)
        self.number = 0

    def arrived(self, end, frame, now):
        where = self.second if end is self.first else self.first
        if where is self.second:
            frame = frame[:12] + self.tags + frame[12:]
        else:  # of the first tag packet sockets are not handed the bytes
            while frame[12:14] in (b"\x81\x00", b"\x88\xa8"):
                frame = frame[:12] + frame[16:]
        if frame[12:14] == b"\x08\x06":
            where.send(frame)
            return
        if self.random.random() < self.loss:
            return
        for _ in range(2 if self.random.random() < self.dup else 1):
            wait = self.random.random() * self.hold if self.random.random() < self.reorder else 0
            self.number += 1
            heapq.heappush(self.waiting, (now + wait, self.number, where, frame))

    def deliver(self, now):
        while self.waiting and self.waiting[0][0] <= now:
            _, _, where, frame = heapq.heappop(self.waiting)
            try:
                where.send(frame)
            except OSError as error:  # too long for the other end, or it went down
                print(f"lost {len(frame)} bytes: {error}", file=sys.stderr)

    def run(self):
        while True:
            pause = max(0, self.waiting[0][0] - time.monotonic()) if self.waiting else None
            for end in select.select([self.first, self.second], [], [], pause)[0]:
                for _ in range(64):
                    try:
                        frame = end.recv(65536)
                    except BlockingIOError:
                        break
                    self.arrived(end, frame, time.monotonic())
            self.deliver(time.monotonic())


if __name__ == "__main__":
    cable = Cable(sys.argv[1], sys.argv[2], dict(word.split("=", 1) for word in sys.argv[3:]))
    print("ready", flush=True)
    cable.run()
