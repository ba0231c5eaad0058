# SPDX-License-Identifier: GPL-2.0-or-later
"""What tcpguard must answer to each segment: an independent reading of docs tcp-tracking 2.4 - 2.13
and 2.16, to be compared with the data path packet by packet.  Left out: capacity and eviction, SYN
cookies, socket look-ups, one-way flows, ICMP."""
import flow as fl
import packet
from flow import Flow, after, before, scale, send_limit, seq_max, syn_acked
from packet import ACK, FIN, M32, RST, SYN, VALID_FLAGS, Segment, parse
from verdict import *
from window import MIN_SLACK, OLD_SLACK, after_rst, check_window, classify, follow_overshoot, record

PAWS_SLACK = 1 << 20


class Tracker:
    def __init__(self, learn=False, strict=False, enforce=True):
        self.flows = {}  # both endpoints, the lower first -> Flow
        self.learn = learn
        self.strict = strict
        self.enforce = enforce

    def process_frame(self, frame, now, own=False, link_header=True):
        """-> (action, reason); now in ms; own: sent by this host, so a drop is not carried out."""
        seg = parse(frame, link_header)
        if isinstance(seg, Segment):
            return self.process(seg, now, own)
        if seg in (packet.FRAG, packet.EXT_DEPTH):
            return (DROP if self.strict else PASS), seg
        return (PASS if seg == packet.NOT_TCP else DROP), seg

    def process(self, seg, now, own=False):
        if seg.flags not in VALID_FLAGS:
            return BAD_FLAGS
        if seg.src == seg.dst:
            return LAND
        key, side = flow_key(seg)
        flow = self.flows.get(key)
        if flow is not None and now - flow.stamp > flow.timeout_ms():
            del self.flows[key]
            flow = None
        if flow is None:
            return self._open(key, side, seg, now)

        phase = flow.phase()
        verdict = self._advance(key, flow, side, seg, now, phase)
        if verdict is SEQ_ABOVE and (own or not self.enforce):
            follow_overshoot(flow.half[side], flow.half[side ^ 1], seg)
        renews = verdict[0] is PASS and fl.ESTABLISHED <= phase <= fl.LAST
        if renews or verdict is TW_FIN_RETR or flow.phase() != phase:
            flow.stamp = now
        return verdict

    def find(self, seg):
        """-> (flow, side of the sender); flow is None if there is none."""
        key, side = flow_key(seg)
        return self.flows.get(key), side

    def states(self, seg):
        """RFC 9293 states of (sender, receiver) of a segment."""
        flow, side = self.find(seg)
        return flow.states(side) if flow else ('CLOSED', 'CLOSED')

    # ---- no flow

    def _open(self, key, side, seg, now):
        if seg.flags & RST:
            return UNTRACKED if self.learn else RST_NO_FLOW
        if seg.flags & (SYN | ACK) == SYN:
            self._new_flow(key, side, seg, now)
            return NEW
        if not self.learn:
            return NO_FLOW
        if seg.flags & (SYN | FIN):
            return UNTRACKED
        return self._adopt(key, side, seg, now)

    def _new_flow(self, key, side, seg, now):
        """A SYN opens a flow, or takes the place of an older one of the same key."""
        flow = self.flows[key] = Flow(now, side)
        flow.half[side].open(seg.seq, seg.end, seg.window, seg.wscale, seg.ts)

    def _adopt(self, key, side, seg, now):
        """A segment in mid-stream stands for both halves of a flow (2.9)."""
        flow = self.flows[key] = Flow(now, side)
        sender, receiver = flow.half[side], flow.half[side ^ 1]
        for half in flow.half:
            half.facts = fl.SYN | fl.PICKUP
            half.wscale = packet.WSCALE_MAX
        if seg.fragment:
            sender.facts |= fl.FRAG
        sender.isn = (seg.seq - 1) & M32
        receiver.isn = (seg.ack - 1) & M32
        receiver.end = seg.ack
        receiver.maxwin = fl.MAXWIN_PICKUP
        sender.end = seg.end
        record(sender, receiver, seg, seg.window << packet.WSCALE_MAX)
        return ADOPTED

    # ---- a known flow

    def _advance(self, key, flow, side, seg, now, phase):
        sender, receiver = flow.half[side], flow.half[side ^ 1]
        flags = seg.flags
        if flags & RST:
            return self._rst(flow, sender, receiver, seg, now, phase)
        if flags & SYN:
            if flags & ACK:
                return self._synack(key, flow, side, seg, now, phase)
            return self._syn(key, flow, side, seg, now, phase)
        if phase == fl.SYN_SENT:
            return self._before_synack(key, flow, side, seg, now)
        if phase == fl.SYN_RECV and not syn_acked(receiver, sender) and not acks_syn(seg, receiver):
            return HS_BAD_ACK
        if seg.fragment:
            sender.facts |= fl.FRAG
            return FRAG_FIRST
        return self._window(sender, receiver, seg, phase)

    def _before_synack(self, key, flow, side, seg, now):
        """ACK, data or FIN while only one SYN was seen."""
        sender, receiver = flow.half[side], flow.half[side ^ 1]
        if sender.facts & fl.SYN:
            verdict = ACK_BEFORE_SYNACK
        elif acks_syn(seg, receiver):  # it overtook its own SYN-ACK
            known = sender.aux_kind == fl.AUX_EARLY
            sender.remember(fl.AUX_EARLY, seq_max(sender.aux, seg.end) if known else seg.end)
            return EARLY_SEG
        elif not seg.paylen and not seg.flags & FIN:
            sender.remember(fl.AUX_CHALLENGE, seg.ack)
            return CHALLENGE_ACK
        else:
            verdict = DATA_BEFORE_SYNACK
        if not self.learn:
            return verdict
        if seg.flags & FIN:  # never a flow from a FIN (2.9)
            return UNTRACKED
        return self._adopt(key, side, seg, now)

    def _syn(self, key, flow, side, seg, now, phase):
        sender, receiver = flow.half[side], flow.half[side ^ 1]
        if phase == fl.CLOSED or phase == fl.TIME_WAIT and is_fresh_syn(sender, seg):
            self._new_flow(key, side, seg, now)
            return TW_REUSE
        if phase == fl.TIME_WAIT:
            if self.strict:
                return STRICT[TW_SYN_OLD]
            return self._syn_without_effect(flow, sender, seg, now, TW_SYN_OLD)
        if phase > fl.SYN_RECV:
            return self._syn_without_effect(flow, sender, seg, now, SYN_CHALLENGE)
        if not sender.facts & fl.SYN:
            sender.open(seg.seq, seg.end, seg.window, seg.wscale, seg.ts)
            return SIMOPEN
        if seg.seq == sender.isn:
            if phase == fl.SYN_SENT:
                return SYN_RETRANS_EARLY if flow.allow_syn(now) else SYN_RATE
            record(sender, receiver, seg, seg.window)
            sender.retrans += 1
            return SYN_RETRANS
        if phase == fl.SYN_RECV:
            return self._syn_without_effect(flow, sender, seg, now, SYN_NEW_ISN)
        self._new_flow(key, side, seg, now)
        return SYN_REINIT

    @staticmethod
    def _syn_without_effect(flow, sender, seg, now, verdict):
        """The endpoint decides; its SYN-ACK would prove that the SYN was accepted."""
        if not flow.allow_syn(now):
            return SYN_RATE
        sender.remember_syn(seg)
        return verdict

    def _synack(self, key, flow, side, seg, now, phase):
        sender, receiver = flow.half[side], flow.half[side ^ 1]
        if acks_pending(seg, receiver):
            fresh = self.flows[key] = Flow(now, side ^ 1)
            length, window, wscale = receiver.pending
            end = (receiver.aux + 1 + length) & M32
            fresh.half[side ^ 1].open(receiver.aux, end, window, wscale)
            take_synack(fresh.half[side], fresh.half[side ^ 1], seg)
            return REOPEN
        if phase > fl.SYN_RECV:
            return SYNACK_RETRANS if seg.seq == sender.isn else SYNACK_UNEXPECTED
        if not receiver.facts & fl.SYN:
            return SYNACK_WRONG_DIR
        valid = acks_syn(seg, receiver)
        if phase == fl.SYN_SENT and not valid:
            sender.remember(fl.AUX_CHALLENGE, seg.ack)
            return SYNACK_BAD_ACK
        if not valid or seg.seq != sender.isn and syn_acked(sender, receiver):
            return SYNACK_UNEXPECTED
        take_synack(sender, receiver, seg)
        return SYNACK

    def _rst(self, flow, sender, receiver, seg, now, phase):
        verdict = judge_rst(sender, receiver, seg, phase)
        if self.strict:
            verdict = STRICT.get(verdict, verdict)
        if verdict[0] is PASS:
            # RST_AFTER_FIN lies one below what the receiver has acknowledged already: only an
            # acknowledgement beyond that shows that it was not honoured.
            sender.remember(fl.AUX_RST, receiver.ack if verdict is RST_AFTER_FIN else seg.seq)
            sender.facts |= fl.RST
        elif verdict[0] is NOUPD and not flow.allow_rst(now):
            return RST_RATE
        return verdict

    # ---- the window check and what follows from it

    def _window(self, sender, receiver, seg, phase):
        limit = send_limit(sender, receiver)
        window = seg.window << scale(sender, receiver)
        verdict = check_window(sender, receiver, seg, window, limit)
        if phase == fl.CLOSED:
            return after_rst(sender, receiver, seg, window) if verdict is None else CLOSED_LATE
        if verdict is not None:
            return STRICT.get(verdict, verdict) if self.strict else verdict
        if phase == fl.TIME_WAIT:
            if seg.flags & FIN and seg.end == sender.end:
                return TW_FIN_RETR
            return TW_STRAY if seg.paylen else TW_ACK

        verdict = classify(sender, receiver, seg, limit)
        if verdict is PAWS and self.strict and before(seg.ts, sender.tsmax - PAWS_SLACK):
            return PAWS_DROP
        facts = sender.facts
        if facts & fl.FIN and after(seg.end, sender.end):
            sender.facts &= ~(fl.FIN | fl.PASSIVE)
            verdict = FIN_RETRACT
        if facts & fl.RST:  # void, or the phase were CLOSED; latched, as 2 GiB later it would hold again
            sender.remember(fl.AUX_NONE, 0)
        record(sender, receiver, seg, window)
        if seg.flags & FIN and not sender.facts & fl.FIN and seg.end == sender.end:
            sender.facts |= fl.FIN
            if receiver.facts & fl.FIN and not before(seg.ack, receiver.end):
                sender.facts |= fl.PASSIVE
        return verdict


def flow_key(seg):
    src, dst = seg.src, seg.dst
    return (src + dst, 0) if src < dst else (dst + src, 1)


def acks_syn(seg, peer):
    """Acknowledges the SYN of the peer, and nothing it has not sent."""
    return not before(seg.ack, (peer.isn + 1) & M32) and not after(seg.ack, peer.end)


def acks_pending(seg, peer):
    if peer.aux_kind != fl.AUX_PENDING:
        return False
    return 0 < (seg.ack - peer.aux) & M32 <= 1 + peer.pending[0]


def is_fresh_syn(sender, seg):
    """Newer than the connection in TIME_WAIT (RFC 6191)."""
    if after(seg.seq, sender.end):
        return True
    return seg.ts is not None and sender.facts & fl.HASTS and after(seg.ts, sender.tsmax)


def take_synack(sender, receiver, seg):
    if sender.facts & fl.SYN and seg.seq == sender.isn:
        sender.retrans += 1
    else:
        sender.open(seg.seq, seg.end, seg.window, seg.wscale, seg.ts)
    record(sender, receiver, seg, seg.window)
    if sender.aux_kind == fl.AUX_EARLY and 0 < (sender.aux - seg.end) & M32 < OLD_SLACK:
        sender.end = seq_max(sender.end, sender.aux)


def judge_rst(sender, receiver, seg, phase):
    """2.7, the first matching row."""
    seq = seg.seq
    from_opener = sender.facts & fl.SYN
    first = (sender.isn + 1) & M32
    if phase == fl.SYN_SENT and not from_opener:
        return REFUSED if seg.flags & ACK and acks_syn(seg, receiver) else RST_SYN_SENT
    if phase == fl.SYN_SENT and seq in (sender.end, first):
        return ABORT
    if phase in (fl.TIME_WAIT, fl.CLOSED):
        return RST_LATE
    if receiver.aux_kind == fl.AUX_CHALLENGE and receiver.aux == seq:
        return RST_TO_CHALLENGE
    if phase == fl.SYN_SENT:
        return RST_SYN_SENT

    limit = send_limit(sender, receiver)
    if not receiver.facts & fl.HASACK:
        if seq in (sender.end, first):
            return RST_EXACT
        inside = not before(seq, first) and not after(seq, (limit + MIN_SLACK) & M32)
        return RST_INEXACT if inside else RST_OLD
    if seq == receiver.ack:
        return RST_EXACT
    if sender.facts & fl.FIN and seq == (receiver.ack - 1) & M32:
        return RST_AFTER_FIN
    if seq == sender.end:
        return RST_TRAIN
    low = (receiver.ack - max(receiver.maxwin, MIN_SLACK)) & M32
    if phase in (fl.HALF_CLOSED, fl.LAST) and not before(seq, low) and not after(seq, limit):
        return RST_CLOSING
    if after(seq, limit):
        return RST_ABOVE
    return RST_OLD if before(seq, receiver.ack) else RST_INEXACT
