# SPDX-License-Identifier: GPL-2.0-or-later
"""The verdicts of the tracker, (action, reason), as in include/tcpguard/verdict.h."""

PASS, NOUPD, DROP = 'pass', 'noupd', 'drop'


def _verdicts(action, names):
    return [(action, name) for name in names.split()]


(OK, RETRANS, KEEPALIVE, WINDOW_PROBE, PAWS, FIN_RETRACT, NEW, SYN_REINIT, SIMOPEN, SYN_RETRANS, SYNACK,
 REOPEN, TW_REUSE, TW_FIN_RETR, TW_STRAY, TW_ACK, ADOPTED, REFUSED, ABORT, RST_EXACT, RST_AFTER_FIN,
 RST_TRAIN) = _verdicts(PASS, '''ok retrans keepalive window_probe paws fin_retract new syn_reinit
    simopen syn_retrans synack reopen tw_reuse tw_fin_retr tw_stray tw_ack pickup refused abort
    rst_exact rst_after_fin rst_train''')
(FRAG_FIRST, UNTRACKED, SYN_RETRANS_EARLY, SYNACK_RETRANS, SYNACK_BAD_ACK, SYNACK_UNEXPECTED,
 CHALLENGE_ACK, EARLY_SEG, SYN_CHALLENGE, SYN_NEW_ISN, SEQ_OLD, ACK_OLD, RST_INEXACT, RST_CLOSING,
 RST_TO_CHALLENGE, RST_LATE, TW_SYN_OLD, CLOSED_LATE, RST_UNDONE, SPOOFED, SECOND_FIN) = _verdicts(NOUPD, '''frag_first
    untracked syn_retrans synack_retrans synack_bad_ack synack_unexpected challenge_ack early_seg
    syn_challenge syn_new_isn seq_old ack_old rst_inexact rst_closing rst_to_challenge rst_late
    tw_syn_old closed_late rst_undone spoofed second_fin''')
(BAD_FLAGS, LAND, NO_FLOW, RST_NO_FLOW, SYN_RATE, RST_RATE, ACK_BEFORE_SYNACK, SYNACK_WRONG_DIR,
 HS_BAD_ACK, DATA_BEFORE_SYNACK, SEQ_ABOVE, ACK_ABOVE, DATA_AFTER_FIN, SEQ_BELOW, ACK_BELOW, PAWS_DROP,
 RST_OLD, RST_ABOVE, RST_SYN_SENT) = _verdicts(DROP, '''bad_flags land no_flow rst_no_flow syn_rate
    rst_rate ack_before_synack synack_wrong_dir hs_bad_ack data_before_synack seq_above ack_above
    data_after_fin seq_below ack_below paws rst_old rst_above rst_syn_sent''')

# What profile "strict" drops although it is balanced to pass it without effect.
STRICT = {v: (DROP, v[1]) for v in (SEQ_OLD, ACK_OLD, RST_INEXACT, TW_SYN_OLD)}
