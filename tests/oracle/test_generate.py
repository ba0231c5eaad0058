# SPDX-License-Identifier: GPL-2.0-or-later
"""The generator reaches every verdict of the tracker, the same way each time, and whatever it sends
keeps the invariants of the memory: numbers that only grow, and no FIN that ends elsewhere."""
import itertools
import unittest
from collections import Counter

import flow as fl
import verdict as verdicts
from generate import segments
from oracle import Tracker, flow_key
from packet import M32, Segment, parse

SEGMENTS = 60000
PROFILES = ({}, {'learn': True}, {'strict': True}, {'enforce': False})


def grew(new, old):
    """Also by 2 GiB exactly, which is neither before nor after: our own segments are believed."""
    return (new - old) & M32 <= 1 << 31


class Generate(unittest.TestCase):
    def test_same_seed_same_segments(self):
        first, again = (list(itertools.islice(segments(7), 2000)) for _ in '12')
        self.assertEqual(first, again)
        self.assertNotEqual(first, list(itertools.islice(segments(8), 2000)))

    def test_side_and_time(self):
        last = 0
        for now, frame, from_lower, _ in itertools.islice(segments(7), 5000):
            seg = parse(frame)
            if isinstance(seg, Segment):
                self.assertEqual(flow_key(seg)[1] == 0, from_lower)
            self.assertGreaterEqual(now, last)
            last = now

    def test_reaches_every_verdict(self):
        seen = Counter()
        for settings in PROFILES:
            tracker = Tracker(**settings)
            for now, frame, _, own in itertools.islice(segments(3), SEGMENTS):
                seen[tracker.process_frame(frame, now, own)] += 1
        known = {v for v in vars(verdicts).values() if isinstance(v, tuple)} | set(verdicts.STRICT.values())
        self.assertEqual(known - set(seen) - {verdicts.LAND}, set())

    def test_numbers_only_grow(self):
        for settings in PROFILES:
            tracker = Tracker(**settings)
            for now, frame, _, own in itertools.islice(segments(4), SEGMENTS // 4):
                seg = parse(frame)
                if isinstance(seg, str):
                    continue
                before = tracker.find(seg)[0]
                old = before and [(half.end, half.ack, half.right, half.isn, half.facts) for half in before.half]
                seg.own = own
                action, _ = tracker.process(seg, now)
                flow, side = tracker.find(seg)
                if flow is None or flow is not before:
                    continue
                for half, (end, ack, right, isn, facts) in zip(flow.half, old):
                    if half.isn != isn or not facts & fl.SYN:
                        continue
                    self.assertTrue(grew(half.end, end))
                    if facts & fl.HASACK:
                        self.assertTrue(grew(half.ack, ack) and grew(half.right, right))
                other = flow.half[side ^ 1]
                self.assertEqual((other.end, other.ack, other.right, other.isn, other.facts), old[side ^ 1])
                if action == 'drop' and tracker.enforce and not own:
                    self.assertEqual([(h.end, h.ack, h.right, h.isn, h.facts) for h in flow.half], old)


if __name__ == '__main__':
    unittest.main()
