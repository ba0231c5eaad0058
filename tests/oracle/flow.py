# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tracker remembers of one flow, and what those facts mean.
Pure functions of two halves; the rules that change a half are in oracle.py."""
from packet import M32, WSCALE_MAX

# Half.facts, the values of include/tcpguard/flow.h
SYN, FIN, PASSIVE, RST, PICKUP, HASACK, HASTS, FRAG, ACKSYN, OWN = (1 << n for n in range(10))
# Half.aux_kind
AUX_NONE, AUX_EARLY, AUX_CHALLENGE, AUX_PENDING, AUX_RST, AUX_ISN, AUX_SYNACK = range(7)

PHASES = ('syn_sent', 'syn_recv', 'established', 'half_closed', 'last', 'time_wait', 'closed')
SYN_SENT, SYN_RECV, ESTABLISHED, HALF_CLOSED, LAST, TIME_WAIT, CLOSED = range(7)
TIMEOUT_MS = (60_000, 60_000, 86_400_000, 3_600_000, 120_000, 240_000, 120_000)
UNCONFIRMED_MS = 300_000

MAXWIN_PICKUP = 1 << 30  # the largest window RFC 7323 allows
EARLY_SPAN = 1 << 20  # how far data may have overtaken its SYN or SYN-ACK
GCRA_COST_MS, GCRA_DEPTH_MS = 100, 2000  # 10 a second, 20 at once


def before(a, b):
    return (a - b) & 0x80000000 != 0


def after(a, b):
    return (b - a) & 0x80000000 != 0


def seq_max(a, b):
    return a if after(a, b) else b


def segment_facts(seg):
    """What any segment says of its sender."""
    return (seg.ts is not None and HASTS) | (seg.fragment and FRAG) | (seg.own and OWN)


class Half:
    """What one endpoint sent.  Names as struct tg_half, tg_half_count and tg_detail."""
    __slots__ = ('end', 'ack', 'right', 'maxwin', 'facts', 'wscale', 'aux', 'aux_kind', 'isn',
                 'tsmax', 'heard', 'window', 'pending', 'retrans', 'ooo')

    def __init__(self):
        self.end = self.ack = self.right = self.maxwin = self.isn = self.tsmax = 0
        self.facts = 0
        self.wscale = None
        self.aux, self.aux_kind = 0, AUX_NONE
        self.heard = None  # when, ms: a segment that was not dropped
        self.window = 0  # last raw window of a PASS
        self.pending = None  # (payload length, window, wscale) of the pending SYN; its ISN is aux
        self.retrans = self.ooo = 0

    def open(self, isn, end, window, wscale, ts=None, facts=0):
        """A SYN or SYN-ACK starts this half anew.  aux stays: it tells of earlier segments."""
        self.facts = SYN | facts
        if self.aux_kind == AUX_EARLY and 0 < (self.aux - end) & M32 < EARLY_SPAN:
            end = self.aux
        self.isn, self.end = isn, end
        self.ack = self.right = self.tsmax = 0
        self.maxwin = window or 1
        self.window, self.wscale = window, wscale
        self.tsmax = ts or 0

    def open_with(self, seg):
        self.open(seg.seq, seg.end, seg.window, seg.wscale, seg.ts, segment_facts(seg))

    def remember(self, kind, value):
        """Overwrites aux.  Only a void RST can be overwritten, and it is void for good."""
        self.facts &= ~RST
        self.aux_kind, self.aux = kind, value

    def remember_syn(self, seg):
        self.remember(AUX_PENDING, seg.seq)
        self.pending = (seg.paylen, seg.window, seg.wscale)


class Flow:
    __slots__ = ('half', 'stamp', 'opener', 'syn_tat', 'rst_tat')

    def __init__(self, now, opener):
        self.half = (Half(), Half())  # of the lower and of the higher endpoint
        self.stamp = now  # what the timeout of the phase counts from
        self.opener = opener  # 0 or 1: the side whose segment made the entry
        self.syn_tat = self.rst_tat = now  # token buckets of SYN and RST passed without effect

    def phase(self):
        return phase(*self.half)

    def states(self, side=None):
        """RFC 9293 states of the endpoint on that side (of the opener) and of its peer."""
        side = self.opener if side is None else side
        x, y = self.half[side], self.half[side ^ 1]
        return endpoint_state(x, y), endpoint_state(y, x)

    def timeout_ms(self):
        now = phase(*self.half)
        if now == ESTABLISHED and unconfirmed(*self.half):
            return UNCONFIRMED_MS
        return TIMEOUT_MS[now]

    def allow_syn(self, now):
        self.syn_tat, allowed = take_token(self.syn_tat, now)
        return allowed

    def allow_rst(self, now):
        self.rst_tat, allowed = take_token(self.rst_tat, now)
        return allowed


def take_token(tat, now):
    """GCRA -> (theoretical arrival time, conforming?)."""
    if tat - now > GCRA_DEPTH_MS - GCRA_COST_MS:
        return tat, False
    return max(tat, now) + GCRA_COST_MS, True


def syn_acked(x, y):
    return bool(x.facts & PICKUP or x.facts & SYN and y.facts & ACKSYN)


def fin_acked(x, y):
    return bool(x.facts & FIN and y.facts & HASACK and not before(y.ack, x.end))


def rst_holds(x, y):
    if not x.facts & RST:
        return False
    return not (x.aux_kind == AUX_RST and y.facts & HASACK and after(y.ack, x.aux))


def established(x, y):
    return syn_acked(x, y) and syn_acked(y, x)


def phase(a, b):
    some, both = a.facts | b.facts, a.facts & b.facts
    if some & RST and (rst_holds(a, b) or rst_holds(b, a)):
        return CLOSED
    if both & (SYN | ACKSYN) != SYN | ACKSYN and not established(a, b):
        return SYN_RECV if both & SYN else SYN_SENT
    if not some & FIN:
        return ESTABLISHED
    if not both & FIN:
        return HALF_CLOSED
    return TIME_WAIT if fin_acked(a, b) and fin_acked(b, a) else LAST


def endpoint_state(x, y):
    """The first row that fits, as in include/tcpguard/state.h."""
    if rst_holds(x, y) or rst_holds(y, x):
        return 'CLOSED'
    if not x.facts & SYN:
        return 'LISTEN' if y.facts & SYN else 'CLOSED'
    if not established(x, y):
        if syn_acked(x, y):
            return 'SYN_SENT'
        return 'SYN_RECEIVED' if y.facts & SYN else 'SYN_SENT'
    if not x.facts & FIN:
        return 'CLOSE_WAIT' if fin_acked(y, x) else 'ESTABLISHED'
    if not fin_acked(x, y):
        if x.facts & PASSIVE:
            return 'LAST_ACK'
        return 'CLOSING' if fin_acked(y, x) else 'FIN_WAIT_1'
    if x.facts & PASSIVE:
        return 'CLOSED'
    return 'TIME_WAIT' if fin_acked(y, x) else 'FIN_WAIT_2'


def send_limit(x, y):
    """How far x may send (LIMIT)."""
    if y.facts & HASACK:
        return y.right
    if x.facts & PICKUP:
        return (x.end + MAXWIN_PICKUP) & M32
    if y.facts & SYN:  # before the first ACK: the window of the SYN itself
        return seq_max(x.end, (x.isn + 1 + y.maxwin) & M32)
    return x.end


def scale(x, y):
    if x.facts & PICKUP:
        return WSCALE_MAX
    return 0 if x.wscale is None or y.wscale is None else x.wscale


def unconfirmed(a, b):
    """Established, but data is unacknowledged, or the flow is adopted and one side silent."""
    if not a.facts & b.facts & HASACK:
        return True
    return before(a.ack, b.end) or before(b.ack, a.end)
