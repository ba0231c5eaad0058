# SPDX-License-Identifier: GPL-2.0-or-later
"""The data path judges a million random packets as the oracle does, in every combination of settings,
and a difference is reduced to the few segments that show it.  SEED=n begins with other conversations."""
import itertools
import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import oracle
from datapath import BUILD, Datapath, compare, tracker_of
from differential import SETTINGS, fuzz
from regressions import ONCE_DIFFERED
from shrink import explain, read_talk, to_items
from verdict import KEEPALIVE, OK

SEED = int(os.environ.get('SEED', 1))
COMBINATIONS = [[s for s, on in zip(SETTINGS, chosen) if on] for chosen in itertools.product((0, 1), repeat=3)]
PACKETS = 125_000  # of each combination: a million
MANGLED = 25_000

WHY_NOT = None
if os.geteuid():
    WHY_NOT = 'loading BPF programs needs root'
elif not (BUILD / 'tests/oracle/runner').exists():
    WHY_NOT = f'no {BUILD}/tests/oracle/runner: make tests'


def run_differential(job):
    command = [sys.executable, Path(__file__).with_name('differential.py'), *job]
    return subprocess.run(command, capture_output=True, text=True)


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Differential(unittest.TestCase):
    def test_a_million_packets(self):
        jobs = [['-s', str(SEED + number), '-n', str(PACKETS), '-m', str(MANGLED), *settings]
                for number, settings in enumerate(COMBINATIONS)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            failed = [done for done in pool.map(run_differential, jobs) if done.returncode]
        if failed:
            self.fail('\n'.join(done.stdout + done.stderr for done in failed))

    def test_what_once_differed(self):
        with Datapath(['learn']) as datapath:
            for why, conversation in ONCE_DIFFERED:
                with self.subTest(why):
                    self.assertIsNone(compare(datapath, tracker_of(['learn']), to_items(read_talk(conversation))))

    def test_a_difference_is_reduced(self):
        with Datapath() as datapath:
            right = oracle.classify
            with mock.patch.object(oracle, 'classify', lambda *a: OK if right(*a) is KEEPALIVE else right(*a)):
                report = fuzz(datapath, [], 5, 20_000)
        self.assertIn('seed 5, packet ', report)
        self.assertEqual(report.count('\n  c ') + report.count('\n  s '), 3, report)
        self.assertIn('verdict: oracle pass ok, data path pass keepalive', report)

    def test_a_table_of_segments(self):
        items = to_items(read_talk('c S 7\n s S. 9 8\n wait 70000\n c . 8 10 win=1'))
        wrong = mock.patch.object(oracle.fl, 'TIMEOUT_MS', (60_000, 90_000) + oracle.fl.TIMEOUT_MS[2:])
        with Datapath() as datapath, wrong:
            number, want, got = compare(datapath, tracker_of([]), items)
            self.assertEqual(number, 2)
            self.assertEqual([line.split() for line in explain(datapath, [], items, want, got).splitlines()][1:5], [
                ['segment', 'oracle', 'data', 'path'],
                'c S 1000 pass new SYN_SENT/LISTEN pass new SYN_SENT/LISTEN'.split(),
                's S. 5000 1001 pass synack SYN_SENT/SYN_RECEIVED pass synack SYN_SENT/SYN_RECEIVED'.split(),
                'wait 70000 c . 1001 5001 pass ok ESTABLISHED/ESTABLISHED drop no_flow CLOSED/CLOSED'.split()])


if __name__ == '__main__':
    unittest.main()
