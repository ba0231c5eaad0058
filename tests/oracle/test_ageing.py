# SPDX-License-Identifier: GPL-2.0-or-later
"""Where flows begin and end without a handshake or a FIN: reuse of the endpoints, adoption in
mid-stream, timeouts; and fragments, of which a part is never seen."""
import unittest

from talk import Talk

OPEN = '''
    c S 1000             : new
    s S. 5000 1001       : synack
    c . 1001 5001        : ok      ESTABLISHED/ESTABLISHED
'''
ENDED = OPEN + '''
    c F. 1001 5001       : ok      FIN_WAIT_1/ESTABLISHED
    s F. 5001 1002       : ok      FIN_WAIT_2/LAST_ACK
    c . 1002 5002        : ok      TIME_WAIT/CLOSED
'''


def talk(script, **settings):
    return Talk(**settings).run(script)


class Reuse(unittest.TestCase):
    def test_new_connection_in_time_wait(self):
        talk(ENDED + 'c S 5000000 ws=7 : tw_reuse SYN_SENT/LISTEN')
        talk(ENDED + 's S 9000000 ws=7 : tw_reuse LISTEN/SYN_SENT')
        talk(ENDED + '''
            c S 500 ws=7     : noupd tw_syn_old TIME_WAIT/CLOSED
            s . 5002 1002    : tw_ack
            c R 1002         : noupd rst_late
            c S 500 ws=7     : noupd tw_syn_old
            s S. 99 501 ws=7 : reopen
            c . 501 100      : ok         ESTABLISHED/ESTABLISHED''')
        talk(ENDED + 'c S 500 : drop tw_syn_old\n s S. 99 501 : noupd synack_unexpected',
             strict=True)
        stamped = '''
            c S 1000 ts=5     : new
            s S. 5000 1001    : synack
            c F. 1001 5001 ts=6 : ok
            s F. 5001 1002    : ok
            c . 1002 5002 ts=7 : ok TIME_WAIT/CLOSED
        '''
        talk(stamped + 'c S 500 ts=8 : tw_reuse')
        talk(stamped + 'c S 500 ts=7 : noupd tw_syn_old')

    def test_old_incarnation_does_not_disturb(self):
        talk(ENDED + '''
            c S 5000000      : tw_reuse
            s . 5002 1002    : noupd challenge_ack
            c R 1003         : drop rst_syn_sent
            s R 5002         : drop rst_syn_sent
            s S. 7000 5000001 : synack''')


class Learning(unittest.TestCase):
    def test_adopts_in_mid_stream(self):
        talk('''
            c . 123456+1000 999 win=500    : pickup ESTABLISHED/ESTABLISHED
            s . 999+60000 124456 win=500   : ok
            c . 124456 60999 win=500       : ok
            c . 2147608099 60999 win=500   : drop seq_above
            s R 130999                     : noupd rst_inexact
            s F. 60999 124456              : ok ESTABLISHED/FIN_WAIT_1''', learn=True)

    def test_data_in_flight_was_not_seen(self):
        talk('c . 1 1000 : pickup\n s . 1000 50001 : ok\n c . 1 1000 : ok', learn=True)

    def test_never_from_anything_else(self):
        for flags in ('S.', 'F.', 'R', 'R.'):
            t = talk(f'c {flags} 1 1 : noupd untracked', learn=True)
            self.assertIsNone(t.flow)
        talk('c . 1+10 1 : drop no_flow\n c F. 1 1 : drop no_flow\n c R 1 1 : drop rst_no_flow\n'
             's S. 1 1 : drop no_flow')

    def test_replaces_half_a_handshake(self):
        talk('c S 7 : new\n s . 1000+10 500 : pickup ESTABLISHED/ESTABLISHED', learn=True)
        talk('c S 7 : new\n c . 1000+10 500 : pickup ESTABLISHED/ESTABLISHED', learn=True)
        talk('c S 7 : new\n c F. 1000+10 500 : noupd untracked SYN_SENT/LISTEN', learn=True)


class Ageing(unittest.TestCase):
    def expires(self, script, timeout, probe, learn=False):
        for wait, gone in ((timeout, False), (timeout + 1, True)):
            t = talk(script, learn=learn)
            t.now += wait
            t.say(probe)
            self.assertEqual(t.flow is None, gone, (script, wait))

    def test_timeouts(self):
        finack = 'c F. 1001 5001 : ok\n s . 5001 1002 : ok\n'
        stray = 's . 1 1'  # passes no check and opens nothing
        self.expires('c S 1000 : new', 60_000, stray)
        self.expires('c S 1000 : new\n s S. 5000 1001 : synack', 60_000, stray)
        self.expires(OPEN, 86_400_000, stray)
        self.expires(OPEN + 'c . 1001+1 5001 : ok', 300_000, stray)
        self.expires('c . 1 1 : pickup', 300_000, 's R 9', learn=True)
        self.expires(OPEN + finack, 3_600_000, stray)
        self.expires(OPEN + finack + 's F. 5001 1002 : ok', 120_000, stray)
        self.expires(ENDED, 240_000, stray)
        self.expires(OPEN + 'c R 1001 : rst_exact', 120_000, stray)

    def test_what_renews(self):
        self.expires('c S 1 : new\n wait 50000\n c S 1 : noupd syn_retrans', 10_000, 's . 1 1')
        self.expires('c S 1 : new\n wait 50000\n c S 9 : syn_reinit', 60_000, 's . 1 1')
        self.expires('c S 1 : new\n wait 50000\n s S. 5 2 : synack\n wait 9\n s S. 5 2 : synack', 59_991,
                     's . 9999999 1')
        self.expires(ENDED + 'wait 99000\n c . 1002 5002 : tw_ack', 141_000, 's . 1 1')
        self.expires(ENDED + 'wait 99000\n s F. 5001 1002 : tw_fin_retr', 240_000, 's . 1 1')
        self.expires(OPEN + 'c R 1001 : rst_exact\n wait 9\n c R 1001 : noupd rst_late', 119_991,
                     's . 1 1')
        self.expires(OPEN + 'c R 1001 : rst_exact\n wait 9\n c . 1001 5001 : noupd closed_late', 120_000,
                     's . 1 1')
        self.expires(OPEN + 'wait 9000\n c F. 1001 5002 own : drop ack_above FIN_WAIT_1/ESTABLISHED',
                     3_600_000, 's . 1 1')


class Fragments(unittest.TestCase):
    def test_first_fragment(self):
        t = talk(OPEN + '''
            s . 5001+1480 1001 frag : noupd frag_first
            c . 1001 9001           : ok
            s S 9 frag              : noupd syn_challenge
            s R 9001 frag           : rst_exact CLOSED/CLOSED''')
        self.assertEqual(t.half('s').end, 6481)
        talk(OPEN + '''
            c F. 1001+8 5001 frag   : noupd frag_first ESTABLISHED/ESTABLISHED
            s . 5001 1410           : ok
            c F. 1001+408 5001      : ok FIN_WAIT_2/CLOSE_WAIT
            c . 1401+99 5001        : ok''')
        talk('c S 1000 : new\n s S. 5000+8 1001 frag : synack\n c . 1001 5401 : ok')
        talk('c S 1000 : new\n s R. 0 1001 : refused\n s . 0+8 1001 frag : noupd frag_first\n'
             'c . 1001+8 8 frag : noupd frag_first CLOSED/CLOSED')
        talk('c . 1000+10 1 frag : pickup\n s . 1 2000 : ok', learn=True)
        talk('c S 1000 : new\n c . 1001+8 5001 frag : drop ack_before_synack')


if __name__ == '__main__':
    unittest.main()
