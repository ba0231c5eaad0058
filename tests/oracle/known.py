# SPDX-License-Identifier: GPL-2.0-or-later
"""Differences between data path and oracle that are known: the oracle is right, and says why.  Each has a
conversation that shows it.  As long as it does, the oracle imitates the data path, so that everything
else is still compared; once it is mended here is nothing to do but to remove it."""
from contextlib import contextmanager
from copy import copy

import flow as fl
import oracle
import window
from datapath import compare, tracker_of
from packet import ACK, FIN, M32
from shrink import read_talk, to_items
from verdict import CLOSED_LATE, DROP, RETRANS

KNOWN = []


def known(why, conversation):
    """Registers a function that makes the oracle err in the same way."""
    def register(imitate):
        KNOWN.append((why, conversation, imitate))
        return imitate
    return register


@known('a FIN is sent again only if the FIN was sent, not if the SYN was (TG_FIN is TG_FACT_SYN)', '''
    c S 1000
    s S. 5000 1001
    c . 1001+10 5001
    c F. 1010 5001''')
def fin_is_again_after_a_syn():
    right = oracle.classify

    def classify(sender, receiver, seg, limit):
        if seg.flags & FIN and sender.facts & fl.SYN and seg.end == sender.end:
            return RETRANS
        return right(sender, receiver, seg, limit)
    oracle.classify = classify


@known('of a fragmented SYN-ACK, too, the end is not known, so the ACK of its data is right', '''
    c S 1000
    s S. 5000+8 1001 frag
    c . 1001 5401''')
def exact_end_of_a_fragment():
    def ends_handshake(seg, peer):
        return not fl.before(seg.ack, (peer.isn + 1) & M32) and not fl.after(seg.ack, peer.end)
    oracle.ends_handshake = ends_handshake


@known('a segment that is refused and passed all the same (own, monitor) can change the phase', '''
    c S 1000
    s S. 5000 1001
    c . 1001 5001
    wait 1000
    c F. 1001 5002 own''')
def refused_renews_nothing():
    right = oracle.Tracker._renew

    def renew(flow, phase, verdict, now):
        if verdict[0] is not DROP:
            right(flow, phase, verdict, now)
    oracle.Tracker._renew = staticmethod(renew)


@known('a newest timestamp is one, whatever segment brought it: also a SYN-ACK sent again', '''
    c S 1000
    s S. 5000 1001
    s S. 5000 1001 ts=100
    c . 1001 5001
    s . 5001+1 1001 ts=99''')
def timestamps_need_a_fact():
    right = window.older_than_seen

    def older_than_seen(sender, seg, slack=0):
        return sender.facts & fl.HASTS and right(sender, seg, slack)
    window.older_than_seen = older_than_seen


@known('a refused SYN has no flow to revive, also not by a first fragment', '''
    c S 1000
    s R. 0 1001
    s . 0+8 1001 frag''')
def fragments_revive_anything():
    oracle.revives = lambda sender, receiver: True
    right = oracle.without_judgement

    def without_judgement(sender, receiver, seg, window, phase, refusal):
        if not seg.fragment and not window_revives(sender, receiver):
            return CLOSED_LATE
        return right(sender, receiver, seg, window, phase, refusal)
    window_revives = window.revives
    oracle.without_judgement = without_judgement


@known('a SYN sent again can announce a larger window (as a SYN-ACK)', '''
    c S 1000 win=1000
    c S 1000''')
def old_window_of_a_syn():
    def open_again(sender, seg):
        window.open_again(sender, seg if seg.flags & ACK else with_window(seg, 0))
    oracle.open_again = open_again


def with_window(seg, value):
    seg = copy(seg)
    seg.window = value
    return seg


@known('a receiver that never acknowledged anything expects no RST at 0', """
    c S 1000
    s R. 0 1001""" + 21 * """
    s R 0""")
def zero_is_exact():
    oracle.is_exact_rst = lambda receiver, seg: seg.seq == receiver.ack


def find(datapath, settings):
    """-> [(why, function that imitates)] of what the data path still does"""
    return [(why, err) for why, conversation, err in KNOWN
            if compare(datapath, tracker_of(settings), to_items(read_talk(conversation)))]


@contextmanager
def imitated(datapath, settings):
    """-> the reasons; meanwhile the oracle errs like the data path."""
    there = find(datapath, settings)
    before = [(owner, dict(vars(owner))) for owner in (oracle, window, oracle.Tracker)]
    try:
        for _, err in there:
            err()
        yield [why for why, _ in there]
    finally:
        for owner, names in before:
            for name, value in names.items():
                if vars(owner)[name] is not value:
                    setattr(owner, name, value)
