#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes what tcpguard believes of every connection wrong: a fault of its own, from the outside.

The halves of all live slots are moved by a quarter of the sequence space, through the pinned map.
"""

import ctypes
import mmap
import os
import struct

BPF_OBJ_GET, SYS_BPF = 7, 321
SLOT, LIVE = 64, 2
SHIFT = 1 << 30


def pinned(path):
    """A descriptor of a pinned map."""
    name = ctypes.create_string_buffer(path.encode())
    attributes = struct.pack("QII", ctypes.addressof(name), 0, 0).ljust(128, b"\0")
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(SYS_BPF, BPF_OBJ_GET, attributes, len(attributes))
    if fd < 0:
        raise OSError(ctypes.get_errno(), path)
    return fd


def size_of(fd):
    with open(f"/proc/self/fdinfo/{fd}") as info:
        fields = dict(line.split(":", 1) for line in info if ":" in line)
    return int(fields["value_size"]) * int(fields["max_entries"])


def main():
    fd = pinned("/sys/fs/bpf/tcpguard/v1/maps/tg_flows")
    size = -(-size_of(fd) // mmap.PAGESIZE) * mmap.PAGESIZE
    shifted = 0
    with mmap.mmap(fd, size) as table:
        for at in range(0, size, SLOT):
            if not struct.unpack_from("I", table, at + 8)[0] & LIVE:
                continue
            for half in (at + 16, at + 40):
                moved = [(number + SHIFT) & 0xffffffff for number in struct.unpack_from("3I", table, half)]
                struct.pack_into("3I", table, half, *moved)
            shifted += 1
    os.close(fd)
    print(shifted)


if __name__ == "__main__":
    main()
