# SPDX-License-Identifier: GPL-2.0-or-later
"""What tcpguard must answer to each segment: the rules written a second time, independently,
to be compared with the data path packet by packet.  Left out: capacity and eviction, SYN cookies,
socket look-ups, one-way flows, ICMP."""
import flow as fl
import packet
from flow import Flow, after, before, scale, send_limit, seq_max, syn_acked
from packet import ACK, FIN, M32, RST, SYN, VALID_FLAGS, Segment, parse
from verdict import *
from window import (MIN_SLACK, apply, apply_ack, check_window, classify, follow_passed, hear, open_again,
                    paws_refuses, retracts_fin, revives)

FRAGMENTED_SYN = 0xFFFF  # how much data a SYN may have carried of which only the first fragment was seen


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
            seg.own = own
            return self.process(seg, now)
        if seg in (packet.FRAG, packet.EXT_DEPTH):
            return (DROP if self.strict else PASS), seg
        return (PASS if seg == packet.NOT_TCP else DROP), seg

    def process(self, seg, now):
        if seg.flags not in VALID_FLAGS:
            return BAD_FLAGS
        if seg.forged:
            return DROP, packet.BAD_HDR
        if seg.src == seg.dst:
            return LAND
        key, side = flow_key(seg)
        flow = self.flows.get(key)
        if flow is not None and now - flow.stamp > flow.timeout_ms():
            del self.flows[key]
            flow = None
        if flow is None:
            verdict = self._open(key, side, seg, now)
            if key in self.flows:
                self.flows[key].half[side].heard = now
            return verdict

        if flow.half[side].facts & fl.OWN and not seg.own:
            return SPOOFED  # it carries an address of this host but came from outside
        phase = flow.phase()
        verdict = self._advance(key, flow, side, seg, now, phase)
        if verdict[0] is PASS:
            hear(self.flows[key].half[side], seg)
        if verdict[0] is not DROP:
            self.flows[key].half[side].heard = now
        self._renew(flow, phase, verdict, now)
        return verdict

    @staticmethod
    def _renew(flow, phase, verdict, now):
        """The timeout counts from the last PASS of an open flow, else from the last change of phase:
        also from one by a segment that was refused and passed all the same."""
        renews = verdict[0] is PASS and fl.ESTABLISHED <= phase <= fl.LAST
        if renews or verdict is TW_FIN_RETR or flow.phase() != phase:
            flow.stamp = now

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
        flow.half[side].open_with(seg)

    def _adopt(self, key, side, seg, now):
        """A segment in mid-stream stands for both halves of a flow."""
        flow = self.flows[key] = Flow(now, side)
        sender, receiver = flow.half[side], flow.half[side ^ 1]
        for half in flow.half:
            half.facts = fl.SYN | fl.PICKUP
            half.wscale = packet.WSCALE_MAX
        sender.isn = (seg.seq - 1) & M32
        receiver.isn = (seg.ack - 1) & M32
        receiver.end = seg.ack
        receiver.maxwin = fl.MAXWIN_PICKUP
        sender.end = seg.end
        apply(sender, receiver, seg, seg.window << packet.WSCALE_MAX)
        hear(sender, seg)
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
        if phase == fl.SYN_RECV and not syn_acked(receiver, sender) and not ends_handshake(seg, receiver):
            if receiver.aux_kind == fl.AUX_ISN and seg.ack == (receiver.aux + 1) & M32:
                return self._adopt_in_place(key, side, seg, now)  # it took the SYN-ACK before the last
            return HS_BAD_ACK
        return self._window(flow, sender, receiver, seg, phase, now)

    def _before_synack(self, key, flow, side, seg, now):
        """ACK, data or FIN while only one SYN was seen."""
        sender, receiver = flow.half[side], flow.half[side ^ 1]
        if sender.facts & fl.SYN and receiver.aux_kind == fl.AUX_SYNACK and receiver.aux == seg.seq:
            return self._adopt_in_place(key, side, seg, now)  # both ends agree; the SYN we know is another's
        if sender.facts & fl.SYN:
            verdict = ACK_BEFORE_SYNACK
        elif acks_syn(seg, receiver):  # it overtook its own SYN-ACK
            known = sender.aux_kind == fl.AUX_EARLY
            sender.remember(fl.AUX_EARLY, seq_max(sender.aux, seg.end) if known else seg.end)
            return EARLY_SEG
        elif not seg.paylen and not seg.flags & FIN:
            if sender.aux_kind != fl.AUX_SYNACK or sender.aux != seg.ack:
                sender.remember(fl.AUX_CHALLENGE, seg.ack)
            return CHALLENGE_ACK
        else:
            verdict = DATA_BEFORE_SYNACK
        return self._adopt_in_place(key, side, seg, now) if self.learn else verdict

    def _adopt_in_place(self, key, side, seg, now):
        if seg.flags & FIN:  # never a flow from a FIN
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
            sender.open_with(seg)
            return SIMOPEN
        if seg.seq == sender.isn:
            if not flow.allow_syn(now):
                return SYN_RATE
            open_again(sender, seg)
            return SYN_RETRANS_EARLY if phase == fl.SYN_SENT else SYN_RETRANS
        if phase == fl.SYN_RECV:
            return self._syn_without_effect(flow, sender, seg, now, SYN_NEW_ISN)
        if not flow.allow_syn(now):
            return SYN_RATE
        self._new_flow(key, side, seg, now)
        self.flows[key].syn_tat = flow.syn_tat
        return SYN_REINIT

    @staticmethod
    def _syn_without_effect(flow, sender, seg, now, verdict):
        """The endpoint decides; its SYN-ACK would prove that the SYN was accepted."""
        if not flow.allow_syn(now):
            return SYN_RATE
        own = sender.facts & fl.SYN and seg.seq == sender.isn
        if not own or verdict is TW_SYN_OLD:  # while it lives, its own SYN is a duplicate
            sender.remember_syn(seg)
        return verdict

    def _synack(self, key, flow, side, seg, now, phase):
        sender, receiver = flow.half[side], flow.half[side ^ 1]
        if acks_pending(seg, receiver) and not duplicates_handshake(seg, sender, receiver):
            fresh = self.flows[key] = Flow(now, side ^ 1)
            length, window, wscale = receiver.pending
            end = (receiver.aux + 1 + length) & M32
            fresh.half[side ^ 1].open(receiver.aux, end, window, wscale, facts=receiver.facts & fl.OWN)
            take_synack(fresh.half[side], fresh.half[side ^ 1], seg)
            if receiver.facts & fl.SYN and receiver.aux == receiver.isn:  # its opener may answer from TIME_WAIT
                fresh.half[side].remember(fl.AUX_ISN, (receiver.ack - 1) & M32)
            return REOPEN
        if phase > fl.SYN_RECV:
            return SYNACK_RETRANS if seg.seq == sender.isn else SYNACK_UNEXPECTED
        if not receiver.facts & fl.SYN:
            return SYNACK_WRONG_DIR
        valid = acks_syn(seg, receiver)
        if not valid and not flow.allow_rst(now):
            return SYN_RATE
        if not valid:  # what may answer it must get through: a RST, or an ACK if another's SYN is known
            sender.remember(fl.AUX_SYNACK, seg.ack)
            return SYNACK_BAD_ACK if phase == fl.SYN_SENT else SYNACK_UNEXPECTED
        if seg.seq != sender.isn and syn_acked(sender, receiver):
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
        elif verdict[0] is NOUPD and not answers_segment(receiver, seg, phase) and not flow.allow_rst(now):
            return RST_RATE
        return verdict

    # ---- the window check and what follows from it

    def _window(self, flow, sender, receiver, seg, phase, now):
        limit = send_limit(sender, receiver)
        window = seg.window << scale(sender, receiver)
        refusal = check_window(sender, receiver, seg, limit)
        if phase == fl.CLOSED or seg.fragment and phase != fl.TIME_WAIT:
            judged = STRICT.get(refusal, refusal) if self.strict else refusal
            verdict = without_judgement(sender, receiver, seg, window, phase, judged)
            if refusal is None and not seg.fragment and sender.facts & receiver.facts & fl.SYN:
                flow.stamp = now  # they seem to go on
            return verdict
        if refusal is not None:
            refusal = STRICT.get(refusal, refusal) if self.strict else refusal
            if seg.own or not self.enforce:
                follow_passed(sender, receiver, seg, window, limit, refusal)
            return refusal
        if phase == fl.TIME_WAIT:
            if seg.flags & FIN and seg.end == sender.end:
                return TW_FIN_RETR
            return TW_STRAY if seg.paylen else TW_ACK

        if self.strict and paws_refuses(sender, receiver, seg, now):
            return PAWS_DROP
        retracts = retracts_fin(sender, receiver, seg)
        verdict = FIN_RETRACT if retracts else classify(sender, receiver, seg, limit)
        if sender.facts & fl.RST:  # void, or the phase were CLOSED; 2 GiB later it would hold again
            sender.remember(fl.AUX_NONE, 0)
        apply(sender, receiver, seg, window)
        return verdict


def flow_key(seg):
    src, dst = seg.src, seg.dst
    return (src + dst, 0) if src < dst else (dst + src, 1)


def acks_syn(seg, peer):
    """Acknowledges the SYN of the peer, and nothing it has not sent."""
    end = peer.end + (FRAGMENTED_SYN if peer.facts & fl.FRAG else 0)
    return not before(seg.ack, (peer.isn + 1) & M32) and not after(seg.ack, end)


def ends_handshake(seg, peer):
    return acks_syn(seg, peer)


def acks_pending(seg, peer):
    if peer.aux_kind != fl.AUX_PENDING:
        return False
    return 0 < (seg.ack - peer.aux) & M32 <= 1 + peer.pending[0]


def duplicates_handshake(seg, sender, receiver):
    """The pending SYN is that of the connection in TIME_WAIT, come again, or another's that begins alike:
    only the SYN-ACK tells."""
    return receiver.facts & fl.SYN and receiver.aux == receiver.isn and seg.seq == sender.isn


def is_fresh_syn(sender, seg):
    """Newer than the connection in TIME_WAIT (RFC 6191)."""
    if after(seg.seq, sender.end):
        return True
    return seg.ts is not None and sender.facts & fl.HASTS and after(seg.ts, sender.tsmax)


def take_synack(sender, receiver, seg):
    known, isn = sender.facts & fl.SYN, sender.isn
    if known and seg.seq == isn:
        open_again(sender, seg)
    else:
        sender.open_with(seg)
        if known:  # two SYN-ACKs under way: the opener answers the one that comes first
            sender.remember(fl.AUX_ISN, isn)
    apply_ack(sender, receiver, seg, seg.window)


def without_judgement(sender, receiver, seg, window, phase, refusal):
    """After a RST, and of a first fragment, nothing is dropped, but the numbers are believed if they lie
    inside the window: after a RST they may show that it was forged or was not honoured."""
    if seg.fragment and (refusal is None or refusal[0] != DROP or refusal is DATA_AFTER_FIN):
        sender.facts |= fl.FRAG
    if refusal is None and (phase != fl.CLOSED or revives(sender, receiver)):
        apply(sender, receiver, seg, window)
        if phase == fl.CLOSED and not seg.fragment and fl.phase(sender, receiver) != fl.CLOSED:
            return RST_UNDONE
    return FRAG_FIRST if seg.fragment else CLOSED_LATE


def answers_segment(receiver, seg, phase):
    """No guess, so not limited: an endpoint that closed answers each segment still under way with a RST
    of the number that segment acknowledged; after the end some of them are old."""
    if not receiver.facts & fl.HASACK:
        return False
    low = receiver.ack - max(receiver.maxwin, MIN_SLACK) if phase in (fl.TIME_WAIT, fl.CLOSED) else receiver.ack
    return (seg.seq - low) & M32 <= (receiver.ack - low) & M32


def judge_rst(sender, receiver, seg, phase):
    """The rules for a RST, the first that fits."""
    seq = seg.seq
    from_opener = sender.facts & fl.SYN
    first = (sender.isn + 1) & M32
    if phase == fl.SYN_SENT and not from_opener:
        return REFUSED if seg.flags & ACK and acks_syn(seg, receiver) else RST_SYN_SENT
    if phase == fl.SYN_SENT and seq in (sender.end, first):
        return ABORT
    if phase in (fl.TIME_WAIT, fl.CLOSED):
        return RST_LATE
    if receiver.aux_kind in (fl.AUX_CHALLENGE, fl.AUX_SYNACK) and receiver.aux == seq:
        return RST_TO_CHALLENGE
    if phase == fl.SYN_SENT:
        return RST_SYN_SENT

    limit = send_limit(sender, receiver)
    if not receiver.facts & fl.HASACK:
        if seq in (sender.end, first):
            return RST_EXACT
        inside = not before(seq, first) and not after(seq, (limit + MIN_SLACK) & M32)
        refuses = seg.flags & ACK and acks_syn(seg, receiver)  # the SYN, if the SYN-ACK was lost
        return RST_INEXACT if inside or refuses else RST_OLD
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
    if before(seq, receiver.ack):  # one below, of an adopted sender: its FIN may have come before us
        return RST_CLOSING if sender.facts & fl.PICKUP and seq == (receiver.ack - 1) & M32 else RST_OLD
    return RST_INEXACT
