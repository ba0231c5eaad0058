# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames to segments: headers, lengths, options and fragments."""
import struct
import unittest

from oracle import Tracker
from packet import ACK, FIN, SYN, Segment, Wire, options, parse

A4, B4 = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
A6, B6 = bytes((0xfd,)) + bytes(14) + b'\x01', bytes((0xfd,)) + bytes(14) + b'\x02'
WIRES = {4: Wire(A4, 1000, B4, 80), 6: Wire(A6, 1000, B6, 80)}


def extended(frame, *headers):
    """The IPv6 frame with extension headers: (kind, bytes after the next-header field)."""
    chain, kinds = b'', [kind for kind, _ in headers] + [6]
    for after, (_, body) in zip(kinds[1:], headers):
        chain += bytes((after,)) + body
    length = struct.unpack_from('!H', frame, 18)[0] + len(chain)
    return frame[:18] + struct.pack('!HB', length, kinds[0]) + frame[21:54] + chain + frame[54:]


class Parse(unittest.TestCase):
    def test_both_families(self):
        for family, wire in WIRES.items():
            seg = parse(wire.frame(ACK | FIN, 7, 9, 512, 100))
            self.assertEqual((seg.flags, seg.seq, seg.ack, seg.window, seg.paylen, seg.end, seg.fragment),
                             (ACK | FIN, 7, 9, 512, 100, 108, False), family)
            self.assertEqual(seg.src[-2:] + seg.dst[-2:], struct.pack('!HH', 1000, 80))

    def test_padding_is_no_payload(self):
        self.assertEqual(parse(WIRES[4].frame(ACK, 1, 1, 1) + bytes(6)).paylen, 0)

    def test_length_zero_is_big_tcp(self):
        for family, at in ((4, 16), (6, 18)):
            frame = bytearray(WIRES[family].frame(ACK, 1, 1, 1) + bytes(70000))
            frame[at:at + 2] = bytes(2)
            self.assertEqual(parse(bytes(frame)).paylen, 70000)

    def test_flags_that_say_nothing(self):
        for bits in (0x08, 0xC0, 0xC8):
            self.assertEqual(parse(WIRES[4].frame(SYN | bits, 1, 0, 1)).flags, SYN)
        frame = bytearray(WIRES[4].frame(ACK, 1, 1, 1))
        frame[46] |= 0x0F  # reserved, AE
        self.assertEqual(parse(bytes(frame)).flags, ACK)

    def test_every_flag_byte(self):
        valid = {'S', 'SU', 'SA', 'R', 'RA', 'FA', 'FAU', 'A', 'AU'}
        for flags in range(256):
            name = ''.join(n for n, b in zip('SRFAU', (2, 4, 1, 16, 32)) if flags & b)
            verdict = Tracker(learn=True).process_frame(WIRES[4].frame(flags, 1, 1, 1), 0)
            self.assertEqual(verdict == ('drop', 'bad_flags'), name not in valid, name)

    def test_options(self):
        wire = WIRES[4]
        seg = parse(wire.frame(SYN, 1, 0, 1, 0, options(mss=1460, wscale=15, ts=77, fastopen=True)))
        self.assertEqual((seg.wscale, seg.ts), (14, 77))
        seg = parse(wire.frame(ACK, 1, 50, 1, 0, options(ts=5, sack=[(60, 90), (20, 40)])))
        self.assertEqual((seg.ts, seg.sack, seg.wscale), (5, 90, None))
        self.assertEqual(parse(wire.frame(ACK, 1, 50, 1, 0, options(sack=[(20, 40)]))).sack, 50)
        for opts, ts in ((b'\x13\x12' + bytes(16) + b'\x08\x0a' + bytes(3) + b'\x05' + bytes(4) + b'\1\1', 5),
                         (b'\x08\x00' + bytes(10), None), (b'\x00\x00\x08\x0a' + b'\x05' * 8, None),
                         (b'\xfe\x28\x01\x01', None), (b'\x08\x0a\x00\x00', None)):
            self.assertEqual(parse(wire.frame(ACK, 1, 1, 1, 0, opts)).ts, ts, opts)

    def test_vlan(self):
        for tags in (b'\x81\0\0\7', b'\x88\xa8\0\7\x81\0\0\7', b'\x91\0\0\7\x91\0\0\7'):
            wire = Wire(A4, 1000, B4, 80, bytes(12) + tags)
            self.assertEqual(parse(wire.frame(ACK, 1, 1, 1, 5)).paylen, 5)
        wire = Wire(A4, 1000, B4, 80, bytes(12) + b'\x81\0\0\7' * 3)
        self.assertEqual(parse(wire.frame(ACK, 1, 1, 1)), 'not_tcp')

    def test_no_link_header(self):
        for wire in WIRES.values():
            self.assertEqual(parse(wire.frame(ACK, 1, 1, 1, 5)[14:], False).paylen, 5)

    def test_ipv6_extension_headers(self):
        frame = WIRES[6].frame(ACK, 1, 1, 1, 5)
        eight = (60, b'\x00' + bytes(6))
        for chain in ([(0, b'\x01' + bytes(14))], [eight] * 8, [(51, b'\x04' + bytes(22))],
                      [(43, b'\x00' + bytes(6)), (135, b'\x00' + bytes(6))], [(44, bytes(7))]):
            seg = parse(extended(frame, *chain))
            self.assertEqual((seg.paylen, seg.flags, seg.fragment), (5, ACK, False))
        self.assertEqual(parse(extended(frame, *[eight] * 9)), 'ext_depth')
        self.assertEqual(parse(extended(frame, (50, bytes(7)))), 'not_tcp')
        self.assertEqual(parse(extended(frame, (60, b'\xff' + bytes(6)))), 'bad_hdr')

    def test_fragments(self):
        for wire in WIRES.values():
            self.assertTrue(parse(wire.fragment(ACK, 1, 1, 1, 8)).fragment)
            self.assertEqual(parse(wire.fragment(ACK, 1, 1, 1, 8, offset=185)), 'frag')
            self.assertEqual(parse(wire.fragment(ACK, 1, 1, 1, 8, offset=1)), 'tiny_frag')
        wire = WIRES[4]
        self.assertEqual(parse(wire.fragment(ACK, 1, 1, 1, -8)), 'tiny_frag')
        self.assertFalse(parse(wire.fragment(ACK, 1, 1, 1, 8, more=False)).fragment)

    def test_broken_headers(self):
        frame = WIRES[4].frame(ACK, 1, 1, 1)
        self.assertEqual(parse(WIRES[4].frame(ACK, 1, 1, 1, -1)), 'bad_hdr')
        self.assertEqual(parse(frame[:53]), 'bad_hdr')
        self.assertEqual(parse(frame[:30]), 'bad_hdr')
        self.assertEqual(parse(frame[:10]), 'not_tcp')
        for at, value in ((14, 0x44), (14, 0x65), (14, 0x4f), (46, 0x40), (46, 0x60)):
            broken = bytearray(frame)
            broken[at] = value
            self.assertEqual(parse(bytes(broken)), 'bad_hdr', (at, value))
        self.assertEqual(parse(frame[:23] + b'\x11' + frame[24:]), 'not_tcp')
        self.assertEqual(parse(frame[:16] + b'\0\x13' + frame[18:]), 'bad_hdr')

    def test_addresses_no_host_has(self):
        mapped, unspecified, group = bytes(10) + b'\xff\xff' + A4, bytes(16), b'\xff' + A6[1:]
        for src, dst in ((bytes(4), B4), (b'\xe0' + A4[1:], B4), (b'\xff' * 4, B4), (unspecified, B6),
                         (group, B6), (mapped, B6), (A6, mapped)):
            verdict = Tracker(learn=True).process_frame(Wire(src, 1, dst, 2).frame(ACK, 1, 1, 1), 0)
            self.assertEqual(verdict, ('drop', 'bad_hdr'), (src, dst))
        self.assertFalse(parse(Wire(b'\xf0' + A4[1:], 1, B4, 2).frame(ACK, 1, 1, 1)).forged)

    def test_verdicts_without_a_segment(self):
        late = WIRES[4].fragment(ACK, 1, 1, 1, 8, offset=185)
        self.assertEqual(Tracker().process_frame(late, 0), ('pass', 'frag'))
        self.assertEqual(Tracker(strict=True).process_frame(late, 0), ('drop', 'frag'))
        self.assertEqual(Tracker().process_frame(b'', 0), ('pass', 'not_tcp'))
        land = Wire(A4, 80, A4, 80).frame(SYN, 1, 0, 1)
        self.assertEqual(Tracker().process_frame(land, 0), ('drop', 'land'))

    def test_never_raises(self):
        import random
        rng = random.Random(1)
        for frame in (WIRES[4].frame(SYN, 1, 0, 1, 0, options(1, 2, mss=3)),
                      extended(WIRES[6].frame(ACK, 1, 1, 1, 5, options(ts=1, sack=[(1, 2)])),
                               (0, b'\x01' + bytes(14)), (44, bytes(7)))):
            for _ in range(3000):
                mangled = bytearray(frame[:rng.randrange(len(frame) + 1)])
                for _ in range(rng.randrange(4)):
                    if mangled:
                        mangled[rng.randrange(len(mangled))] = rng.getrandbits(8)
                self.assertIsInstance(parse(bytes(mangled)), (Segment, str))


if __name__ == '__main__':
    unittest.main()
