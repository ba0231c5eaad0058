/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every outcome the data path can give a packet: one row = enum value, counter index, action, stable
 * code, printed reason, class and one line for people.  A reason may have two rows where strictness
 * or phase changes the action.  Codes and reason names are part of the interface: never reuse one.
 *
 * Actions: PASS updates the flow, NOUPD passes the packet and leaves the flow's facts alone (the
 * endpoint itself will answer: dropping would break recovery, updating would desynchronise us),
 * CHALLENGE answers it with a SYN cookie, DROP is carried out only where the mode says so (enforce),
 * and never on the machine's own segments.
 */
#ifndef TCPGUARD_VERDICT_H
#define TCPGUARD_VERDICT_H

#include "types.h"

enum tg_action {
	TG_ACTION_PASS,
	TG_ACTION_NOUPD,
	TG_ACTION_CHALLENGE, /* answered from here: the packet is consumed */
	TG_ACTION_DROP,
	TG_ACTION_MAX
};

enum tg_class {
	TG_CLASS_INFO, /* nothing wrong */
	TG_CLASS_MALFORMED, /* the packet alone is wrong */
	TG_CLASS_POLICY, /* the operator's lists and limits */
	TG_CLASS_SYN, /* handshake resources */
	TG_CLASS_STATE, /* not what this flow's state allows */
	TG_CLASS_WINDOW, /* sequence numbers */
	TG_CLASS_INTERNAL, /* tcpguard could not judge */
	TG_CLASS_MAX
};

/*
 * Beside the bits of classes in tg_config.relaxed: hooks are being given programs with another flow table.
 * Until all have theirs, each table sees a part of what passes.
 */
#define TG_RELAXED_EXCHANGE 0x80U
_Static_assert(TG_CLASS_MAX <= 7, "TG_RELAXED_EXCHANGE is no class");

/*        id                    action code  reason                class      description */
#define TG_VERDICTS(X) \
	X(PASS_NOT_TCP,           PASS,   60, "not_tcp",             INFO,      "not TCP") \
	X(PASS_FRAG,              PASS,    7, "frag",                INFO,      "later fragment, passed untracked") \
	X(PASS_EXT_DEPTH,         PASS,    6, "ext_depth",           INFO,      "more than 8 IPv6 extension headers, passed untracked") \
	X(PASS_ICMP_RELATED,      PASS,   61, "icmp_related",        INFO,      "ICMP error about a segment of a known flow") \
	X(PASS_OK,                PASS,   62, "ok",                  INFO,      "segment of a known flow") \
	X(PASS_RETRANS,           PASS,   63, "retrans",             INFO,      "data sent again") \
	X(PASS_KEEPALIVE,         PASS,   64, "keepalive",           INFO,      "keepalive probe") \
	X(PASS_WINDOW_PROBE,      PASS,   65, "window_probe",        INFO,      "probe of a closed window") \
	X(PASS_PAWS,              PASS,   37, "paws",                WINDOW,    "timestamp older than the newest seen, counted only") \
	X(PASS_FIN_RETRACT,       PASS,   66, "fin_retract",         STATE,     "data beyond an unacknowledged FIN: the FIN was not real") \
	X(PASS_ONE_WAY,           PASS,   67, "one_way",             INFO,      "only this direction is ever seen, window not judged") \
	X(PASS_NEW,               PASS,   68, "new",                 INFO,      "SYN opened a flow") \
	X(PASS_SYN_REINIT,        PASS,   69, "syn_reinit",          INFO,      "SYN with a new ISN before any answer") \
	X(PASS_SIMOPEN,           PASS,   70, "simopen",             INFO,      "SYN crossing a SYN: simultaneous open") \
	X(PASS_SYN_RETRANS,       PASS,   71, "syn_retrans",         INFO,      "SYN sent again after the SYN-ACK") \
	X(PASS_SYNACK,            PASS,   72, "synack",              INFO,      "SYN-ACK for the SYN of this flow") \
	X(PASS_REOPEN,            PASS,   73, "reopen",              INFO,      "SYN-ACK for a SYN that was passed without effect: new connection") \
	X(PASS_TW_REUSE,          PASS,   74, "tw_reuse",            INFO,      "SYN on an ended flow: new connection") \
	X(PASS_TW_FIN_RETR,       PASS,   75, "tw_fin_retr",         INFO,      "FIN sent again in TIME_WAIT: the 240 s begin anew") \
	X(PASS_TW_STRAY,          PASS,   76, "tw_stray",            INFO,      "delayed data in TIME_WAIT") \
	X(PASS_TW_ACK,            PASS,   77, "tw_ack",              INFO,      "ACK in TIME_WAIT") \
	X(PASS_PICKUP,            PASS,   78, "pickup",              INFO,      "flow adopted in mid-stream") \
	X(PASS_REFUSED,           PASS,   79, "refused",             INFO,      "RST refusing the SYN") \
	X(PASS_ABORT,             PASS,   80, "abort",               INFO,      "RST of the opener before any answer") \
	X(PASS_RST_EXACT,         PASS,   81, "rst_exact",           INFO,      "RST at exactly the next sequence number") \
	X(PASS_RST_AFTER_FIN,     PASS,   82, "rst_after_fin",       INFO,      "RST at the sequence number of its own FIN") \
	X(PASS_RST_TRAIN,         PASS,   83, "rst_train",           INFO,      "RST right behind data still in flight") \
	X(PASS_COOKIE,            PASS,  100, "cookie",              INFO,      "ACK of our SYN cookie opened a flow") \
	X(PASS_TABLE_FULL,        PASS,   13, "table_full",          SYN,       "no room for the flow, passed untracked") \
	X(PASS_BUSY,              PASS,   84, "busy",                INTERNAL,  "another CPU was opening this flow") \
	X(PASS_SUSPECT,           PASS,   85, "suspect",             INTERNAL,  "slot touched by a late writer, flow passed unjudged") \
	X(PASS_COLLISION,         PASS,   86, "collision",           INTERNAL,  "another flow has this tag, passed untracked") \
	X(PASS_INTERNAL,          PASS,   87, "internal",            INTERNAL,  "a map look-up that cannot fail did") \
	X(PASS_UNREADABLE,        PASS,   93, "unreadable",          INTERNAL,  "headers lie outside the buffer the hook can read") \
	X(NOUPD_FRAG_FIRST,       NOUPD,  88, "frag_first",          INFO,      "first fragment: the rest of the segment was not seen") \
	X(NOUPD_UNTRACKED,        NOUPD,  89, "untracked",           INFO,      "belongs to a connection older than tcpguard") \
	X(NOUPD_SYN_RETRANS,      NOUPD,  71, "syn_retrans",         INFO,      "SYN sent again before the SYN-ACK") \
	X(NOUPD_SYNACK_RETRANS,   NOUPD,  90, "synack_retrans",      INFO,      "SYN-ACK sent again after the handshake") \
	X(NOUPD_SYNACK_BAD_ACK,   NOUPD,  24, "synack_bad_ack",      STATE,     "SYN-ACK for another SYN") \
	X(NOUPD_SYNACK_UNEXPECTED, NOUPD, 25, "synack_unexpected",   STATE,     "SYN-ACK that fits no SYN of this flow") \
	X(NOUPD_CHALLENGE_ACK,    NOUPD,  26, "challenge_ack",       STATE,     "ACK answering a SYN: the peer still has an older connection") \
	X(NOUPD_EARLY_SEG,        NOUPD,  27, "early_seg",           STATE,     "segment that overtook its own SYN-ACK") \
	X(NOUPD_SYN_CHALLENGE,    NOUPD,  28, "syn_challenge",       STATE,     "SYN on a live flow: the endpoint will challenge it") \
	X(NOUPD_SYN_NEW_ISN,      NOUPD,  29, "syn_new_isn",         STATE,     "SYN with another ISN during the handshake") \
	X(NOUPD_SEQ_OLD,          NOUPD,  35, "seq_old",             WINDOW,    "data acknowledged long ago") \
	X(NOUPD_ACK_OLD,          NOUPD,  36, "ack_old",             WINDOW,    "acknowledgement overtaken long ago") \
	X(NOUPD_RST_INEXACT,      NOUPD,  43, "rst_inexact",         WINDOW,    "RST inside the window but not exact: the endpoint will challenge it") \
	X(NOUPD_RST_CLOSING,      NOUPD,  44, "rst_closing",         WINDOW,    "RST during the teardown") \
	X(NOUPD_RST_TO_CHALLENGE, NOUPD,  45, "rst_to_challenge",    STATE,     "RST answering a challenge ACK") \
	X(NOUPD_RST_LATE,         NOUPD,  46, "rst_late",            STATE,     "RST after the end: TIME_WAIT is not shortened") \
	X(NOUPD_TW_SYN_OLD,       NOUPD,  50, "tw_syn_old",          STATE,     "SYN not newer than the flow in TIME_WAIT") \
	X(NOUPD_CLOSED_LATE,      NOUPD,  91, "closed_late",         STATE,     "segment after a RST") \
	X(NOUPD_SECOND_FIN,       NOUPD,  95, "second_fin",          STATE,     "one number beyond an acknowledged FIN, without data") \
	X(NOUPD_SPOOFED,          NOUPD,  94, "spoofed",             STATE,     "carries an address of this machine but came from outside: the kernel refuses it") \
	X(NOUPD_RST_UNDONE,       NOUPD,  92, "rst_undone",          STATE,     "acknowledgement beyond a RST: it was not honoured") \
	X(CHALLENGE_SYN_COOKIE,   CHALLENGE, 101, "syn_cookie",      SYN,       "SYN answered with a SYN cookie, nothing stored") \
	X(DROP_BAD_HDR,           DROP,    1, "bad_hdr",             MALFORMED, "truncated or inconsistent header") \
	X(DROP_BAD_FLAGS,         DROP,    2, "bad_flags",           MALFORMED, "impossible TCP flags (NULL, XMAS, SYN+FIN)") \
	X(DROP_LAND,              DROP,    3, "land",                MALFORMED, "source equals destination") \
	X(DROP_TINY_FRAG,         DROP,    4, "tiny_frag",           MALFORMED, "fragment that hides the TCP header") \
	X(DROP_BAD_CSUM,          DROP,    5, "bad_csum",            MALFORMED, "wrong TCP checksum") \
	X(DROP_EXT_DEPTH,         DROP,    6, "ext_depth",           MALFORMED, "more than 8 IPv6 extension headers (strict)") \
	X(DROP_FRAG,              DROP,    7, "frag",                MALFORMED, "fragment (strict)") \
	X(DROP_BLOCKLIST,         DROP,  102, "blocklist",           POLICY,    "source is on the block list") \
	X(DROP_SOURCE_SYN_RATE,   DROP,  103, "source_syn_rate",     POLICY,    "source sends more SYNs than allowed") \
	X(DROP_SOURCE_CONNS,      DROP,  104, "source_conns",        POLICY,    "source has as many connections as allowed") \
	X(DROP_SYN_DEFERRED,      DROP,  105, "syn_deferred",        SYN,       "first SYN of an unknown source during a flood: its retransmission passes") \
	X(DROP_SYN_FLOOD,         DROP,  106, "syn_flood",           SYN,       "SYN above the rate allowed towards this destination") \
	X(DROP_COOKIE_INVALID,    DROP,  107, "cookie_invalid",      SYN,       "ACK towards a flooded destination without a valid cookie") \
	X(DROP_NO_FLOW,           DROP,   10, "no_flow",             STATE,     "segment of a connection never seen") \
	X(DROP_RST_NO_FLOW,       DROP,   11, "rst_no_flow",         STATE,     "RST for a connection never seen") \
	X(DROP_TABLE_FULL,        DROP,   13, "table_full",          SYN,       "no room for the flow (strict)") \
	X(DROP_SYN_RATE,          DROP,   14, "syn_rate",            SYN,       "too many SYNs on a live flow") \
	X(DROP_RST_RATE,          DROP,   15, "rst_rate",            STATE,     "too many RSTs on a live flow") \
	X(DROP_ACK_BEFORE_SYNACK, DROP,   20, "ack_before_synack",   STATE,     "ACK from the opener before any SYN-ACK") \
	X(DROP_SYNACK_WRONG_DIR,  DROP,   21, "synack_wrong_dir",    STATE,     "SYN-ACK from the side that opened") \
	X(DROP_HS_BAD_ACK,        DROP,   22, "hs_bad_ack",          STATE,     "handshake ACK of a wrong number") \
	X(DROP_DATA_BEFORE_SYNACK, DROP,  23, "data_before_synack",  STATE,     "data from the answering side before its SYN-ACK") \
	X(DROP_SEQ_ABOVE,         DROP,   30, "seq_above",           WINDOW,    "beyond the window the receiver granted") \
	X(DROP_ACK_ABOVE,         DROP,   31, "ack_above",           WINDOW,    "acknowledges data never sent") \
	X(DROP_DATA_AFTER_FIN,    DROP,   32, "data_after_fin",      STATE,     "data beyond an acknowledged FIN") \
	X(DROP_SEQ_BELOW,         DROP,   33, "seq_below",           WINDOW,    "far below the window") \
	X(DROP_ACK_BELOW,         DROP,   34, "ack_below",           WINDOW,    "acknowledgement far below the window") \
	X(DROP_SEQ_OLD,           DROP,   35, "seq_old",             WINDOW,    "data acknowledged long ago (strict)") \
	X(DROP_ACK_OLD,           DROP,   36, "ack_old",             WINDOW,    "acknowledgement overtaken long ago (strict)") \
	X(DROP_PAWS,              DROP,   37, "paws",                WINDOW,    "timestamp far older than the newest seen (strict)") \
	X(DROP_RST_OLD,           DROP,   40, "rst_old",             WINDOW,    "RST below the window") \
	X(DROP_RST_ABOVE,         DROP,   41, "rst_above",           WINDOW,    "RST above the window") \
	X(DROP_RST_SYN_SENT,      DROP,   42, "rst_syn_sent",        STATE,     "RST that answers no SYN of this flow") \
	X(DROP_RST_INEXACT,       DROP,   43, "rst_inexact",         WINDOW,    "RST inside the window but not exact (strict)") \
	X(DROP_TW_SYN_OLD,        DROP,   50, "tw_syn_old",          STATE,     "SYN not newer than the flow in TIME_WAIT (strict)") \
	X(DROP_ICMP_BAD_SEQ,      DROP,   51, "icmp_bad_seq",        WINDOW,    "ICMP error about a segment never sent")

enum tg_verdict {
	TG_UNDECIDED, /* this step has no opinion; ask the next one */
#define X(id, action, code, reason, class, text) TG_##id,
	TG_VERDICTS(X)
#undef X
	TG_VERDICT_MAX
};

TG_INLINE enum tg_action tg_verdict_action(enum tg_verdict verdict)
{
	/* The rows stand in the order of the actions; tests/unit/test_verdict.c checks it. */
	if (verdict >= TG_DROP_BAD_HDR)
		return TG_ACTION_DROP;
	if (verdict >= TG_CHALLENGE_SYN_COOKIE)
		return TG_ACTION_CHALLENGE;
	return verdict >= TG_NOUPD_FRAG_FIRST ? TG_ACTION_NOUPD : TG_ACTION_PASS;
}

TG_INLINE bool tg_verdict_drops(enum tg_verdict verdict)
{
	return tg_verdict_action(verdict) == TG_ACTION_DROP;
}

TG_INLINE enum tg_class tg_verdict_class(enum tg_verdict verdict)
{
	static const __u8 classes[128] = {
#define X(id, action, code, reason, class, text) [TG_##id] = TG_CLASS_##class,
		TG_VERDICTS(X)
#undef X
	};
	__u32 index = verdict;

	if (index >= TG_VERDICT_MAX)
		return TG_CLASS_INTERNAL;
	/* The verifier of Linux 6.1 forgets the comparison if the compiler looks up a copy. */
	TG_OPAQUE(index);
	return classes[index & 127];
}

_Static_assert(TG_VERDICT_MAX <= 128, "indexed by 7 bits");

#endif
