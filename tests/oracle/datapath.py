# SPDX-License-Identifier: GPL-2.0-or-later
"""Both judges of a packet: the data path behind its runner (runner.c), and the oracle in the same
form of answer.  What they must agree on: verdict, whether it was dropped, the states of both endpoints,
the moment the timeout counts from, and all that is remembered of the flow."""
import itertools
import os
import struct
import subprocess
from pathlib import Path

import flow as fl
from oracle import Tracker
from packet import BAD_HDR, M32, Segment, parse
from verdict import BAD_FLAGS, DROP, LAND

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get('TCPGUARD_BUILD', ROOT / 'build'))
BATCH = 2000

RECORD = struct.Struct('<QBH').pack
COUNT = struct.Struct('<I').pack
ANSWER = struct.Struct('<BBBBI')
HALF = struct.Struct('<7IHHBB')
ANSWER_BYTES = ANSWER.size + 2 * HALF.size
HALF_FIELDS = ('end', 'ack', 'right', 'maxwin', 'isn', 'aux', 'tsmax', 'facts', 'window', 'wscale', 'aux_kind')
NO_FLOW = bytes(ANSWER_BYTES - 4)
NO_WSCALE = 255
UNTRACKED = BAD_FLAGS, LAND, (DROP, BAD_HDR)  # verdicts before any look-up


# The data path's enums, as the runner tells them: (action, reason) of each verdict, name of each
# state.
VERDICTS, STATES = [], []
VERDICT_ID, STATE_ID = {}, {}


def learn_names(line):
    verdicts, states = line.decode().strip().split(';')
    VERDICTS[:] = [tuple(row.split()) for row in verdicts.split(',')]
    STATES[:] = states.split(',')
    VERDICT_ID.update((verdict, number) for number, verdict in enumerate(VERDICTS))
    STATE_ID.update((name, number) for number, name in enumerate(STATES))


class Datapath:
    """A runner (runner.c) with its own maps."""

    def __init__(self, settings=()):
        self.process = subprocess.Popen([BUILD / 'tests/oracle/runner', *settings], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        names = self.process.stdout.readline()
        if not names:
            raise RuntimeError(f'the runner ended with exit code {self.process.wait()}')
        learn_names(names)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def send(self, items, forget=False):
        """items: (now_ms, frame, own); forget all flows first?  The answers come after all is read."""
        batch = b''.join(RECORD(now, own, len(frame)) + frame for now, frame, own in items)
        if forget:
            batch = RECORD(0, 0, 0) + batch
        self.process.stdin.write(COUNT(len(batch)) + batch)
        self.process.stdin.flush()

    def answers(self, count):
        """-> bytes, ANSWER_BYTES a packet"""
        answers = self.process.stdout.read(count * ANSWER_BYTES)
        if len(answers) != count * ANSWER_BYTES:
            raise RuntimeError(f'the runner ended with exit code {self.process.wait()}')
        return answers


def tracker_of(settings):
    return Tracker(learn='learn' in settings, strict='strict' in settings, enforce='monitor' not in settings)


def describe_half(half):
    facts = half.facts
    known = facts & fl.HASACK
    return HALF.pack(half.end, known and half.ack, known and half.right, half.maxwin, half.isn,
                     half.aux_kind and half.aux, facts & fl.HASTS and half.tsmax, facts, half.window,
                     NO_WSCALE if half.wscale is None else half.wscale, half.aux_kind)


def expect(tracker, now, frame, own):
    """-> the answer the data path must give."""
    seg = parse(frame)
    if not isinstance(seg, Segment):
        verdict, flow = tracker.process_frame(frame, now, own), None
    else:
        seg.own = own
        verdict = tracker.process(seg, now)
        flow, side = tracker.find(seg)
    dropped = verdict[0] is DROP and tracker.enforce and not own
    if flow is None or verdict in UNTRACKED:
        return bytes((VERDICT_ID[verdict], 0, 0, dropped)) + NO_FLOW
    sender, receiver = flow.half[side], flow.half[side ^ 1]
    return ANSWER.pack(VERDICT_ID[verdict], STATE_ID[fl.endpoint_state(sender, receiver)],
                       STATE_ID[fl.endpoint_state(receiver, sender)], dropped,
                       flow.stamp & M32) + describe_half(sender) + describe_half(receiver)


class Answer:
    """One answer, taken apart for people."""

    def __init__(self, data):
        verdict, sender, receiver, self.dropped, stamp = ANSWER.unpack_from(data)
        self.verdict = VERDICTS[verdict]
        self.states = f'{STATES[sender]}/{STATES[receiver]}'
        self.fields = {'verdict': ' '.join(self.verdict), 'states': self.states, 'dropped': self.dropped,
                       'stamp': stamp}
        for at, who in ((ANSWER.size, 'sender'), (ANSWER.size + HALF.size, 'receiver')):
            for name, value in zip(HALF_FIELDS, HALF.unpack_from(data, at)):
                self.fields[f'{who}.{name}'] = value

    def against(self, other):
        """-> {field: (own value, the other's)} where they differ"""
        return {name: (value, other.fields[name]) for name, value in self.fields.items()
                if value != other.fields[name]}


def compare(datapath, tracker, items, forget=True):
    """-> (number of the first packet judged differently, want, got), or None.  Both judge at a time."""
    items = iter(items)
    done = 0
    while batch := list(itertools.islice(items, BATCH)):
        datapath.send(batch, forget)
        want = b''.join(expect(tracker, *item) for item in batch)
        got = datapath.answers(len(batch))
        if want != got:
            for n in range(len(batch)):
                part = slice(n * ANSWER_BYTES, (n + 1) * ANSWER_BYTES)
                if want[part] != got[part]:
                    return done + n, Answer(want[part]), Answer(got[part])
        done += len(batch)
        forget = False
    return None
