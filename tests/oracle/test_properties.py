# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds of any traffic, whatever the rules say in detail: order, cuts and the point of attaching do
not matter, and what an endpoint has sent is never unsaid.  Judged by the data path behind its runner."""
import itertools
import os
import random
import struct
import unittest

import flow as fl
from capture import read_capture
from datapath import (ANSWER, ANSWER_BYTES, BATCH, HALF, HALF_FIELDS, ROOT, VERDICTS, Datapath)
from differential import SETTINGS
from generate import segments
from packet import ACK, FIN, M32, PROTO_TCP, PSH, RST, SYN, Segment, parse
from test_differential import WHY_NOT

SEED = int(os.environ.get('SEED', 1))
CAPTURES = sorted((ROOT / 'tests/data').glob('*.pcap.gz'))
IP_AT = 14
SUPER_PACKET_MAX = 65535
LIFETIME_MS = 120_000  # of a segment in the network (RFC 9293 3.4.1): further apart is no accident

# A reset of an earlier or refused connection: its receiver ignores it, too.
RESETS = {'rst_old', 'rst_syn_sent', 'rst_above'}


class Packet:
    """A frame and what it says: key, side and segment are None if it is not TCP."""

    def __init__(self, now, frame):
        self.now, self.frame = now, frame
        seg = parse(frame)
        self.seg = seg if isinstance(seg, Segment) else None
        self.key = self.side = None
        if self.seg:
            self.key = min(seg.src, seg.dst), max(seg.src, seg.dst)
            self.side = int(seg.src > seg.dst)

    def item(self):
        return self.now, self.frame, False


def load(path):
    return [Packet(now, frame) for now, frame, _ in read_capture(path)]


class Judged:
    """One answer: verdict, was it dropped, halves by side (of the lower endpoint first)."""

    def __init__(self, data, side):
        verdict, _, _, self.dropped, _ = ANSWER.unpack_from(data)
        self.action, self.reason = VERDICTS[verdict]
        halves = [dict(zip(HALF_FIELDS, HALF.unpack_from(data, ANSWER.size + n * HALF.size))) for n in (0, 1)]
        self.halves = halves if side == 0 else halves[::-1]


def run(datapath, items):
    """-> the answers, from an empty table on"""
    items, answers, forget = iter(items), [], True
    while batch := list(itertools.islice(items, BATCH)):
        datapath.send(batch, forget)
        data = datapath.answers(len(batch))
        answers += [data[n:n + ANSWER_BYTES] for n in range(0, len(data), ANSWER_BYTES)]
        forget = False
    return answers


def reason_of(answer):
    return VERDICTS[answer[0]][1]


def dropped(answers):
    return {reason_of(answer) for answer in answers if answer[3]}


def last_states(packets, answers):
    """{key: both halves after the flow's last packet}"""
    return {packet.key: Judged(answer, packet.side).halves
            for packet, answer in zip(packets, answers) if packet.seg}


def concurrent(first, second, halves):
    """Could the network have shown these two of different directions the other way round?  Only if the
    second was not sent because of the first: it acknowledges nothing (nor by SACK) that the first brought
    and does not need the window that the first opened.  SYN and RST are left out: which came first is
    what they mean.  halves: before both."""
    if first.key != second.key or first.side == second.side or second.now - first.now > LIFETIME_MS:
        return False
    a, b = first.seg, second.seg
    if (a.flags | b.flags) & (SYN | RST):
        return False
    mine, theirs = halves[first.side], halves[second.side]
    brings = fl.after(a.end, mine['end'])
    if brings and fl.after(b.sack, mine['end']):
        return False
    return not fl.after(b.end, mine['right'])


def swap_some(packets, answers, bits):
    """Exchanges about half of the neighbours that may be; -> (packets, exchanges).  Times stay in place."""
    swapped, known, count, n = [], {}, 0, 0
    while n < len(packets):
        pair = packets[n:n + 2]
        if len(pair) == 2 and pair[0].key in known and concurrent(*pair, known[pair[0].key]) and bits(1):
            first, second = pair
            pair = [Packet(first.now, second.frame), Packet(second.now, first.frame)]
            count += 1
        else:
            del pair[1:]
        swapped += pair
        n += len(pair)
        if packets[n - 1].seg:
            known[packets[n - 1].key] = Judged(answers[n - 1], packets[n - 1].side).halves
    return swapped, count


def layout(frame):
    """-> (where the IP length stands, where the TCP header begins, where its payload begins); no IP options"""
    ipv6 = frame[12:14] == b'\x86\xdd'
    tcp = IP_AT + (40 if ipv6 else 20)
    return IP_AT + (4 if ipv6 else 2), tcp, tcp + (frame[tcp + 12] >> 4) * 4


def is_plain(frame):
    """Neither tags nor IP options nor extension headers."""
    return frame[12:15] == b'\x08\x00\x45' or frame[12:14] == b'\x86\xdd' and frame[IP_AT + 6] == PROTO_TCP


def options_of(packet):
    _, tcp, payload = layout(packet.frame)
    return packet.frame[tcp + 20:payload]


def mergeable(one, two):
    """As GRO sees it: in order, without a gap, the same but for payload, PSH and a last FIN."""
    a, b = one.seg, two.seg
    return (one.key == two.key and one.side == two.side and a.paylen and b.paylen and
            a.flags == ACK and b.flags & ~FIN == ACK and b.seq == a.end and a.ack == b.ack and
            a.window == b.window and is_plain(one.frame) and is_plain(two.frame) and
            options_of(one) == options_of(two) and
            a.paylen + b.paylen + 120 < SUPER_PACKET_MAX)


def merge(one, two):
    frame = bytearray(one.frame)
    length, tcp, _ = layout(frame)
    struct.pack_into('!H', frame, length, struct.unpack_from('!H', frame, length)[0] + two.seg.paylen)
    frame[tcp + 13] |= two.frame[tcp + 13] & (FIN | PSH)
    return Packet(one.now, bytes(frame))


def merge_all(packets):
    """-> [(packet, how many it was made of)]"""
    merged = []
    for packet in packets:
        if merged and packet.seg and merged[-1][0].seg and mergeable(merged[-1][0], packet):
            merged[-1] = merge(merged[-1][0], packet), merged[-1][1] + 1
        else:
            merged.append((packet, 1))
    return merged


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Properties(unittest.TestCase):
    def test_attach_anywhere(self):
        # From any twentieth of a capture on, while learning: no drop but of resets that are
        # ignored.
        with Datapath(['learn']) as datapath:
            for path in CAPTURES:
                items = [packet.item() for packet in load(path)]
                for part in range(20):
                    start = len(items) * part // 20
                    bad = dropped(run(datapath, items[start:])) - RESETS
                    self.assertEqual(bad, set(), f'{path.name} from packet {start + 1} on')

    def test_neighbours_of_different_directions_may_be_exchanged(self):
        exchanged = 0
        with Datapath() as datapath:
            for number, path in enumerate(CAPTURES):
                packets = load(path)
                answers = run(datapath, (packet.item() for packet in packets))
                want = last_states(packets, answers)
                for seed in range(2):
                    bits = random.Random(SEED * 1000 + number * 10 + seed).getrandbits
                    permuted, count = swap_some(packets, answers, bits)
                    got = run(datapath, (packet.item() for packet in permuted))
                    exchanged += count
                    self.assertEqual(dropped(got) - RESETS, set(), f'{path.name}, SEED={SEED}')
                    self.assertEqual(last_states(permuted, got), want, f'{path.name}, SEED={SEED}')
        self.assertGreater(exchanged, 1000)

    def test_merging_as_gro_does_changes_nothing(self):
        made = 0
        with Datapath() as datapath:
            for path in CAPTURES:
                packets = load(path)
                answers = run(datapath, (packet.item() for packet in packets))
                merged = merge_all(packets)
                got = run(datapath, (packet.item() for packet, _ in merged))
                at = 0
                for (_, parts), answer in zip(merged, got):
                    singles = answers[at:at + parts]
                    at += parts
                    if parts > 1:
                        made += 1
                        self.assertFalse(answer[3], f'{path.name}, packet {at}: {reason_of(answer)}')
                    if len({single[0] for single in singles}) == 1:
                        self.assertEqual(reason_of(answer), reason_of(singles[0]), f'{path.name}, packet {at}')
                self.assertEqual(last_states([packet for packet, _ in merged], got), last_states(packets, answers),
                                 path.name)
        self.assertGreater(made, 1000)

    def test_end_ack_and_right_never_go_back(self):
        # Of one connection: a segment that begins another one, or this half of it, starts anew.
        anew = {'new', 'reopen', 'tw_reuse', 'syn_reinit', 'simopen', 'synack', 'pickup'}
        for number, settings in enumerate(([], ['learn'], SETTINGS)):
            stream = segments(SEED * 100 + number)
            packets, items = [], []
            for now, frame, _, own in itertools.islice(stream, 20_000):
                packets.append(Packet(now, frame))
                items.append((now, frame, own))
            with Datapath(settings) as datapath:
                answers = run(datapath, items)
            known = {}
            for n, (packet, data) in enumerate(zip(packets, answers)):
                if not packet.seg:
                    continue
                judged = Judged(data, packet.side)
                before, after = known.get(packet.key), judged.halves
                if before and judged.reason not in anew:
                    self.check_grown(before, after, f'SEED={SEED}, {settings}, packet {n}: {judged.reason}')
                known[packet.key] = after if any(half['facts'] for half in after) else None

    def check_grown(self, before, after, what):
        if not any(half['facts'] for half in after):
            return  # the flow is gone
        for old, new in zip(before, after):
            for name, fact in (('end', fl.SYN | fl.PICKUP), ('ack', fl.HASACK), ('right', fl.HASACK)):
                if old['facts'] & fact:
                    # Half a circle is ahead as much as behind.
                    self.assertLessEqual((new[name] - old[name]) & M32, 1 << 31, f'{what}: {name} went back')


if __name__ == '__main__':
    unittest.main()
