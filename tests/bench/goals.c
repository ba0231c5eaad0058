/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The goals that one process can judge, as ratios of minima of one run.  "Net" is minus the base: the
 * driver and a parser.  Those against other programs are judged by peers.py.
 */
#include "tests/bench/bench.h"

#include <math.h>
#include <string.h>

#define MIB (1ULL << 20)
#define MEMORY "memory line, dependent, 128 MiB"
#define CONNTRACK_BYTES 264 /* struct nf_conn's slab object, 256, and 8 a bucket: assumed, not measured here */

static struct goal *add(struct bench *bench, const char *id, const char *text, double value)
{
	struct goal *goal = &bench->goals[bench->goal_count++];

	snprintf(goal->id, sizeof(goal->id), "%s", id);
	snprintf(goal->text, sizeof(goal->text), "%s", text);
	goal->value = value;
	goal->measured = isfinite(value);
	return goal;
}

static void at_most(struct bench *bench, const char *id, const char *text, double value, double must,
		    double stretch)
{
	struct goal *goal = add(bench, id, text, value);

	goal->must = must;
	goal->stretch = stretch;
}

static void at_least(struct bench *bench, const char *id, const char *text, double value,
		     double must, double stretch)
{
	struct goal *goal = add(bench, id, text, value);

	goal->at_least = true;
	goal->must = must;
	goal->stretch = stretch;
}

/* Minimum of a row, minus that of the base of its group. */
static double net(const struct bench *bench, const char *group, const char *name, uint64_t flows)
{
	return row_min(bench, group, name, flows) - row_min(bench, group, "base", flows);
}

static void judge_hot(struct bench *bench)
{
	double hash = net(bench, "hot", "kernel HASH", 1);
	double shipped = row_min(bench, "hot", "shipped, ACK", 1) - row_min(bench, "hot", "parse", 1);
	double driven = row_min(bench, "hot", "tcpguard, ACK", 1) - row_min(bench, "hot", "driver", 1);
	double bare = row_min(bench, "hot", "shipped, ACK", 1) - row_min(bench, "hot", "null", 1);

	at_most(bench, "G1", "hot established packet, whole program net of parse / HASH look-up alone",
		shipped / hash, 1.0, 0.5);
	at_most(bench, "G1 ts", "the same with timestamps",
		(row_min(bench, "hot", "shipped, ACK with timestamps", 1) -
		 row_min(bench, "hot", "parse", 1)) /
			hash,
		1.0, 0.5);
	at_most(bench, "agree", "|shipped - benchmark's object|, hot, driver taken off / shipped",
		fabs(driven - bare) / bare, 0.15, 0);
}

static void judge_curve(struct bench *bench)
{
	double dependent = net(bench, "curve", "tcpguard, dependent", MIB);
	double independent = net(bench, "curve", "tcpguard", MIB);

	at_most(bench, "G2", "1 Mi random flows, dependent, net / one line of memory (M1)",
		dependent / row_min(bench, "curve", MEMORY, MIB), 1.4, 1.15);
	at_most(bench, "G3", "1 Mi random flows, independent, net / HASH, net",
		independent / net(bench, "curve", "kernel HASH", MIB), 0.45, 0.30);
	at_most(bench, "G4", "4 Mi / 1 Mi flows, dependent, net",
		net(bench, "curve", "tcpguard, dependent", 4 * MIB) / dependent, 1.5, 1.3);
	at_most(bench, "G5", "16 Ki active of 1 Mi, net / HASH, net",
		net(bench, "curve", "tcpguard, 16 Ki active", MIB) /
			net(bench, "curve", "kernel HASH, 16 Ki active", MIB),
		0.20, 0.08);
	at_most(bench, "P1", "whole program at 1 Mi / one bare HASH look-up at 1 Mi, dependent, net",
		dependent / net(bench, "curve", "kernel HASH, dependent", MIB), 1.0, 0);
	at_most(bench, "P2", "flows without a slot at --max-flows, per million",
		row_min(bench, "curve", "flows without a slot", MIB), 100, 0);
}

static void judge_tables(struct bench *bench)
{
	at_most(bench, "G10", "SYN flood on a full table, net / LRU_HASH look-up and insertion, net",
		net(bench, "flood", "tcpguard, full, SYN of a new flow", MIB) /
			net(bench, "flood", "kernel LRU_HASH, full, new entry", MIB),
		0.45, 0.30);
	at_most(bench, "G13", "established flows evicted by SYNs of 5 tables, %",
		row_min(bench, "evict", "tcpguard: established flows evicted by a flood", MIB / 2), 0, 0);
	at_most(bench, "G13b", "flows that never found a slot at quarter load, %",
		row_min(bench, "evict", "tcpguard: flows that never found a slot", MIB / 2), 0.05, 0);
	at_least(bench, "G14", "for_each on HASH / our ageing pass, CPU",
		 row_min(bench, "ageing", "for_each on kernel HASH, one pass", MIB) /
			 row_min(bench, "ageing", "tcpguard's sweep, one pass", MIB),
		 12, 18);
	at_most(bench, "G15", "hot table's memory a flow / nf_conntrack's (assumed 264 bytes)",
		row_min(bench, "memory", "tcpguard, hot table", MIB) / CONNTRACK_BYTES, 0.5, 0.45);
	at_most(bench, "G16", "telling of a drop, added to it / HASH look-up, net",
		(row_min(bench, "events", "drop, each one told", 1) -
		 row_min(bench, "events", "drop, nobody listens", 1)) /
			net(bench, "events", "kernel HASH", 1),
		1.0, 0);
	at_most(bench, "G18", "calls executed for an established segment, translated program",
		row_min(bench, "calls", "calls, shipped, ACK", 1), 0, 0);
}

void goals_judge(struct bench *bench)
{
	judge_hot(bench);
	judge_curve(bench);
	judge_tables(bench);
}
