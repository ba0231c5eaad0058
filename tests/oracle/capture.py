# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of a capture file (pcap, also gzipped) as frames with an Ethernet header."""
import gzip
import struct

LOOPBACK, ETHERNET, RAW, LINUX_COOKED = 0, 1, (12, 14, 101, 228, 229), 113
FRAME_MAX = 1514  # only headers are looked at; longer frames are cut
START_MS = 1000
SCALES = {b'\xd4\xc3\xb2\xa1': ('<', 1000), b'\xa1\xb2\xc3\xd4': ('>', 1000),
          b'\x4d\x3c\xb2\xa1': ('<', 1_000_000), b'\xa1\xb2\x3c\x4d': ('>', 1_000_000)}


def as_ethernet(link, data):
    if link == ETHERNET:
        return data
    if link == LINUX_COOKED:
        return bytes(12) + data[14:16] + data[16:]
    if link == LOOPBACK:
        data = data[4:]
    return bytes(12) + (b'\x86\xdd' if data[:1] >= b'\x60' else b'\x08\x00') + data


def read_capture(path):
    """-> (now_ms, frame, own = False) of each packet; time never goes back, and begins at 1000."""
    opened = gzip.open(path) if str(path).endswith('.gz') else open(path, 'rb')
    with opened as file:
        header = file.read(24)
        if header[:4] not in SCALES:
            raise ValueError(f'{path}: no pcap file')
        order, scale = SCALES[header[:4]]
        link = struct.unpack(order + 'I', header[20:])[0] & 0xFFFF
        if link not in (LOOPBACK, ETHERNET, LINUX_COOKED, *RAW):
            raise ValueError(f'{path}: link type {link}')
        first, now = None, START_MS
        while len(record := file.read(16)) == 16:
            seconds, fraction, length, _ = struct.unpack(order + '4I', record)
            moment = seconds * 1000 + fraction // scale
            first = moment if first is None else first
            now = max(now, moment - first + START_MS)
            frame = as_ethernet(link, file.read(length))[:FRAME_MAX]
            if len(frame) >= 14:
                yield now, frame, False
