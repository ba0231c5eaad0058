# SPDX-License-Identifier: GPL-2.0-or-later
"""The window check of tcp-tracking 2.6, and what an acceptable segment changes in its sender's half."""
import flow as fl
from flow import after, before, scale, send_limit, seq_max
from packet import ACK, FIN, M32
from verdict import (ACK_ABOVE, ACK_BELOW, ACK_OLD, CLOSED_LATE, DATA_AFTER_FIN, KEEPALIVE, OK, PAWS,
                     RETRANS, RST_UNDONE, SEQ_ABOVE, SEQ_BELOW, SEQ_OLD, WINDOW_PROBE)

MIN_SLACK = 66000  # of acknowledgements and RSTs, for windows smaller than that
OLD_SLACK = 1 << 20  # how far below the window a segment is passed without effect
LOOSE_ACK = 1 << 30  # how far beyond the data seen, where data was not all seen


def check_window(sender, receiver, seg, window, limit):
    """2.6: the verdict of the first check that fails, or None."""
    end, facts = sender.end, sender.facts
    maxwin = sender.maxwin
    if facts & (fl.PICKUP | fl.HASACK) == fl.PICKUP:  # adopted, and this is its first segment
        end = seq_max(end, seg.end)
        maxwin = max(maxwin, window)
    if after(seg.seq, limit):
        return SEQ_ABOVE
    if facts & fl.FIN and after(seg.end, end) and fl.fin_acked(sender, receiver):
        return DATA_AFTER_FIN
    peer_end = receiver.end
    if after(seg.sack, peer_end):
        if not receiver.facts & (fl.PICKUP | fl.FRAG) or (seg.sack - peer_end) & M32 >= LOOSE_ACK:
            return ACK_ABOVE
    peer_maxwin = receiver.maxwin
    if before(seg.end, end - peer_maxwin):
        return SEQ_BELOW if before(seg.end, end - peer_maxwin - max(peer_maxwin, OLD_SLACK)) else SEQ_OLD
    slack = max(maxwin, MIN_SLACK)
    if before(seg.ack, peer_end - slack):
        return ACK_BELOW if before(seg.ack, peer_end - slack - max(slack, OLD_SLACK)) else ACK_OLD
    return None


def classify(sender, receiver, seg, limit):
    """What an acceptable segment is: the reason of its PASS, the retransmission counters."""
    paylen, acked, older = seg.paylen, receiver.facts & fl.HASACK, False
    if paylen <= 1 and not seg.flags & FIN:
        if acked and seg.seq == (sender.end - 1) & M32 and receiver.ack == sender.end:
            return KEEPALIVE
        if receiver.window == 0 and (seg.seq == limit or acked and seg.seq == (receiver.ack - 1) & M32):
            return WINDOW_PROBE
    if seg.ts is not None and sender.tsmax:  # 0: none yet, or an old Windows that begins with 0
        older = before(seg.ts, sender.tsmax)
    again = seg.flags & FIN and sender.facts & fl.FIN and seg.end == sender.end
    if (paylen or again) and not after(seg.end, sender.end):
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


def record(sender, receiver, seg, window):
    """The updates of a PASS: each one only grows."""
    if after(seg.end, sender.end):
        sender.end = seg.end
    if seg.flags & ACK:
        record_ack(sender, receiver, seg, window)
    maxwin = max(window + ((seg.sack - seg.ack) & M32), 1)
    if maxwin > sender.maxwin:
        sender.maxwin = maxwin
    sender.window = seg.window
    ts = seg.ts
    if ts is not None and (not sender.tsmax or after(ts, sender.tsmax)):
        sender.tsmax = ts
        sender.facts |= fl.HASTS


def record_ack(sender, receiver, seg, window):
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


def after_rst(sender, receiver, seg, window):
    """Phase CLOSED, window satisfied: ends and acknowledgements go on, they may undo a forged RST."""
    if not sender.facts & receiver.facts & fl.SYN:
        return CLOSED_LATE  # refused or aborted before any SYN-ACK: nothing to go on with
    if after(seg.end, sender.end):
        sender.end = seg.end
        sender.facts &= ~(fl.FIN | fl.PASSIVE)  # else the FIN would no longer end at end
    record_ack(sender, receiver, seg, window)
    return CLOSED_LATE if fl.phase(sender, receiver) == fl.CLOSED else RST_UNDONE


def follow_overshoot(sender, receiver, seg):
    """A segment beyond the window that was passed all the same: state follows it (D10)."""
    limit = send_limit(sender, receiver)
    window = seg.window << scale(sender, receiver)
    if (seg.end - limit) & M32 <= receiver.maxwin and \
            check_window(sender, receiver, seg, window, seg.seq) is None:
        sender.end = seq_max(sender.end, seg.end)
