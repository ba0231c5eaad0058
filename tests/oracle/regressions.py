# SPDX-License-Identifier: GPL-2.0-or-later
"""Conversations in which data path and oracle once differed: what is right, and the segments."""

ONCE_DIFFERED = [
    ('a FIN is sent again only if the FIN was sent, not if the SYN was (TG_FIN is TG_FACT_SYN)', '''
        c S 1000
        s S. 5000 1001
        c . 1001+10 5001
        c F. 1010 5001'''),
    ('of a fragmented SYN-ACK, too, the end is not known, so the ACK of its data is right', '''
        c S 1000
        s S. 5000+8 1001 frag
        c . 1001 5401'''),
    ('a segment that is refused and passed all the same (own, monitor) can change the phase', '''
        c S 1000
        s S. 5000 1001
        c . 1001 5001
        wait 1000
        c F. 1001 5002 own'''),
    ('a newest timestamp is one, whatever segment brought it: also a SYN-ACK sent again', '''
        c S 1000
        s S. 5000 1001
        s S. 5000 1001 ts=100
        c . 1001 5001
        s . 5001+1 1001 ts=99'''),
    ('a refused SYN has no flow to revive, also not by a first fragment', '''
        c S 1000
        s R. 0 1001
        s . 0+8 1001 frag'''),
    ('a SYN sent again can announce a larger window (as a SYN-ACK)', '''
        c S 1000 win=1000
        c S 1000'''),
    ('a receiver that never acknowledged anything expects no RST at 0', '''
        c S 1000
        s R. 0 1001''' + 21 * '''
        s R 0'''),
    ('a timestamp half around the circle is an old one', '''
        c S 1000 ts=1
        s S. 5000 1001 ts=1
        c . 1001 5001 ts=1
        c . 1001+10 5001 ts=2147483649'''),
]
