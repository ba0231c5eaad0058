#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads pcapng by the book (draft-ietf-opsawg-pcapng) and evaluates an expression over its packets.

Each packet is {iface, link, time, outbound, captured, length, data, comment}; the list of them is p.
"""

import struct
import sys


def options(body):
    found = {}
    while body:
        kind, length = struct.unpack_from("=HH", body)
        if not kind:
            assert len(body) == 4, "bytes behind the end of options"
            return found
        found[kind] = body[4:4 + length]
        body = body[4 + (length + 3) // 4 * 4:]
    assert not found, "options without an end"
    return found


def packets(data):
    out, ifaces = [], []
    first = True
    while data:
        kind, length = struct.unpack_from("=II", data)
        assert length % 4 == 0 and length >= 12 and struct.unpack_from("=I", data, length - 4)[0] == length
        body, data = data[8:length - 4], data[length:]
        assert first == (kind == 0x0a0d0d0a), "one section header, at the beginning"
        if first:
            assert struct.unpack_from("=IHHq", body) == (0x1a2b3c4d, 1, 0, -1)
            options(body[16:])
            first = False
        elif kind == 1:
            link, _, snap = struct.unpack_from("=HHI", body)
            opts = options(body[8:])
            assert opts[9] == b"\x09", "nanoseconds"
            ifaces.append((opts[2].decode(), link, snap))
        elif kind == 6:
            index, high, low, captured, length = struct.unpack_from("=IIIII", body)
            name, link, snap = ifaces[index]
            assert captured <= snap and captured <= length
            opts = options(body[20 + (captured + 3) // 4 * 4:])
            out.append({"iface": name, "link": link, "time": (high << 32 | low) / 1e9,
                        "outbound": struct.unpack("=I", opts[2])[0] == 2, "captured": captured,
                        "length": length, "data": body[20:20 + captured],
                        "comment": opts[1].decode()})
        else:
            raise AssertionError(f"block {kind}")
    return out


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as stream:
        p = packets(stream.read())
    print(eval(sys.argv[2]))
