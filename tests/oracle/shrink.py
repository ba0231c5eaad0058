# SPDX-License-Identifier: GPL-2.0-or-later
"""Reduces packets over which oracle and data path differ to a minimal conversation, printed in the
language of talk.py.  A reduction is kept if the first difference is still the same one."""
from datapath import Answer, compare, expect, tracker_of
from oracle import flow_key
from packet import ACK, FIN, M32, RST, SYN, URG, Segment, Wire, options, parse
from talk import Talk

LETTERS = ((SYN, 'S'), (FIN, 'F'), (RST, 'R'), (ACK, '.'), (URG, 'U'))
ADDRESSES = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
PORTS = 1000, 80
FIRST_MS, FIRST_SEQ = 1000, (1000, 5000)
# What each field is tried as, the plainest first.
PLAIN = {'wait': (0,), 'own': (False,), 'wscale': (None, 0, 7), 'ts': (None,), 'sack': (None,),
         'fragment': (False,), 'paylen': (0, 1, 10, 100), 'window': (65535, 1000, 1, 0)}


class Step(dict):
    """One segment, the fields of Segment; wait in ms before it, side 0 of the one that speaks first."""

    @classmethod
    def of(cls, seg, wait, own, side):
        return cls(wait=wait, own=own, side=side, flags=seg.flags, seq=seg.seq, ack=seg.ack, window=seg.window,
                   paylen=seg.paylen, wscale=seg.wscale, ts=seg.ts, sack=None if seg.sack == seg.ack else seg.sack,
                   fragment=seg.fragment)

    def frame(self, wires):
        opts = options(wscale=self['wscale'], ts=self['ts'],
                       sack=None if self['sack'] is None else [(self['sack'] - 1, self['sack'])])
        build = wires[self['side']].fragment if self['fragment'] else wires[self['side']].frame
        return build(self['flags'], self['seq'], self['ack'], self['window'], self['paylen'], opts)

    def text(self):
        words = ['cs'[self['side']], ''.join(letter for bit, letter in LETTERS if self['flags'] & bit) or '-',
                 str(self['seq'] & M32) + (f'+{self["paylen"]}' if self['paylen'] else '')]
        if self['flags'] & ACK:
            words.append(str(self['ack'] & M32))
        for name, value, plain in (('win', self['window'], 65535), ('ws', self['wscale'], None),
                                   ('ts', self['ts'], None), ('sack', self['sack'], None)):
            if value != plain:
                words.append(f'{name}={value}')
        return ' '.join(words + ['frag'] * self['fragment'] + ['own'] * self['own'])


def read_steps(items):
    """The conversation the last of the items belongs to; None if it is of none."""
    last = parse(items[-1][1])
    if not isinstance(last, Segment):
        return None
    key, steps, before, client = flow_key(last)[0], [], None, None
    for now, frame, own in items:
        seg = parse(frame)
        if not isinstance(seg, Segment) or flow_key(seg)[0] != key:
            continue
        client = client or seg.src
        steps.append(Step.of(seg, 0 if before is None else now - before, own, int(seg.src != client)))
        before = now
    return steps


def read_talk(script):
    """A conversation in the language of talk.py, without what is expected -> steps"""
    talk, steps, wait = Talk(), [], 0
    for line in script.strip().splitlines():
        words = line.split()
        if words[0] == 'wait':
            wait += int(words[1])
            continue
        segment = talk.segment(line)
        steps.append(Step.of(segment, wait, segment.own, 'cs'.index(words[0])))
        wait = 0
    return steps


def to_items(steps):
    (a, b), (p, q) = ADDRESSES, PORTS
    wires, now, items = (Wire(a, p, b, q), Wire(b, q, a, p)), FIRST_MS, []
    for step in steps:
        now += step['wait']
        items.append((now, step.frame(wires), step['own']))
    return items


class Shrinker:
    def __init__(self, datapath, settings, want, got):
        self.datapath = datapath
        self.settings = settings
        self.sign = self.signature(want, got)

    @staticmethod
    def signature(want, got):
        """What makes two differences the same one."""
        return want.verdict, got.verdict, frozenset(want.against(got))

    def first_difference(self, items):
        return compare(self.datapath, tracker_of(self.settings), items)

    def fails(self, steps):
        """-> the steps up to the difference, or None if there is none or another."""
        difference = self.first_difference(to_items(steps))
        if difference is None or self.signature(*difference[1:]) != self.sign:
            return None
        return steps[:difference[0] + 1]

    def fewer(self, steps):
        """Leaves out runs of segments, long ones first; the waits stay."""
        size = len(steps) // 2
        while size:
            at = 0
            while at < len(steps) - 1:
                end = min(at + size, len(steps) - 1)
                rest = [Step(step) for step in steps[:at] + steps[end:]]
                rest[at]['wait'] += sum(step['wait'] for step in steps[at:end])
                rest[0]['wait'] = 0
                less = self.fails(rest)
                if less:
                    steps = less
                else:
                    at = end
            size //= 2
        return steps

    def plainer(self, steps):
        """Tries plain values in each segment, then plain sequence numbers for each side."""
        for number, name in [(n, name) for n in range(len(steps)) for name in PLAIN]:
            if number >= len(steps):
                break
            for value in PLAIN[name]:
                if steps[number][name] == value:
                    break
                changed = [Step(step) for step in steps]
                changed[number][name] = value
                less = self.fails(changed)
                if less:
                    steps = less
                    break
        for side in (0, 1):
            steps = self.fails(rebase(steps, side)) or steps
        return steps

    def reduce(self, steps):
        before = None
        while before != steps:
            before = steps
            steps = self.plainer(self.fewer(steps))
        return steps


def rebase(steps, side):
    """Shifts a side's numbers so that it begins with a round one."""
    own = [step['seq'] for step in steps if step['side'] == side]
    if not own:
        return steps
    shift, steps = FIRST_SEQ[side] - own[0], [Step(step) for step in steps]
    for step in steps:
        if step['side'] == side:
            step['seq'] = (step['seq'] + shift) & M32
        else:
            step['ack'] = (step['ack'] + shift) & M32
            if step['sack'] is not None:
                step['sack'] = (step['sack'] + shift) & M32
    return steps


def judgement(answer, mirrored):
    states = answer.states.split('/')
    return f'{" ".join(answer.verdict)} {"/".join(states[::-1] if mirrored else states)}'


def table(datapath, settings, steps):
    """Both judgements of every segment, states as client/server; what differs below."""
    rows, lines = [], []
    tracker, items = tracker_of(settings), to_items(steps)
    for number, (step, item) in enumerate(zip(steps, items)):
        want, got = ask(datapath, tracker, item, number == 0)
        rows.append((f'wait {step["wait"]}' if step['wait'] else '', step.text(), judgement(want, step['side']),
                     judgement(got, step['side'])))
        if number == len(steps) - 1:
            lines = [f'    {name}: oracle {a}, data path {b}' for name, (a, b) in want.against(got).items()]
    heads = [('', 'segment', 'oracle', 'data path')]
    widths = [max(len(row[n]) for row in heads + rows) for n in range(3)]
    text = ['  '.join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]]).rstrip()
            for row in heads + rows]
    return '\n'.join(text + lines)


def ask(datapath, tracker, item, forget):
    """One packet -> both answers."""
    datapath.send([item], forget)
    return Answer(expect(tracker, *item)), Answer(datapath.answers(1))


def explain(datapath, settings, items, want, got):
    """-> the report of a difference at the last of the items."""
    named = f'settings: {" ".join(settings) or "none"}\n'
    shrinker = Shrinker(datapath, settings, want, got)
    steps = read_steps(items)
    steps = steps and shrinker.fails(steps)
    if steps:
        return named + table(datapath, settings, shrinker.reduce(steps))
    differs = ', '.join(f'{name}: oracle {a}, data path {b}' for name, (a, b) in want.against(got).items())
    return f'{named}cannot be reduced to one conversation: {parse(items[-1][1])!r}\n    {differs}'
