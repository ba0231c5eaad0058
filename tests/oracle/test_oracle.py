# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole conversations: the life of a connection, and what must not break it.
The cells of the transition table are in test_table.py, the end of a flow is in test_ageing.py."""
import random
import unittest

from flow import Half
from talk import Talk

HANDSHAKE = '''
    c S 1000 ws=7        : new     SYN_SENT/LISTEN
    s S. 5000 1001 ws=7  : synack  SYN_SENT/SYN_RECEIVED
    c . 1001 5001 win=512 : ok     ESTABLISHED/ESTABLISHED
'''


def talk(script, **settings):
    return Talk(**settings).run(script)


class Life(unittest.TestCase):
    def test_textbook(self):
        talk(HANDSHAKE + '''
            c P. 1001+100 5001 win=512 : ok
            s . 5001 1101 win=512      : ok
            c P. 1001+100 5001 win=512 : retrans
            c F. 1101 5001 win=512     : ok       FIN_WAIT_1/ESTABLISHED
            s . 5001 1102 win=512      : ok       FIN_WAIT_2/CLOSE_WAIT
            s P. 5001+1000 1102 win=512 : ok
            c . 1102 6001 win=512      : ok       FIN_WAIT_2/CLOSE_WAIT
            s F. 6001 1102 win=512     : ok       FIN_WAIT_2/LAST_ACK
            c . 1102 6002 win=512      : ok       TIME_WAIT/CLOSED
            s F. 6001 1102 win=512     : tw_fin_retr
            s P. 5001+500 1102 win=512 : tw_stray
            c . 1102 6002 win=512      : tw_ack
            s P. 6002+500 1102 win=512 : drop data_after_fin
            c R 1102                   : noupd rst_late TIME_WAIT/CLOSED
            wait 240000
            s P. 5001+500 1102 win=512 : tw_stray
            wait 1
            s P. 5001+500 1102 win=512 : drop no_flow''')

    def test_sequence_numbers_wrap(self):
        talk('''
            c S 0xfffffff0            : new
            s S. 0xffffffff 0xfffffff1 : synack
            c . 0xfffffff1 0          : ok ESTABLISHED/ESTABLISHED
            c . 0xfffffff1+15 0       : ok
            s . 0 0                   : ok
            c . 0+10 0                : ok
            s F. 0 10                 : ok ESTABLISHED/FIN_WAIT_1
            c F. 10 1                 : ok LAST_ACK/FIN_WAIT_2
            s . 1 11                  : ok CLOSED/TIME_WAIT''')

    def test_long_transfer_outlives_the_isn(self):
        t = talk('c S 0 ws=14 : new\n s S. 0 1 ws=14 : synack\n c . 1 1 win=65535 : ok')
        seq = 1
        for _ in range(5):
            t.run(f's . 1 {seq} win=65535 : ok')
            seq = (seq + 0x3fff0000) % 2**32
            t.run(f'c . {(seq - 1) % 2**32}+1 1 : ok ESTABLISHED/ESTABLISHED')
            t.run(f's . 1 {seq} win=65535 : ok ESTABLISHED/ESTABLISHED')

    def test_simultaneous_open_and_close(self):
        talk('''
            c S 1000 ws=7       : new
            s S 5000 ws=7       : simopen SYN_RECEIVED/SYN_RECEIVED
            c S. 1000 5001 ws=7 : synack
            s S. 5000 1001 ws=7 : synack  ESTABLISHED/ESTABLISHED
            c P. 1001+10 5001   : ok
            s . 5001 1011       : ok
            c F. 1011 5001      : ok      FIN_WAIT_1/ESTABLISHED
            s F. 5001 1011      : ok      FIN_WAIT_1/FIN_WAIT_1
            c . 1012 5002       : ok      CLOSING/FIN_WAIT_2
            s . 5002 1012       : ok      TIME_WAIT/TIME_WAIT''')
        talk('''
            c S 1000    : new
            s S 5000    : simopen
            c . 1001 9  : drop hs_bad_ack
            c . 1001 5001 : ok SYN_RECEIVED/SYN_SENT
            s . 5001 1001 : ok ESTABLISHED/ESTABLISHED''')

    def test_ipv6_is_the_same(self):
        ends = [bytes((0xfd,)) + bytes(14) + bytes((n, 0, 80)) for n in (2, 1)]
        Talk(client=ends[0], server=ends[1]).run(HANDSHAKE)

    def test_half_close_lasts(self):
        talk(HANDSHAKE + 'c F. 1001 5001 : ok\n s . 5001 1002 : ok' + '''
            wait 3600000
            s P. 5001+1000 1002 : ok
            wait 3600000
            c . 1002 6001       : ok FIN_WAIT_2/CLOSE_WAIT
            wait 3600001
            s P. 6001+1 1002    : drop no_flow''')

    def test_acknowledgement_sent_before_the_fin_came_is_none_of_it(self):
        talk(HANDSHAKE + '''
            c P. 1001+100 5001 : ok
            c F. 1101 5001     : ok FIN_WAIT_1/ESTABLISHED
            s . 5001 1101      : ok FIN_WAIT_1/ESTABLISHED''')


class Handshake(unittest.TestCase):
    def test_challenge_and_stale_synack(self):
        talk('''
            c S 0 ws=8                   : new
            s . 145824453 643160523      : noupd challenge_ack
            c R 643160523                : noupd rst_to_challenge SYN_SENT/LISTEN
            c R 643160524                : drop rst_syn_sent
            c S 0 ws=8                   : noupd syn_retrans
            s S. 0 1 win=250             : synack
            c . 1 1                      : ok ESTABLISHED/ESTABLISHED''')
        talk('''
            c S 0 ws=8                   : new
            s S. 145824453 643160523     : noupd synack_bad_ack
            c S 0 ws=8                   : noupd syn_retrans
            s S. 145758918 1             : synack
            c R 643160523                : noupd rst_to_challenge
            c P. 1+1 145758919           : ok ESTABLISHED/ESTABLISHED''')

    def test_new_client_meets_old_connection(self):
        talk('''
            c S 0 ws=7          : new
            s S. 0 1 ws=8       : synack
            c P. 1+100 1 win=257 : ok
            s . 1 101 win=256   : ok
            c S 2000 ws=7       : noupd syn_challenge
            s . 1 101 win=256   : ok
            c R. 101 1          : rst_exact CLOSED/CLOSED
            c S 2000            : tw_reuse  SYN_SENT/LISTEN''')
        talk(HANDSHAKE + '''
            c S 900000 ws=7      : noupd syn_challenge
            s S. 7777 1001       : noupd synack_unexpected
            s S. 7777 900001 ws=7 : reopen SYN_SENT/SYN_RECEIVED
            c . 900001 7778 win=512 : ok   ESTABLISHED/ESTABLISHED''')

    def test_segments_overtake_the_synack(self):
        t = talk('''
            c S 1000+50           : new
            s . 5001+1448 1051    : noupd early_seg
            s . 6449+100 1051     : noupd early_seg
            s S. 5000 1051        : synack
            c . 1051 6549         : ok ESTABLISHED/ESTABLISHED''')
        self.assertEqual(t.half('s').end, 6549)

    def test_fast_open(self):
        t = talk('c S 1000+500 ws=7 : new\n s S. 5000 1501 ws=7 : synack')
        for n in range(10):
            t.run(f's . {5001 + 1460 * n}+1460 1501 win=512 : ok')
        t.run('c . 1501 19601 win=512 : ok ESTABLISHED/ESTABLISHED')
        talk('''
            c S 1000+500 ws=7    : new
            s S. 5000 1001 ws=7  : synack
            c P. 1001+500 5001 win=512 : retrans ESTABLISHED/ESTABLISHED
            s . 5001 1501 win=512 : ok''')
        talk('''
            c S 1000+500         : new
            s S. 5000 1501       : synack
            s R. 5301 1501       : noupd rst_inexact''')

    def test_scaling_needs_both_sides(self):
        t = talk('c S 0 ws=7 win=60000 : new\n s S. 0 1 win=60000 : synack\n c . 1 1 win=60000 : ok')
        self.assertEqual(t.half('c').right, 60001)
        t = talk(HANDSHAKE)
        self.assertEqual(t.half('c').right, 5001 + (512 << 7))
        t.run('s S. 5000 1001 ws=14 : noupd synack_retrans')
        self.assertEqual(t.half('s').wscale, 7)

    def test_answer_with_another_isn(self):
        two = 'c S 1000 : new\n s S. 5000 1001 : synack\n s S. 7000 1001 : synack SYN_SENT/SYN_RECEIVED\n'
        talk(two + 'c . 1001 7001 : ok     ESTABLISHED/ESTABLISHED')
        talk(two + 'c . 1001 5001 : pickup ESTABLISHED/ESTABLISHED\n s . 5001+10 1001 : ok')
        talk(two + 'c . 1001 5000 : drop hs_bad_ack\n c F. 1001 5001 : noupd untracked')
        talk('''
            c S 1000       : new
            s S 5000       : simopen
            s S. 7000 1001 : synack  SYN_SENT/SYN_RECEIVED
            c . 1001 7001  : ok      ESTABLISHED/ESTABLISHED''')

    def test_duplicate_of_the_handshake_reopens_nothing(self):
        talk(HANDSHAKE + '''
            c S 1000 ws=7        : noupd syn_challenge
            s S. 5000 1001 ws=7  : noupd synack_retrans ESTABLISHED/ESTABLISHED
            s S. 5009 1001 ws=7  : noupd synack_unexpected''')
        ended = HANDSHAKE + '''
            c F. 1001 5001 : ok
            s F. 5001 1002 : ok
            c . 1002 5002  : ok
            c S 1000 ws=7  : noupd tw_syn_old
        '''
        talk(ended + 's S. 5000 1001 ws=7  : noupd synack_retrans')
        anew = ended + 's S. 5009 1001 ws=7  : reopen SYN_SENT/SYN_RECEIVED\n'
        talk(anew + 'c . 1001 5010  : ok     ESTABLISHED/ESTABLISHED')
        talk(anew + 'c . 1002 5002  : pickup\n s R 5002 : rst_exact')

    def test_own_address_from_outside_is_not_believed(self):
        talk('''
            c S 1000 own       : new
            c S 1000           : noupd spoofed
            c R 1001           : noupd spoofed
            s S. 5000 1001     : synack
            c . 1001 5001 own  : ok ESTABLISHED/ESTABLISHED
            c R 1001           : noupd spoofed ESTABLISHED/ESTABLISHED''')

    def test_syn_in_fragments(self):
        talk('''
            c S 1000+8 frag    : new
            s S. 5000 1401     : synack
            c . 1401 5001      : ok ESTABLISHED/ESTABLISHED''')

    def test_fast_open_syn_without_data_comes_first(self):
        t = talk('''
            c S 1000             : new
            c S 1000+500         : noupd syn_retrans
            s S. 5000 1501       : synack''')
        self.assertEqual(t.half('c').end, 1501)


class Window(unittest.TestCase):
    def check_edges(self, opened, lines):
        for line in lines:
            with self.subTest(line):
                talk(opened).run(line)

    def test_upper_edges(self):
        self.check_edges('c S 0 : new\n s S. 0 1 win=1000 : synack\n c . 1 1 : ok', (
            'c . 1001+1448 1 : ok',  # I is about seq: a probe or a super-segment may straddle
            'c . 1002+1 1 : drop seq_above',
            'c . 1 2 : drop ack_above',
            'c . 1 1 sack=2 : ok'))

    def test_sack_widens_the_window_only_up_to_what_was_sent(self):
        for edge, maxwin in ((1001, 2000), (1002, 1000)):
            t = talk('c S 0 : new\n s S. 0 1 win=1000 : synack\n c . 1+1000 1 : ok\n'
                     f's . 1 1 win=1000 sack={edge} : ok')
            self.assertEqual(t.half('s').maxwin, maxwin)

    def test_lower_edges(self):
        wide = 'c S 0 : new\n s S. 0 1 : synack\n c . 1 1 : ok'  # both windows 65535, both ends 1
        seq, ack = 1 - 65535, 1 - 66000
        self.check_edges(wide, (
            f'c . {seq % 2**32} 1 : ok',
            f'c . {(seq - 1) % 2**32} 1 : noupd seq_old',
            f'c . {(seq - 2**20) % 2**32} 1 : noupd seq_old',
            f'c . {(seq - 2**20 - 1) % 2**32} 1 : drop seq_below',
            f'c . 1 {ack % 2**32} : ok',
            f'c . 1 {(ack - 1) % 2**32} : noupd ack_old',
            f'c . 1 {(ack - 2**20) % 2**32} : noupd ack_old',
            f'c . 1 {(ack - 2**20 - 1) % 2**32} : drop ack_below'))

    def test_lost_acknowledgements(self):
        t = talk('c S 0 win=32792 : new\n s S. 0 1 : synack\n c . 1 1 : ok')
        for seq in range(1, 67161, 1460):
            t.run(f'c P. {seq}+1460 1 win=257 : ok\n s . 1 {seq + 1460} : ok')
        t.run('c P. 1+1460 1 win=257 : noupd seq_old')

    def test_keepalive_and_window_probe(self):
        t = talk(HANDSHAKE + '''
            c . 1000 5001 win=512   : keepalive
            c . 1000+1 5001 win=512 : keepalive
            s . 5001 1001 win=0     : ok
            c . 1000+1 5001 win=512 : keepalive''')
        limit = t.half('s').right
        t.run(f'''
            c . 1001+10 5001 win=512       : ok
            s . 5001 1002 win=0            : ok
            c . 1001 5001 win=512          : window_probe
            c . 1002 5001 win=512          : ok
            c . 1002+1 5001 win=512        : window_probe
            c . {limit} 5001 win=512       : ok
            c . {limit}+1 5001 win=512     : window_probe
            c . {limit + 2}+1 5001 win=512 : drop seq_above''')
        self.assertEqual(t.half('c').retrans, 0)

    def test_super_segments_overlap(self):
        t = talk(HANDSHAKE + '''
            s . 5001 1001 win=4000      : ok
            c . 1001+64000 5001 win=512 : ok
            c . 30001+64000 5001 win=512 : ok''')
        self.assertEqual(t.half('c').retrans, 1)

    def test_timestamps(self):
        opened = 'c S 0 ts=100 : new\n s S. 0 1 ts=9 : synack\n c . 1+100 1 ts=200 : ok\n'
        t = talk(opened + 'c . 1+100 1 ts=150 : ok\n c . 1+100 1 ts=200 : retrans')
        self.assertEqual((t.half('c').ooo, t.half('c').retrans), (1, 1))
        old = (200 - 2**20) % 2**32
        talk(opened + f'c . 101+10 1 ts=199 : paws\n c . 111+1 1 ts={old - 1} : paws')
        talk(opened + f'c . 101+1 1 ts={old} : paws\n c . 102+10 1 ts={old - 1} : drop paws\n'
                      f'c . 101 1 ts={old - 1} : ok', strict=True)
        talk('c S 0 ts=0 : new\n s S. 0 1 ts=9 : synack\n c . 1+1 1 ts=0xf0000000 : ok')

    def test_first_segment_of_an_adopted_half_is_new(self):
        talk('c . 1000+100 5000 : pickup\n s . 4000+100 1100 : ok\n s . 4000+100 1100 : retrans\n'
             'c . 1000+100 5000 : retrans', learn=True)

    def test_forged_fin_is_taken_back(self):
        t = talk(HANDSHAKE + '''
            c F. 1501 5001     : ok          FIN_WAIT_1/ESTABLISHED
            c . 1001+1000 5001 : fin_retract ESTABLISHED/ESTABLISHED
            c F. 1201 5001     : ok          ESTABLISHED/ESTABLISHED
            s . 5001 2001      : ok          ESTABLISHED/ESTABLISHED
            c F. 2001 5001     : ok          FIN_WAIT_1/ESTABLISHED
            c F. 2001 5001     : retrans
            s . 5001 2002      : ok          FIN_WAIT_2/CLOSE_WAIT
            c . 2003 5001      : noupd second_fin
            c F. 2002 5001     : noupd second_fin
            c F. 2002 5002     : drop ack_above
            c . 2004 5001      : drop data_after_fin
            c . 2002+1 5001    : drop data_after_fin''')
        self.assertEqual(t.half('c').end, 2002)

    def test_own_segments_beyond_an_acknowledged_fin_are_another_connections(self):
        talk(HANDSHAKE + '''
            s F. 5001 1001 own     : ok
            c F. 1001 5002         : ok
            s . 5002 1002 own      : ok         CLOSED/TIME_WAIT
            s . 90000000+9 1002 own : drop seq_above CLOSED/TIME_WAIT''')

    def test_monitor_follows_an_overshoot(self):
        over = HANDSHAKE.replace('ws=7', '') + 's . 5001 1001 win=1000 : ok\n'
        for settings, own in (({'enforce': False}, ''), ({}, ' own')):
            talk(over + f'''
                c . 66537+10 5001{own} : drop seq_above
                s . 5001 66547         : ok''', **settings)
        talk(over + 'c . 66537+10 5001 : drop seq_above\n s . 5001 66547 : drop ack_above')
        t = talk(over, enforce=False)
        for line in ('c . 66537+10 5002 : drop seq_above', 'c . 132072 5001 : drop seq_above',
                     'c . 1001+10 5002 : drop ack_above'):
            t.run(line)
            self.assertEqual(t.half('c').end, 1001)
        t.run('c . 132071 5001 : drop seq_above')
        self.assertEqual(t.half('c').end, 132071)


class Reset(unittest.TestCase):
    def test_near_misses(self):
        talk('''
            c S 0 ws=8 ts=1  : new
            s S. 1 1         : synack
            c . 1 2          : ok
            s . 2+3000 1     : ok
            c . 1 3002       : ok
            s R 0            : drop rst_old
            s R 1000000      : drop rst_above
            s R 42           : drop rst_old
            c P. 1+1000 3002 : ok
            s R. 3001 1001   : drop rst_old   ESTABLISHED/ESTABLISHED
            s R. 3003 1001   : noupd rst_inexact
            s R. 3002 1001   : rst_exact      CLOSED/CLOSED
            s R. 3002 1001   : noupd rst_late''')
        talk(HANDSHAKE + '''
            s . 5001+100 1001 : ok
            s R 5102 1001     : noupd rst_inexact
            s R 5101 1001     : rst_train CLOSED/CLOSED''')

    def test_reset_of_a_closing_connection(self):
        talk(HANDSHAKE + '''
            s F. 5001+100 1001 : ok
            c . 1001 5102      : ok        CLOSE_WAIT/FIN_WAIT_2
            s R 5050           : noupd rst_closing
            s R 5101           : rst_after_fin CLOSED/CLOSED
            c . 1001+10 5102   : noupd closed_late CLOSED/CLOSED''')

    def test_reset_that_was_not_honoured(self):
        t = talk(HANDSHAKE + '''
            c R 1001             : rst_exact CLOSED/CLOSED
            c . 1001+100 5001    : noupd closed_late
            s . 5001 1001        : noupd closed_late CLOSED/CLOSED
            s . 5001 1101        : noupd rst_undone ESTABLISHED/ESTABLISHED
            c . 1101+100 5001    : ok
            wait 300000
            s . 5001 1201        : ok''')
        self.assertFalse(t.half('c').facts & 8)

    def test_blind_attacks_get_nothing(self):
        bits = random.Random(1).getrandbits
        names = [name for name in Half.__slots__ if name not in ('aux', 'aux_kind', 'pending')]
        for flags in ('R', 'R.', '.', 'F.', 'S.', 'S'):
            t = talk(HANDSHAKE + 's . 5001 1001 win=512 : ok')
            facts = [getattr(half, name) for half in t.flow.half for name in names]
            for _ in range(3000):
                length = 100 if flags == '.' else 0
                self.assertNotEqual(t.say(f'c {flags} {bits(32)}+{length} {bits(32)}')[0], 'pass')
            self.assertEqual(facts, [getattr(half, name) for half in t.flow.half for name in names])

    def test_rates(self):
        for line, name in (('c S 77777', 'syn'), ('c R 1002', 'rst')):
            t = talk(HANDSHAKE)
            got = [t.say(line) for _ in range(22)]
            self.assertTrue(all(action == 'noupd' for action, _ in got[:20]))
            self.assertEqual(got[20:], [('drop', name + '_rate')] * 2)
            t.now += 99
            self.assertEqual(t.say(line)[0], 'drop')
            t.now += 1
            self.assertEqual(t.say(line)[0], 'noupd')
        t = talk(HANDSHAKE + 'c R 1001 : rst_exact\n s R 9999 : noupd rst_late')
        for _ in range(30):
            t.run('c R 1001 : noupd rst_late')
        t = talk(HANDSHAKE)
        for _ in range(20):
            t.run('c S 77777 : noupd syn_challenge')
        t.run('c S 88888 : drop syn_rate\n s S. 9 88889 : noupd synack_unexpected')


if __name__ == '__main__':
    unittest.main()
