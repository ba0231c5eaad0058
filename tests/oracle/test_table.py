# SPDX-License-Identifier: GPL-2.0-or-later
"""The transition tables, teardown, RST and TIME_WAIT included: from each phase, each segment of each
side, its verdict and the states that follow.  The client is A or X, the server B or Y."""
import unittest

from talk import Talk

SYN_SENT = 'c S 1000+20 : new SYN_SENT/LISTEN\n'
SYN_RECV = SYN_SENT + 's S. 5000 1021 : synack SYN_SENT/SYN_RECEIVED\n'
SIMOPEN = SYN_SENT + 's S 5000 : simopen SYN_RECEIVED/SYN_RECEIVED\n'
OPEN = SYN_RECV + 'c . 1021 5001 : ok ESTABLISHED/ESTABLISHED\n'
FIN_WAIT_1 = OPEN + 'c F. 1021+9 5001 : ok FIN_WAIT_1/ESTABLISHED\n'  # the FIN ends at 1031
FIN_WAIT_2 = FIN_WAIT_1 + 's . 5001 1031 : ok FIN_WAIT_2/CLOSE_WAIT\n'
LAST_ACK = FIN_WAIT_2 + 's F. 5001 1031 : ok FIN_WAIT_2/LAST_ACK\n'
CROSSING = FIN_WAIT_1 + 's F. 5001 1021 : ok FIN_WAIT_1/FIN_WAIT_1\n'
TIME_WAIT = LAST_ACK + 'c . 1031 5002 : ok TIME_WAIT/CLOSED\n'
CLOSED = OPEN + 'c R 1021 : rst_exact CLOSED/CLOSED\n'
CHALLENGED = SYN_SENT + 's . 777 999 : noupd challenge_ack\n'

ROWS = {
    'none': ('', '''
        c S 1000          : new SYN_SENT/LISTEN
        s S 1000          : new LISTEN/SYN_SENT
        c S. 1000 1       : drop no_flow
        c . 1000 1        : drop no_flow
        s .U 1000+9 1     : drop no_flow
        c F. 1000 1       : drop no_flow
        c R 1000          : drop rst_no_flow
        c SF 1000         : drop bad_flags'''),
    'syn_sent': (SYN_SENT, '''
        c S 1000+20       : noupd syn_retrans SYN_SENT/LISTEN
        c S 1001          : syn_reinit SYN_SENT/LISTEN
        s S 5000          : simopen SYN_RECEIVED/SYN_RECEIVED
        c S. 1000 1       : drop synack_wrong_dir
        s S. 5000 1001    : synack SYN_SENT/SYN_RECEIVED
        s S. 5000 1021    : synack SYN_SENT/SYN_RECEIVED
        s S. 5000 1000    : noupd synack_bad_ack SYN_SENT/LISTEN
        s S. 5000 1022    : noupd synack_bad_ack SYN_SENT/LISTEN
        c . 1021 5001     : drop ack_before_synack
        c . 1021+9 5001   : drop ack_before_synack
        s . 5001 1001     : noupd early_seg SYN_SENT/LISTEN
        s . 5001+9 1021   : noupd early_seg
        s F. 5001 1021    : noupd early_seg
        s . 5001 1000     : noupd challenge_ack SYN_SENT/LISTEN
        s . 5001 1022     : noupd challenge_ack
        s . 5001+1 1022   : drop data_before_synack
        s F. 5001 1022    : drop data_before_synack
        c F. 1021 5001    : drop ack_before_synack
        s R. 0 1001       : refused CLOSED/CLOSED
        s R. 77777 1021   : refused CLOSED/CLOSED
        s R. 0 1022       : drop rst_syn_sent
        s R 0             : drop rst_syn_sent
        c R 1021          : abort CLOSED/CLOSED
        c R 1001          : abort CLOSED/CLOSED
        c R 1000          : drop rst_syn_sent'''),
    'challenged': (CHALLENGED, '''
        c R 999           : noupd rst_to_challenge SYN_SENT/LISTEN
        c R 998           : drop rst_syn_sent
        c R 1021          : abort'''),
    'syn_recv': (SYN_RECV, '''
        c S 1000+20       : syn_retrans SYN_SENT/SYN_RECEIVED
        c S 1001          : noupd syn_new_isn SYN_SENT/SYN_RECEIVED
        s S 5000          : syn_retrans SYN_SENT/SYN_RECEIVED
        s S 5001          : noupd syn_new_isn
        c S. 1000 5001    : synack ESTABLISHED/ESTABLISHED
        c S. 1000 5002    : noupd synack_unexpected
        c S. 999 5001     : noupd synack_unexpected
        s S. 5000 1021    : synack SYN_SENT/SYN_RECEIVED
        s S. 6000 1021    : synack SYN_SENT/SYN_RECEIVED
        s S. 6000 1022    : noupd synack_unexpected
        c . 1021 5001     : ok ESTABLISHED/ESTABLISHED
        c . 1021+9 5001   : ok ESTABLISHED/ESTABLISHED
        c . 1021 5000     : drop hs_bad_ack SYN_SENT/SYN_RECEIVED
        c . 1021 5002     : drop hs_bad_ack
        s . 5001 1021     : ok SYN_SENT/SYN_RECEIVED
        s . 5001+9 1021   : ok SYN_SENT/SYN_RECEIVED
        s . 5001 1022     : drop ack_above
        c F. 1021 5001    : ok FIN_WAIT_1/ESTABLISHED
        c F. 1021 5000    : drop hs_bad_ack
        s F. 5001 1021    : ok SYN_SENT/SYN_RECEIVED
        s R 5001          : rst_exact CLOSED/CLOSED
        s R 5002          : noupd rst_inexact
        s R 5000          : drop rst_old
        c R 1021          : rst_exact CLOSED/CLOSED
        c R 1022          : noupd rst_inexact
        c R 1020          : drop rst_old'''),
    'syn_recv, server has closed': (SYN_RECV + 's F. 5001 1021 : ok\n', '''
        c . 1021 5001     : ok ESTABLISHED/FIN_WAIT_1
        c . 1021 5002     : ok CLOSE_WAIT/FIN_WAIT_2'''),
    'simultaneous open': (SIMOPEN, '''
        c S. 1000 5001    : synack SYN_RECEIVED/SYN_SENT
        s S. 5000 1021    : synack SYN_SENT/SYN_RECEIVED
        c . 1021 5001     : ok SYN_RECEIVED/SYN_SENT
        s . 5001 1021     : ok SYN_SENT/SYN_RECEIVED
        s . 5001 1022     : drop hs_bad_ack
        c . 1021 5002     : drop hs_bad_ack'''),
    'established': (OPEN, '''
        c S 1000          : noupd syn_challenge ESTABLISHED/ESTABLISHED
        s S 9999          : noupd syn_challenge
        c S. 1000 5001    : noupd synack_retrans
        s S. 5000 1021    : noupd synack_retrans
        s S. 5001 1021    : noupd synack_unexpected
        c . 1021+9 5001   : ok
        s . 5001+9 1021   : ok
        c F. 1021 5001    : ok FIN_WAIT_1/ESTABLISHED
        s F. 5001 1021    : ok ESTABLISHED/FIN_WAIT_1
        c R 1021          : rst_exact CLOSED/CLOSED
        s R 5001          : rst_exact CLOSED/CLOSED
        s R 5002          : noupd rst_inexact
        s R 5000          : drop rst_old
        s R 70537         : drop rst_above
        s R 70536         : noupd rst_inexact'''),
    'FIN_WAIT_1/ESTABLISHED': (FIN_WAIT_1, '''
        c . 1031 5001     : ok FIN_WAIT_1/ESTABLISHED
        c . 1021+9 5001   : retrans FIN_WAIT_1/ESTABLISHED
        c . 1031+1 5001   : fin_retract ESTABLISHED/ESTABLISHED
        s . 5001+9 1030   : ok FIN_WAIT_1/ESTABLISHED
        s . 5001 1031     : ok FIN_WAIT_2/CLOSE_WAIT
        c F. 1030 5001    : retrans FIN_WAIT_1/ESTABLISHED
        s F. 5001 1030    : ok FIN_WAIT_1/FIN_WAIT_1
        s F. 5001 1031    : ok FIN_WAIT_2/LAST_ACK
        c S 9999          : noupd syn_challenge
        s S 9999          : noupd syn_challenge
        s R 5001          : rst_exact CLOSED/CLOSED
        s R 4000          : noupd rst_closing'''),
    'FIN_WAIT_2/CLOSE_WAIT': (FIN_WAIT_2, '''
        c . 1031 5001     : ok FIN_WAIT_2/CLOSE_WAIT
        c . 1031+1 5001   : drop data_after_fin
        s . 5001+9000 1031 : ok FIN_WAIT_2/CLOSE_WAIT
        c F. 1030 5001    : retrans FIN_WAIT_2/CLOSE_WAIT
        s F. 5001+9 1031  : ok FIN_WAIT_2/LAST_ACK
        s S 9999          : noupd syn_challenge
        c R 1030          : rst_after_fin CLOSED/CLOSED
        c R 1029          : noupd rst_closing
        c R 1031          : rst_exact CLOSED/CLOSED'''),
    'FIN_WAIT_2/LAST_ACK': (LAST_ACK, '''
        c . 1031 5002     : ok TIME_WAIT/CLOSED
        c . 1031 5001     : ok FIN_WAIT_2/LAST_ACK
        s . 5002 1031     : ok FIN_WAIT_2/LAST_ACK
        c F. 1030 5001    : retrans FIN_WAIT_2/LAST_ACK
        s F. 5001 1031    : retrans FIN_WAIT_2/LAST_ACK
        c S 9999          : noupd syn_challenge'''),
    'crossing FINs': (CROSSING, '''
        c . 1031 5002     : ok CLOSING/FIN_WAIT_2
        s . 5002 1031     : ok FIN_WAIT_2/CLOSING
        c F. 1030 5001    : retrans FIN_WAIT_1/FIN_WAIT_1
        s F. 5001 1021    : retrans FIN_WAIT_1/FIN_WAIT_1
        s S 9999          : noupd syn_challenge'''),
    'crossing FINs, one acknowledged': (CROSSING + 'c . 1031 5002 : ok\n', '''
        s . 5002 1031     : ok TIME_WAIT/TIME_WAIT
        c F. 1030 5002    : retrans CLOSING/FIN_WAIT_2'''),
    'TIME_WAIT': (TIME_WAIT, '''
        c . 1031 5002     : tw_ack TIME_WAIT/CLOSED
        c . 1021+9 5001   : tw_stray TIME_WAIT/CLOSED
        c . 1031+1 5002   : drop data_after_fin
        s . 5002 1031     : tw_ack TIME_WAIT/CLOSED
        s . 4990+11 1031  : tw_stray
        s . 5002+1 1031   : drop data_after_fin
        c F. 1030 5002    : tw_fin_retr TIME_WAIT/CLOSED
        s F. 5001 1031    : tw_fin_retr TIME_WAIT/CLOSED
        c S 1032          : tw_reuse SYN_SENT/LISTEN
        c S 1031          : noupd tw_syn_old TIME_WAIT/CLOSED
        s S 5003          : tw_reuse LISTEN/SYN_SENT
        s S 5002          : noupd tw_syn_old
        s S. 5000 1031    : noupd synack_retrans
        s S. 5009 1031    : noupd synack_unexpected
        c R 1031          : noupd rst_late TIME_WAIT/CLOSED
        s R 5002          : noupd rst_late TIME_WAIT/CLOSED
        c . 72567 5002    : drop seq_above'''),
    'CLOSED': (CLOSED, '''
        c . 1021+9 5001   : noupd closed_late CLOSED/CLOSED
        s . 5001+9 1021   : noupd closed_late
        s . 2000000000 1  : noupd closed_late
        c F. 1021 5001    : noupd closed_late
        s F. 5001 1021    : noupd closed_late
        c R 1021          : noupd rst_late
        s R 5001          : noupd rst_late
        s S. 5000 1021    : noupd synack_retrans
        c S 7             : tw_reuse SYN_SENT/LISTEN
        s S 7             : tw_reuse LISTEN/SYN_SENT'''),
    'CLOSED, data beyond the RST': (CLOSED + 'c . 1021+9 5001 : noupd closed_late\n', '''
        s . 5001 1021     : noupd closed_late CLOSED/CLOSED
        s . 5001 1022     : noupd rst_undone ESTABLISHED/ESTABLISHED
        s . 5001 1031     : noupd closed_late CLOSED/CLOSED'''),
    'refused': (SYN_SENT + 's R. 0 1021 : refused CLOSED/CLOSED\n', '''
        c . 1021 1        : noupd closed_late CLOSED/CLOSED
        s . 1+9 1021      : noupd closed_late CLOSED/CLOSED'''),
    'pending SYN': (OPEN + 'c S 77+5 : noupd syn_challenge\n', '''
        s S. 9 78         : reopen SYN_SENT/SYN_RECEIVED
        s S. 9 83         : reopen SYN_SENT/SYN_RECEIVED
        s S. 9 77         : noupd synack_unexpected
        s S. 9 84         : noupd synack_unexpected
        c S. 9 78         : noupd synack_unexpected ESTABLISHED/ESTABLISHED'''),
}

# The same with another profile: the reason stays, the action changes.
STRICT = (
    (OPEN, f's . {2**32 - 61000} 1021 : drop seq_old ESTABLISHED/ESTABLISHED'),
    (OPEN, f'c . 1021 {2**32 - 61100} : drop ack_old'),
    (OPEN, 's R 5002 : drop rst_inexact'),
    (TIME_WAIT, 'c S 1031 : drop tw_syn_old'),
    (CLOSED, f's . {2**32 - 61000} 1021 : noupd closed_late'),
)


class Table(unittest.TestCase):
    def test_rows(self):
        for name, (setup, rows) in ROWS.items():
            for row in rows.strip().splitlines():
                with self.subTest(phase=name, segment=row.strip()):
                    Talk().run(setup).run(row)

    def test_what_strict_drops_balanced_passes(self):
        for setup, row in STRICT:
            with self.subTest(row):
                Talk(strict=True).run(setup).run(row)
                Talk().run(setup).run(row.replace(' : drop ', ' : noupd '))


if __name__ == '__main__':
    unittest.main()
