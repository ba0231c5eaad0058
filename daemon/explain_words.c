/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What explain says in words: verdicts without a flow, settings, names of facts. */
#include "explain.h"

const char *explain_without_flow(enum tg_verdict verdict)
{
	switch (verdict) {
	case TG_PASS_NEW:
		return "there was no connection between these endpoints: the SYN opens one";
	case TG_PASS_PICKUP:
		return "there was no connection between these endpoints, and unknown ones are adopted";
	case TG_NOUPD_UNTRACKED:
		return "unknown connections are adopted, but not from a FIN, RST or SYN-ACK";
	case TG_DROP_NO_FLOW:
	case TG_DROP_RST_NO_FLOW:
		return "there is no connection between these endpoints, and only a SYN may open one";
	case TG_PASS_TABLE_FULL:
	case TG_DROP_TABLE_FULL:
		return "the flow table has no room where this connection would live";
	case TG_PASS_NOT_TCP:
		return "only TCP is judged";
	case TG_PASS_UNREADABLE:
		return "the capture does not hold the headers";
	default:
		return "the packet was judged by itself, without a connection";
	}
}

const char *explain_setting(enum tg_verdict verdict)
{
	switch (verdict) {
	case TG_DROP_NO_FLOW:
	case TG_DROP_RST_NO_FLOW:
		return "--learn: adopts connections older than tcpguard; --profile oneway: always";
	case TG_DROP_ACK_BEFORE_SYNACK:
	case TG_DROP_DATA_BEFORE_SYNACK:
		return "--learn adopts it; --profile oneway where the answers take another path";
	case TG_DROP_SEQ_ABOVE:
	case TG_DROP_ACK_ABOVE:
	case TG_DROP_SEQ_BELOW:
	case TG_DROP_ACK_BELOW:
	case TG_DROP_HS_BAD_ACK:
	case TG_DROP_DATA_AFTER_FIN:
		return "--profile oneway, where packets take paths that are not seen here; --mode monitor";
	case TG_DROP_EXT_DEPTH:
	case TG_DROP_FRAG:
	case TG_DROP_SEQ_OLD:
	case TG_DROP_ACK_OLD:
	case TG_DROP_PAWS:
	case TG_DROP_RST_INEXACT:
	case TG_DROP_TW_SYN_OLD:
		return "without --strict it is passed";
	case TG_PASS_EXT_DEPTH:
	case TG_PASS_FRAG:
	case TG_PASS_PAWS:
	case TG_NOUPD_SEQ_OLD:
	case TG_NOUPD_ACK_OLD:
	case TG_NOUPD_RST_INEXACT:
	case TG_NOUPD_TW_SYN_OLD:
		return "it is passed; --strict would drop it";
	case TG_PASS_TABLE_FULL:
	case TG_DROP_TABLE_FULL:
		return "a larger --max-flows makes room";
	case TG_PASS_PICKUP:
	case TG_NOUPD_UNTRACKED:
		return "without --learn, or another profile than oneway, it is dropped as no_flow";
	case TG_PASS_ONE_WAY:
		return "--profile host judges the window all the same";
	default:
		return tg_verdict_drops(verdict) ? "none but --mode monitor, which drops nothing" :
						   "nothing needs to be: it is passed";
	}
}

const char *explain_fact(unsigned int bit)
{
	static const char *const names[] = { "SYN", "FIN", "PASSIVE", "RST", "PICKUP",
					     "HASACK", "HASTS", "FRAG", "ACKSYN", "OWN" };

	return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : NULL;
}
