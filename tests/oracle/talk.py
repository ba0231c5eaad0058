# SPDX-License-Identifier: GPL-2.0-or-later
"""Conversations as text, for the tests.  One segment a line, sequence numbers absolute:

    c S  1000      ws=7      : new         SYN_SENT/LISTEN
    s S. 5000 1001 ws=7      : synack
    c P. 1001+100 5001       : ok          ESTABLISHED/ESTABLISHED
    wait 240000

who (client, server), flags as tcpdump writes them, sequence number + payload length, acknowledgement,
then win= ws= ts= sack= and the words frag and own; after the colon the action, left out for pass, and
the reason, then the states of client and server.  MS: wait so long."""
from oracle import Tracker
from packet import Segment

FLAGS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, '.': 16, 'U': 32, '-': 0}
CLIENT = bytes((10, 0, 0, 1)) + (1000).to_bytes(2, 'big')
SERVER = bytes((10, 0, 0, 2)) + (80).to_bytes(2, 'big')
ACTIONS = ('pass', 'noupd', 'drop')


class Talk:
    def __init__(self, client=CLIENT, server=SERVER, **settings):
        self.tracker = Tracker(**settings)
        self.ends = {'c': (client, server), 's': (server, client)}
        self.now = 1000

    def segment(self, text):
        who, flags, *words = text.split()
        seq, _, paylen = words.pop(0).partition('+')
        ack = int(words.pop(0), 0) if words and words[0][0].isdigit() else 0
        extra = dict(word.partition('=')[::2] for word in words)
        number = {key: int(value, 0) for key, value in extra.items() if value}
        flags = sum(FLAGS[letter] for letter in flags)
        segment = Segment(*self.ends[who], flags, int(seq, 0), ack, number.get('win', 65535),
                          int(paylen or 0), number.get('ws'), number.get('ts'), number.get('sack'), 'frag' in extra)
        segment.own = 'own' in extra
        return segment

    def say(self, text):
        """One segment -> (action, reason)"""
        return self.tracker.process(self.segment(text), self.now)

    @property
    def flow(self):
        return self.tracker.find(self.segment('c . 0'))[0]

    def half(self, who):
        flow, side = self.tracker.find(self.segment(who + ' . 0'))
        return flow.half[side]

    @property
    def states(self):
        return '/'.join(self.tracker.states(self.segment('c . 0')))

    def run(self, script):
        for line in script.strip().splitlines():
            line = line.partition('#')[0].strip()
            if line.startswith('wait '):
                self.now += int(line.split()[1])
            elif line:
                self.expect(line)
        return self

    def expect(self, line):
        text, _, want = line.partition(' : ')
        want = want.split()
        action = want.pop(0) if want[0] in ACTIONS else 'pass'
        got = self.say(text)
        if got != (action, want[0]):
            raise AssertionError(f'{line}: want {action} {want[0]}, got {" ".join(got)}')
        if want[1:] and self.states != want[1]:
            raise AssertionError(f'{line}: want {want[1]}, got {self.states}')
