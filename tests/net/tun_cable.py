#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A tun0 here and one in the namespace `client`, and every packet carried from one to the other."""

import fcntl
import os
import select
import struct

from world import inside

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000


def tun(netns):
    with inside(netns):
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH14x", b"tun0", IFF_TUN | IFF_NO_PI))
    return fd


ends = [tun(None), tun("client")]
while True:
    for fd in select.select(ends, [], [])[0]:
        packet = os.read(fd, 65536)
        try:
            os.write(ends[fd == ends[0]], packet)
        except OSError:
            pass  # the other end is not up yet
