# SPDX-License-Identifier: GPL-2.0-or-later
"""One TCP segment: frame bytes -> Segment, and back.  Knows no flow (flow.py) and judges nothing
but the packet itself.  Checksums are neither written nor read."""
import struct

M32 = 0xFFFFFFFF
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
FLAGS_MASK = FIN | SYN | RST | ACK | URG  # PSH, ECE, CWR and the reserved bits say nothing
VALID_FLAGS = frozenset((SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG,
                         ACK, ACK | URG))
WSCALE_MAX = 14
IPV6_EXT_MAX = 8
IPV4_MAPPED = bytes(10) + b'\xff\xff'  # ::ffff:0:0/96, never on the wire (RFC 4291 2.5.5.2)

ETH_IPV4, ETH_IPV6 = 0x0800, 0x86DD
ETH_VLAN = (0x8100, 0x88A8, 0x9100)
PROTO_TCP, HOP_BY_HOP, ROUTING, FRAGMENT, AH, DEST_OPTS, MOBILITY = 6, 0, 43, 44, 51, 60, 135
IPV6_EXT = (HOP_BY_HOP, ROUTING, FRAGMENT, AH, DEST_OPTS, MOBILITY)

# What a frame is when it is no Segment: the reason of its verdict.
NOT_TCP, FRAG, EXT_DEPTH, TINY_FRAG, BAD_HDR = 'not_tcp', 'frag', 'ext_depth', 'tiny_frag', 'bad_hdr'

FAST_HEAD = struct.Struct('!12xHBxH2xH x B 2x 4s4s')  # Ethernet and an IPv4 header without options
TCP_HEAD = struct.Struct('!IIBBH')
NOP_NOP_TS = b'\x01\x01\x08\x0a'


class Segment:
    """src and dst are address + port in network order: comparing them is memcmp of the pair."""
    __slots__ = ('src', 'dst', 'flags', 'seq', 'ack', 'window', 'paylen', 'end', 'wscale', 'ts',
                 'sack', 'fragment', 'forged', 'own')

    def __init__(self, src, dst, flags, seq, ack=0, window=65535, paylen=0, wscale=None, ts=None,
                 sack=None, fragment=False):
        self.src = src
        self.dst = dst
        self.flags = flags & FLAGS_MASK
        self.seq = seq & M32
        self.ack = ack & M32
        self.window = window
        self.paylen = paylen
        self.end = (seq + paylen + (flags & FIN) + (flags >> 1 & 1)) & M32
        self.wscale = wscale  # None: not offered
        self.ts = ts  # TSval or None
        self.sack = self.ack if sack is None else sack & M32  # highest of ack and SACK right edges
        self.fragment = fragment  # first fragment: the payload was seen in part only
        self.forged = False  # its addresses cannot be those of two hosts
        self.own = False  # sent by this host

    def __repr__(self):
        names = ''.join(n for b, n in zip((SYN, FIN, RST, ACK, URG), 'SFR.U') if self.flags & b)
        return (f'[{names}] {self.seq}:{self.end}({self.paylen}) ack {self.ack} win {self.window}'
                f' ts {self.ts} ws {self.wscale} sack {self.sack}')


def parse(frame, link_header=True):
    """-> Segment, or the reason why the frame is none (a string)."""
    if link_header and len(frame) >= 54:
        ether, vihl, total, frag, proto, src, dst = FAST_HEAD.unpack_from(frame)
        if (ether == ETH_IPV4 and vihl == 0x45 and proto == PROTO_TCP and total
                and not frag & 0x3FFF and 0 < src[0] < 224):
            return _parse_tcp(frame, 34, total - 20, src, dst, False)
    return _parse_slow(frame, link_header)


def _parse_slow(frame, link_header):
    at = 0
    if link_header:
        if len(frame) < 14:
            return NOT_TCP
        ether, at = _be16(frame, 12), 14
        for _ in range(2):
            if ether in ETH_VLAN and len(frame) >= at + 4:
                ether, at = _be16(frame, at + 2), at + 4
    else:
        ether = {4: ETH_IPV4, 6: ETH_IPV6}.get(frame[0] >> 4 if frame else 0)
    if ether == ETH_IPV4:
        return _parse_ipv4(frame, at)
    if ether == ETH_IPV6:
        return _parse_ipv6(frame, at)
    return NOT_TCP


def _parse_ipv4(frame, at):
    if len(frame) < at + 20 or frame[at] >> 4 != 4:
        return BAD_HDR
    ihl, length = (frame[at] & 15) * 4, _be16(frame, at + 2)
    if ihl < 20 or 0 < length < ihl:
        return BAD_HDR
    if frame[at + 9] != PROTO_TCP:
        return NOT_TCP
    src, dst = frame[at + 12:at + 16], frame[at + 16:at + 20]
    forged = src == bytes(4) or 224 <= src[0] < 240 or src == b'\xff\xff\xff\xff'
    frag = _be16(frame, at + 6)
    if frag & 0x1FFF:
        return TINY_FRAG if frag & 0x1FFF == 1 else FRAG  # RFC 3128: it could rewrite the flags
    length = (length or len(frame) - at) - ihl  # 0: BIG TCP
    return _parse_tcp(frame, at + ihl, length, src, dst, bool(frag & 0x2000), forged)


def _parse_ipv6(frame, at):
    if len(frame) < at + 40 or frame[at] >> 4 != 6:
        return BAD_HDR
    length = _be16(frame, at + 4) or len(frame) - at - 40  # 0: jumbogram
    src, dst = frame[at + 8:at + 24], frame[at + 24:at + 40]
    header, at, fragment, offset = frame[at + 6], at + 40, False, 0
    jumbo = not _be16(frame, at - 36)
    count = 0
    while header in IPV6_EXT and not offset:
        count += 1
        if count > IPV6_EXT_MAX:
            return EXT_DEPTH
        if len(frame) < at + 8:
            return BAD_HDR
        size = (frame[at + 1] + 2) * 4 if header == AH else (frame[at + 1] + 1) * 8
        if header == FRAGMENT:
            size = 8
            frag = _be16(frame, at + 2)
            offset, fragment = frag >> 3, bool(frag & 1)
        header = frame[at]
        at += size
        length -= size
    if length < 0 and not jumbo:
        return BAD_HDR
    if header != PROTO_TCP:
        return NOT_TCP
    if offset:
        return TINY_FRAG if offset == 1 else FRAG
    forged = src[0] == 0xFF or src == bytes(16) or src[:12] == IPV4_MAPPED or dst[:12] == IPV4_MAPPED
    return _parse_tcp(frame, at, length, src, dst, fragment, forged)


def _parse_tcp(frame, at, length, src, dst, fragment, forged=False):
    """length: what the IP header leaves for TCP; the frame may be cut short or padded."""
    cut = TINY_FRAG if fragment else BAD_HDR
    if len(frame) < at + 20:
        return cut
    seq, ack, offset, flags, window = TCP_HEAD.unpack_from(frame, at + 4)
    header = offset >> 4 << 2
    if header < 20:
        return BAD_HDR
    if length < header or len(frame) < at + header:
        return cut
    seg = Segment(src + frame[at:at + 2], dst + frame[at + 2:at + 4], flags, seq, ack, window,
                  length - header, None, None, None, fragment)
    seg.forged = forged
    if header == 32 and frame[at + 20:at + 24] == NOP_NOP_TS:
        seg.ts = int.from_bytes(frame[at + 24:at + 28], 'big')
    elif header > 20:
        _parse_options(seg, frame[at + 20:at + header])
    return seg


def _parse_options(seg, options):
    """As Linux: a known kind of the wrong length is skipped, one that overruns ends the list."""
    at, size = 0, len(options)
    while at < size:
        kind = options[at]
        if kind == 0:
            return
        if kind == 1:
            at += 1
            continue
        if at + 1 >= size or options[at + 1] < 2 or at + options[at + 1] > size:
            return
        length = options[at + 1]
        if kind == 3 and length == 3 and seg.flags & SYN:
            seg.wscale = min(options[at + 2], WSCALE_MAX)
        elif kind == 8 and length == 10:
            seg.ts = int.from_bytes(options[at + 2:at + 6], 'big')
        elif kind == 5 and length >= 10 and length % 8 == 2 and not seg.flags & SYN:
            for block in range(at + 6, at + length, 8):
                edge = int.from_bytes(options[block:block + 4], 'big')
                if 0 < (edge - seg.sack) & M32 < 0x80000000:
                    seg.sack = edge
        at += length


def _be16(data, at):
    return data[at] << 8 | data[at + 1]


# ---- building


def options(wscale=None, ts=None, sack=None, mss=None, fastopen=False):
    """TCP options as Linux lays them out, padded to four bytes.  sack: a list of (left, right)."""
    out = b''
    if mss is not None:
        out += struct.pack('!BBH', 2, 4, mss)
    if ts is not None:
        out += NOP_NOP_TS + struct.pack('!II', ts & M32, 0)
    if wscale is not None:
        out += struct.pack('!BBBB', 1, 3, 3, wscale)
    if sack:
        out += struct.pack('!BBBB', 1, 1, 5, 2 + 8 * len(sack))
        for left, right in sack:
            out += struct.pack('!II', left & M32, right & M32)
    if fastopen:
        out += struct.pack('!BBQBB', 34, 10, 0x1122334455667788, 1, 1)
    return out


class Wire:
    """Frames of one direction of one flow.  They end with the headers: the payload is announced by
    the IP length and not carried, for nothing looks at it.  link: all before the EtherType."""
    __slots__ = ('head', 'tail', 'ipv6', 'pack')

    def __init__(self, src, sport, dst, dport, link=bytes(12)):
        ports = struct.pack('!HH', sport, dport)
        self.ipv6 = len(src) == 16
        if self.ipv6:
            self.head = link + b'\x86\xdd\x60\x00\x00\x00'
            self.tail = b'\x06\x40' + src + dst + ports
        else:
            self.head = link + b'\x08\x00\x45\x00'
            self.tail = b'\x00\x00\x40\x00\x40\x06\x00\x00' + src + dst + ports
        self.pack = struct.Struct(f'!{len(self.head)}sH{len(self.tail)}sIIHHI').pack

    def frame(self, flags, seq, ack, window, paylen=0, opts=b''):
        size = len(opts)
        length = 20 + size + paylen if self.ipv6 else 40 + size + paylen
        return self.pack(self.head, length, self.tail, seq & M32, ack & M32,
                         (20 + size) << 10 | flags, window, 0) + opts

    def fragment(self, flags, seq, ack, window, paylen, opts=b'', offset=0, more=True):
        """The same as a fragment, at offset in units of eight bytes."""
        frame = self.frame(flags, seq, ack, window, paylen, opts)
        at = len(self.head)
        if not self.ipv6:
            return frame[:at + 4] + struct.pack('!H', more << 13 | offset) + frame[at + 6:]
        length = 8 + _be16(frame, at)
        extra = struct.pack('!BxHI', PROTO_TCP, offset << 3 | more, 1)
        return (frame[:at] + struct.pack('!HB', length, FRAGMENT) + frame[at + 3:at + 36] + extra +
                frame[at + 36:])
