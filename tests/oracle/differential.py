#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the data path with the oracle packet by packet, over random conversations or captures.  A
difference is reduced to a minimal conversation (shrink.py).

usage: differential.py [-s SEED] [-n PACKETS] [-m MANGLED_PACKETS] [SETTING...]
       differential.py [SETTING...] CAPTURE.pcap[.gz]...
SETTING: learn, strict, monitor"""
import argparse
import itertools
import sys

from capture import read_capture
from datapath import Datapath, compare, tracker_of
from generate import mangled, segments
from packet import NOT_TCP, parse
from shrink import explain

SETTINGS = ('learn', 'strict', 'monitor')


def conversations(seed, count, mangle=False):
    frames = ((now, frame, own) for now, frame, _, own in itertools.islice(segments(seed), count))
    return mangled(seed, frames) if mangle else frames


def fuzz(datapath, settings, seed, count, mangle=False):
    """-> None, or the report of the first difference."""
    difference = compare(datapath, tracker_of(settings), conversations(seed, count, mangle))
    if difference is None:
        return None
    number, want, got = difference
    again = f'tests/oracle/differential.py -s {seed} {"-n 0 -m" if mangle else "-n"} {number + 1} {" ".join(settings)}'
    items = list(conversations(seed, number + 1, mangle))
    return f'seed {seed}, packet {number}: {again}\n' + explain(datapath, settings, items, want, got)


def replay(datapath, settings, path):
    """All TCP packets as if received -> (packets, None or the report of the first difference).  The
    oracle knows nothing of ICMP errors about known flows."""
    items = [item for item in read_capture(path) if parse(item[1]) != NOT_TCP]
    difference = compare(datapath, tracker_of(settings), items)
    if difference is None:
        return len(items), None
    number, want, got = difference
    return len(items), f'{path}, packet {number}\n' + explain(datapath, settings, items[:number + 1], want, got)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('-n', dest='count', type=int, default=100_000)
    parser.add_argument('-s', dest='seed', type=int, default=1)
    parser.add_argument('-m', dest='mangled', type=int, default=0)
    parser.add_argument('words', nargs='*')
    options = parser.parse_args()
    settings = [word for word in options.words if word in SETTINGS]
    captures = [word for word in options.words if word not in SETTINGS]
    failed = 0
    with Datapath(settings) as datapath:
        for path in captures:
            packets, report = replay(datapath, settings, path)
            print(report or f'{path}: {packets} packets, no difference')
            failed += bool(report)
        if not captures:
            report = fuzz(datapath, settings, options.seed, options.count)
            report = report or fuzz(datapath, settings, options.seed, options.mangled, mangle=True)
            print(report or f'seed {options.seed}: {options.count} + {options.mangled} packets, no difference')
            failed += bool(report)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
