# SPDX-License-Identifier: GPL-2.0-or-later
"""Endless random TCP conversations, many at a time, leaning to the edges of every rule: for comparing
the data path with the oracle.  The endpoints are sketches that follow their own segments only, so
what they send is mostly, not always, what a real pair would.  Same seed, same segments."""
import random
import struct

from packet import ACK, FIN, M32, RST, SYN, URG, NOP_NOP_TS, Wire, options

CONVERSATIONS = 32
LIFETIME_BITS = 7  # segments of the longest conversations, as a power of two

TIMESTAMPS = struct.Struct('!4sII').pack
LENGTHS = (1, 1, 2, 10, 100, 536, 1000, 1448, 1448, 1448, 1448, 1448, 2896, 8000, 64000, 1)
WINDOWS = (0, 1, 500, 1000, 8000, 16000, 29200, 32000, 64240, 65535, 65535, 65535, 2920, 512, 255, 0)
WSCALES = (None, None, 0, 1, 2, 4, 7, 7, 7, 8, 10, 14, 14, 15, None, 7)
ISNS = (0, 1, 0x7FFFFFF0, 0x80000000, 0x80000001, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF)
NUDGES = (-70000, -66001, -66000, -65999, -2, -1, 0, 0, 0, 0, 1, 2, 65999, 66000, 66001, 1 << 20)
LEAPS = (1 << 20, (1 << 20) + 1, (1 << 20) - 1, 1 << 21, 1 << 29, 1 << 30, (1 << 30) - 1, 1 << 31)
PAUSES_MS = ((99, 100, 101, 1000, 1900, 2000) * 8 +
             (60_000, 60_000, 60_000, 60_000, 120_000, 120_000, 120_000, 120_000) +
             (240_000, 240_000, 240_000, 300_000, 300_000, 3_600_000, 3_600_000, 86_400_000))
FRAME_MIN = 54  # Linux runs no shorter one at TC
TAGS = (b'\x81\x00\x00\x07', b'\x88\xa8\x00\x07\x81\x00\x00\x08', b'\x91\x00\x20\x07')


class Peer:
    __slots__ = ('side', 'wire', 'isn', 'nxt', 'ack', 'right', 'window', 'wscale', 'shift', 'ts', 'fin')


class Conversation:
    """One pair of endpoints; each step() makes one segment."""
    __slots__ = ('bits', 'peers', 'own_side', 'left', 'opening', 'synced', 'last_ms', 'pending')

    def __init__(self, bits):
        self.bits = bits  # random bits: Random.getrandbits
        self.peers = ()
        self.left = 0
        self.last_ms = 0

    def renew(self):
        """Other endpoints: other addresses, perhaps another family."""
        bits = self.bits
        size = 16 if bits(2) == 0 else 4
        here, there = (bytes((10,)) + bytes(size - 3) + struct.pack('!H', bits(16)) for _ in '12')
        a, b = (here, 1024 + bits(12)), (there, 80 + bits(2))
        link = bytes(12) + TAGS[bits(1)] if bits(4) == 0 else bytes(12)
        self.peers = Peer(), Peer()
        for peer, src, dst in ((self.peers[0], a, b), (self.peers[1], b, a)):
            peer.side = int(src[0] + struct.pack('!H', src[1]) > dst[0] + struct.pack('!H', dst[1]))
            peer.wire = Wire(*src, *dst, link)
            peer.isn = peer.nxt = bits(32)
            peer.ts = bits(32) if bits(1) else None
        self.own_side = (0, 1, None, None)[bits(2)]
        self.open()

    def open(self):
        """A new incarnation between the same endpoints, whatever became of the last one."""
        bits = self.bits
        if bits(3) == 0:
            self.peers = self.peers[::-1]
        for peer in self.peers:
            kind = bits(3)
            if kind < 4:
                peer.isn = (peer.nxt + NUDGES[bits(4)] + (bits(20) if kind else 0)) & M32
            else:
                peer.isn = ISNS[bits(3)] if kind < 6 else bits(32)
            peer.nxt = peer.isn
            peer.ack = peer.right = 0
            peer.window = WINDOWS[bits(4)] if bits(1) else 65535
            peer.wscale = WSCALES[bits(4)]
            peer.shift = 0
            peer.fin = False
            if bits(4) == 0:
                peer.ts = None if peer.ts is not None else ISNS[bits(3)]
        self.left = 1 + bits((4, 6, 6, LIFETIME_BITS)[bits(2)])
        self.pending = None
        self.synced = bits(6) == 0  # begins in mid-stream
        self.opening = self.script() if not self.synced else None
        if self.synced:
            a, b = self.peers
            a.ack, b.ack = b.nxt, a.nxt
            a.right, b.right = (a.ack + 65535) & M32, (b.ack + 65535) & M32

    def script(self):
        """The usual ways to open a connection."""
        a, b = self.peers
        kind = self.bits(4)
        yield self.syn(a, self.bits(10) if kind == 0 else 0)
        if kind == 1:  # simultaneous
            yield self.syn(b, 0)
            a.ack, b.ack = b.nxt, a.nxt
            if self.bits(1):
                yield self.emit(a, SYN | ACK, a.isn, a.ack, 0, self.syn_options(a))
                yield self.emit(b, SYN | ACK, b.isn, b.ack, 0, self.syn_options(b))
        else:
            if kind == 2:  # not heard, or another try
                yield self.syn(a, self.bits(4) if self.bits(1) else 0)
            if kind == 3:  # a stale answer first, and the RST for it
                ack = self.bits(32)
                yield self.emit(b, (ACK, SYN | ACK)[self.bits(1)], self.bits(32), ack, 0)
                yield self.emit(a, RST, ack, 0, 0, b'')
            if kind == 4:
                yield self.emit(b, ACK, b.isn + 1, a.nxt, self.bits(10))
            if kind == 5:
                yield self.reset(self.bits(1) and a or b)
            if kind == 0 and self.bits(1):  # the data in the SYN is refused
                a.nxt = (a.isn + 1) & M32
            b.nxt = (b.isn + 1) & M32
            b.ack = a.nxt
            b.right = (b.ack + b.window) & M32
            yield self.emit(b, SYN | ACK, b.isn, b.ack, 0, self.syn_options(b))
            if kind == 8:  # another server of the same address answers too
                a.ack, b.nxt = b.nxt, (b.isn + 2 + self.bits(20)) & M32
                yield self.emit(b, SYN | ACK, b.nxt - 1, b.ack, 0, self.syn_options(b))
                if self.bits(1):
                    yield self.send(a)
            if kind == 6 or kind == 0:  # the server does not wait
                for _ in range(self.bits(2)):
                    yield self.send(b)
        a.ack = b.nxt
        if a.wscale is not None and b.wscale is not None:
            a.shift, b.shift = min(a.wscale, 14), min(b.wscale, 14)
        self.synced = True
        yield self.send(a) if kind == 7 else self.acknowledge(a, b)

    def step(self):
        """-> (frame, peer that sends it)"""
        self.left -= 1
        if self.opening:
            if self.bits(5) == 0:
                return STRAY[self.bits(5)](self, *self.pair())
            for emitted in self.opening:
                return emitted
            self.opening = None
        choice = self.bits(8)
        if choice < len(STRAY):
            return STRAY[choice](self, *self.pair())
        return USUAL[choice](self, *self.pair())

    def pair(self):
        peers = self.peers
        return peers if self.bits(1) else peers[::-1]

    def emit(self, x, flags, seq, ack, paylen, opts=None):
        bits = self.bits
        ts = x.ts
        if opts is None:
            opts = b''
            if ts is not None:
                if not bits(3):
                    x.ts = ts = (ts + bits(4)) & M32
                opts = TIMESTAMPS(NOP_NOP_TS, ts, 0)
        if not bits(6):
            if bits(1):
                return x.wire.fragment(flags, seq, ack, x.window, paylen, opts, *FRAGMENTS[bits(2)]), x
            flags |= bits(8) & 0xC8  # PSH, ECE, CWR
        return x.wire.frame(flags, seq, ack, x.window, paylen, opts), x

    # ---- what endpoints do

    def syn_options(self, x):
        if x.wscale is None and x.ts is None:
            return b''
        return options(wscale=x.wscale, ts=x.ts)

    def syn(self, x, paylen):
        x.nxt = (x.isn + 1 + paylen) & M32
        return self.emit(x, SYN, x.isn, 0, paylen, self.syn_options(x))

    def send(self, x, y=None):
        seq, length = x.nxt, LENGTHS[self.bits(4)]
        if x.fin:
            return self.acknowledge(x)
        if y is not None:
            room = (y.right - seq) & M32
            if room > 0x7FFFFFFF or room < length and self.bits(2):
                return self.acknowledge(y, x)
            if not self.bits(6):  # far ahead, the rest comes by another way
                seq = (seq + (room >> self.bits(2))) & M32
        x.nxt = (seq + length) & M32
        return self.emit(x, ACK, seq, x.ack, length)

    def acknowledge(self, x, y=None):
        if y is not None:
            bits = self.bits
            if not bits(3):
                x.window = WINDOWS[bits(4)]
            ahead = (y.nxt - x.ack) & M32
            if ahead < 0x80000000:
                x.ack = (x.ack + ((ahead >> 1) if not bits(4) else ahead)) & M32
            right = (x.ack + (x.window << x.shift)) & M32
            if (right - x.right) & M32 < 0x80000000 or not x.right:
                x.right = right
        return self.emit(x, ACK, x.nxt, x.ack, 0)

    def sack(self, x, y):
        left = (y.nxt - self.bits(11)) & M32
        opts = options(ts=x.ts, sack=[(left, y.nxt + (self.bits(1) if not self.bits(3) else 0))])
        return self.emit(x, ACK, x.nxt, x.ack, 0, opts)

    def resend(self, x, _):
        length = LENGTHS[self.bits(4)]
        back = length if self.bits(2) else self.bits(18)
        keep = x.ts
        if keep is not None and not self.bits(2):
            x.ts = (keep - self.bits(6)) & M32
        emitted = self.emit(x, ACK, x.nxt - back - x.fin, x.ack, length)
        x.ts = keep
        return emitted

    def keepalive(self, x, y):
        if self.bits(1):
            x.ack, y.ack = y.nxt, x.nxt
        return self.emit(x, ACK, x.nxt - 1, x.ack, self.bits(1))

    def probe(self, x, y):
        if y.window and self.bits(1):
            y.window = 0
            return self.acknowledge(y, x)
        return self.emit(x, ACK, (y.ack - 1, y.ack, y.right, y.right + 1)[self.bits(2)], x.ack, self.bits(1))

    def finish(self, x, y):
        if self.bits(1):
            x.ack = y.nxt
        if x.fin:
            return self.emit(x, FIN | ACK, x.nxt - 1, x.ack, 0)
        if self.left > 40 and self.bits(2):
            return self.send(x, y)
        seq, length = x.nxt, LENGTHS[self.bits(4)] if not self.bits(2) else 0
        x.nxt = (seq + length + 1) & M32
        x.fin = True
        return self.emit(x, FIN | ACK, seq, x.ack, length)

    def reset(self, x, y=None):
        self.left = min(self.left, 16)
        kind = self.bits(2)
        seq = x.nxt if kind < 2 or y is None else y.ack if kind == 2 else y.ack - 1
        return self.emit(x, RST | (ACK if self.bits(1) else 0), seq, x.ack, 0, b'')

    # ---- what they do not, or only another incarnation or an attacker does

    def edge(self, x, y):
        """A number that some rule compares with."""
        bits = self.bits
        base = (x.nxt, y.ack, y.right, x.isn)[bits(2)]
        return base + (NUDGES[bits(4)] if bits(2) else LEAPS[bits(3)] * (1, -1)[bits(1)])

    def inject(self, x, y):
        seq = self.edge(x, y)
        ack = self.edge(y, x) if self.bits(1) else x.ack
        return self.emit(x, ACK, seq, ack, LENGTHS[self.bits(4)] if self.bits(1) else 0)

    def inject_fin(self, x, y):
        seq = self.edge(x, y) if self.bits(1) else x.nxt + self.bits(8)
        return self.emit(x, FIN | ACK, seq, x.ack, self.bits(2))

    def inject_reset(self, x, y):
        ack = y.isn + 1 if self.bits(1) else self.edge(y, x)
        return self.emit(x, RST | (ACK if self.bits(1) else 0), self.edge(x, y), ack, 0, b'')

    def inject_syn(self, x, y):
        """Remembered: its SYN-ACK or the answer to a challenge may follow."""
        bits = self.bits
        seq = (self.edge(x, y) if bits(1) else x.isn) & M32
        length = bits(8) if not bits(3) else 0
        self.pending = (x, seq, length)
        return self.emit(x, SYN, seq, 0, length, self.syn_options(x))

    def inject_synack(self, x, y):
        bits = self.bits
        seq = x.isn if bits(1) else self.edge(x, y)
        ack = y.isn + 1 if bits(1) else self.edge(y, x)
        if self.pending and self.pending[0] is y and bits(2):
            _, isn, length = self.pending
            self.pending = None
            y.isn, y.nxt = isn, (isn + 1 + length) & M32
            x.isn, x.nxt = seq & M32, (seq + 1) & M32
            ack = x.ack = y.nxt
            y.ack, y.right = x.nxt, (x.nxt + 65535) & M32
            x.right = (ack + x.window) & M32
            x.fin = y.fin = False
        return self.emit(x, SYN | ACK, seq, ack, 0, self.syn_options(x))

    def storm(self):
        """More SYNs, SYN-ACKs or RSTs at once than the rate limits let through."""
        x, y = self.pair()
        kind = self.bits(2)
        for _ in range(24):
            if kind == 0:
                yield self.emit(x, SYN, x.isn, 0, 0)
            elif kind == 1:
                yield self.emit(x, SYN, x.nxt + 1 + self.bits(6), 0, 0)
            elif kind == 2:
                yield self.emit(x, SYN | ACK, x.isn, y.nxt + 1 + self.bits(6), 0)
            else:
                yield self.emit(x, RST, y.ack + 32 - self.bits(6), 0, 0)

    def old_clock(self, x, y):
        """New data with a timestamp about as old as PAWS tolerates."""
        keep, length = x.ts, 1 + self.bits(8)
        if keep is not None:
            x.ts = (keep - (1 << 20) + self.bits(2) - 2) & M32
        emitted = self.emit(x, ACK, x.nxt, x.ack, length)
        x.nxt = (x.nxt + length) & M32
        x.ts = keep
        return emitted

    def odd_flags(self, x, _):
        return self.emit(x, self.bits(6), x.nxt, x.ack, self.bits(1))

    def urgent(self, x, y):
        return self.emit(x, ACK | URG, x.nxt, x.ack, 0)


# One entry is one chance in 256.
STRAY = ([Conversation.inject] * 12 + [Conversation.inject_fin] * 3 + [Conversation.inject_reset] * 4 +
         [Conversation.inject_syn] * 4 + [Conversation.inject_synack] * 6 + [Conversation.odd_flags] +
         [Conversation.old_clock] + [Conversation.urgent])
USUAL = (STRAY + [Conversation.send] * 96 + [Conversation.acknowledge] * 64 + [Conversation.resend] * 16 +
         [Conversation.sack] * 12 + [Conversation.finish] * 14 + [Conversation.keepalive] * 10 +
         [Conversation.probe] * 10 + [Conversation.reset] * 2)
FRAGMENTS = ((0, True), (0, True), (185, False), (1, True))
assert len(STRAY) == 32 and len(USUAL) == 256


def segments(seed):
    """-> (now_ms, frame, from_lower, own), without end: from_lower, sent by the endpoint whose address
    and port are the lower; own, sent by this host.  Some come late or twice, or in storms; time leaps."""
    bits = random.Random(seed).getrandbits
    conversations = [Conversation(bits) for _ in range(CONVERSATIONS)]
    late = []
    now = 1000
    while True:
        luck = bits(11)
        conversation = conversations[bits(5)]
        if luck < 2:
            now = max(now, conversation.last_ms + PAUSES_MS[bits(6)] + luck)
        else:
            now += luck >> 9
        if not conversation.left:
            if bits(1) or not conversation.peers:
                conversation.renew()
            else:
                conversation.open()
        emissions = conversation.storm() if luck == 2 else (conversation.step(),)
        conversation.last_ms = now
        for frame, peer in emissions:
            own = peer.side == conversation.own_side and luck & 0x3F != 0x3F  # else an attacker outside
            item = (frame, peer.side == 0, own)
            if luck & 0x1F0 == 0x1F0:
                late.append(item)
                if luck & 1 and not conversation.opening:
                    continue
            yield now, *item
        if late and luck & 0x1C0 == 0x180:
            yield now, *late.pop()


# Bytes that mean something to a parser: protocols, extension headers, tags, lengths.
TELLING = (0, 255, 6, 43, 44, 51, 60, 0x81, 0x88, 0xA8, 0x45, 0x46, 0x60, 1, 2, 3)


def mangled(seed, frames):
    """(now_ms, frame, own) -> the same with about half of the frames damaged behind the MAC addresses, or cut."""
    bits = random.Random(seed).getrandbits
    for now, frame, own in frames:
        if bits(1):
            damaged = bytearray(frame)
            for _ in range(1 + bits(1)):
                at = 12 + bits(16) % (len(damaged) - 12)
                choice = bits(2)
                damaged[at] = TELLING[bits(4)] if choice == 0 else bits(8) if choice == 1 else damaged[at] ^ 1 << bits(3)
            if not bits(4):
                del damaged[FRAME_MIN + bits(5):]
            frame = bytes(damaged)
        yield now, frame, own
