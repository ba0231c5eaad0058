# SPDX-License-Identifier: GPL-2.0-or-later
"""The window check, and what an acceptable segment changes in its sender's half."""
import flow as fl
from flow import after, before, seq_max
from packet import FIN, M32
from verdict import (ACK_ABOVE, ACK_BELOW, ACK_OLD, DATA_AFTER_FIN, DROP, KEEPALIVE, OK, PAWS, RETRANS,
                     SECOND_FIN, SEQ_ABOVE, SEQ_BELOW, SEQ_OLD, WINDOW_PROBE)

MIN_SLACK = 66000  # of acknowledgements and RSTs, for windows smaller than that
OLD_SLACK = 1 << 20  # how far below the window a segment is passed without effect
LOOSE_ACK = 1 << 30  # how far beyond the data seen, where data was not all seen
MAXWIN_MAX = 1 << 30  # RFC 7323 2.3
PAWS_SLACK = 1 << 20
TIMESTAMP_VALID_MS = 2147000  # half of 2^32 microseconds


def check_window(sender, receiver, seg, limit):
    """2.6: the verdict of the first check that fails, or None.  SACK has no part in it: boxes that
    rewrite sequence numbers leave it alone, and the endpoint ignores blocks it cannot use."""
    end, facts = sender.end, sender.facts
    if facts & (fl.PICKUP | fl.HASACK) == fl.PICKUP:  # adopted, and this is its first segment
        end = seq_max(end, seg.end)
    if after(seg.seq, limit):
        return SEQ_ABOVE
    passed = None
    if beyond_acked_fin(sender, receiver, seg):
        if seg.paylen or (seg.end - end) & M32 > 1:
            return DATA_AFTER_FIN
        passed = SECOND_FIN  # some stacks count their FIN twice
    peer_end = receiver.end
    if receiver.facts & (fl.PICKUP | fl.HASACK) == fl.PICKUP and facts & fl.HASACK:
        peer_end = seq_max(peer_end, sender.ack)  # adopted and never heard: what it sent is a guess
    if after(seg.ack, peer_end):
        if not receiver.facts & (fl.PICKUP | fl.FRAG) or (seg.ack - peer_end) & M32 >= LOOSE_ACK:
            return ACK_ABOVE
    peer_maxwin = receiver.maxwin
    if before(seg.end, end - peer_maxwin):
        return SEQ_BELOW if before(seg.end, end - peer_maxwin - max(peer_maxwin, OLD_SLACK)) else SEQ_OLD
    slack = max(sender.maxwin, MIN_SLACK)
    if before(seg.ack, peer_end - slack):
        return ACK_BELOW if before(seg.ack, peer_end - slack - max(slack, OLD_SLACK)) else ACK_OLD
    return passed


def knows_fin(sender):
    """Where the FIN is, is known only of a sender whose segments came whole."""
    return sender.facts & (fl.FIN | fl.FRAG) == fl.FIN


def beyond_acked_fin(sender, receiver, seg):
    return knows_fin(sender) and after(seg.end, sender.end) and fl.fin_acked(sender, receiver)


def retracts_fin(sender, receiver, seg):
    return knows_fin(sender) and after(seg.end, sender.end) and not fl.fin_acked(sender, receiver)


def older_than_seen(sender, seg, slack=0):
    """0 is no newest timestamp: none yet, or an old Windows that begins with 0."""
    return seg.ts is not None and sender.tsmax and before(seg.ts, sender.tsmax - slack)


def paws_refuses(sender, receiver, seg, now):
    """RFC 7323 5, for data that is new to the receiver and only if it is old by far.  After a silence in
    which a clock of microseconds goes half around, what was the newest timestamp says nothing (5.5)."""
    if sender.heard is not None and now - sender.heard > TIMESTAMP_VALID_MS:
        sender.tsmax = 0
    return (seg.paylen and receiver.facts & fl.HASACK and not before(seg.seq, receiver.ack)
            and older_than_seen(sender, seg, PAWS_SLACK))


def probes_window(receiver, seg, limit):
    """RFC 9293 3.8.6.1: as Linux does it, one below; as others do it, one byte at the edge."""
    if not receiver.facts & fl.HASACK or receiver.window:
        return False
    return seg.seq == (receiver.ack - 1) & M32 or seg.paylen == 1 and seg.seq in (receiver.ack, limit)


def classify(sender, receiver, seg, limit):
    """What an acceptable segment is: the reason of its PASS, the retransmission counters."""
    paylen, acked = seg.paylen, receiver.facts & fl.HASACK
    if seg.flags & FIN and sender.facts & fl.FIN and seg.end == sender.end:
        sender.retrans += 1
        return RETRANS
    if paylen <= 1 and not seg.flags & FIN:
        if acked and seg.seq == (sender.end - 1) & M32 and receiver.ack == sender.end:
            return KEEPALIVE
        if probes_window(receiver, seg, limit):
            return WINDOW_PROBE
    if sender.facts & (fl.PICKUP | fl.HASACK) == fl.PICKUP:
        return OK  # the first segment of an adopted half: what it sent before was a guess
    older = older_than_seen(sender, seg)
    if paylen and not after(seg.end, sender.end):
        if older:
            sender.ooo += 1
            return OK
        sender.retrans += 1
        return RETRANS
    if not paylen:
        return OK
    if before(seg.seq, sender.end):
        sender.retrans += 1
    return PAWS if older and acked and not before(seg.seq, receiver.ack) else OK


def apply(sender, receiver, seg, window):
    """The numbers of a segment inside the window.  Each only grows, but that a FIN can be taken back."""
    if retracts_fin(sender, receiver, seg):
        sender.facts &= ~(fl.FIN | fl.PASSIVE)
    if after(seg.end, sender.end):
        sender.end = seg.end
    sack = 0 if after(seg.sack, receiver.end) else (seg.sack - seg.ack) & M32
    sender.maxwin = max(sender.maxwin, min(max(window + sack, 1), MAXWIN_MAX))
    apply_ack(sender, receiver, seg, window)
    sender.facts |= fl.segment_facts(seg)
    # Of a first fragment the end is not known.
    if seg.flags & FIN and not seg.fragment and not sender.facts & fl.FIN and seg.end == sender.end:
        sender.facts |= fl.FIN
        if receiver.facts & fl.FIN and not before(seg.ack, receiver.end):
            sender.facts |= fl.PASSIVE


def apply_ack(sender, receiver, seg, window):
    ack = seg.ack
    right = (ack + (window or 1)) & M32
    facts = sender.facts
    if not facts & fl.HASACK:
        sender.facts |= fl.HASACK
        sender.ack, sender.right = ack, right
    else:
        if after(ack, sender.ack):
            sender.ack = ack
        if after(right, sender.right):
            sender.right = right
    if not facts & fl.ACKSYN and receiver.facts & fl.SYN and after(ack, receiver.isn):
        sender.facts |= fl.ACKSYN


def open_again(sender, seg):
    """A SYN or SYN-ACK with the ISN known.  With fast open, not all of them carry the data."""
    sender.end = seq_max(sender.end, seg.end)
    sender.maxwin = max(sender.maxwin, seg.window)
    sender.retrans += 1


def revives(sender, receiver):
    """Refused or aborted before any SYN-ACK, there is nothing to go on with."""
    return sender.facts & receiver.facts & fl.SYN


def hear(sender, seg):
    """What only a PASS leaves behind: the last raw window, the newest timestamp."""
    sender.window = seg.window
    if seg.ts is not None and (not sender.tsmax or after(seg.ts, sender.tsmax)):
        sender.tsmax = seg.ts


def follow_passed(sender, receiver, seg, window, limit, refusal):
    """A segment out of bounds that is passed all the same: state follows it.  Our own kernel is
    believed, but beyond its acknowledged FIN there is another connection; of others only what lies
    beyond the window by no more than a window."""
    if seg.own:
        if refusal[0] is DROP and not beyond_acked_fin(sender, receiver, seg):
            apply(sender, receiver, seg, window)
    elif refusal is SEQ_ABOVE and (seg.end - limit) & M32 <= receiver.maxwin and \
            check_window(sender, receiver, seg, seg.seq) is None:
        if retracts_fin(sender, receiver, seg):
            sender.facts &= ~(fl.FIN | fl.PASSIVE)
        sender.end = seq_max(sender.end, seg.end)
