/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of packets: by what was done with them, why, and what they are. */
#include <string.h>

#include "names.h"
#include "output_metrics_put.h"

/* Whatever was done in the end. */
static uint64_t judged(const struct snapshot_iface *iface, enum tg_verdict verdict)
{
	uint64_t sum = 0;
	int how;

	for (how = 0; how < TG_OUTCOME_MAX; how++)
		sum += iface->counters.count[how][verdict].packets;
	return sum;
}

static uint64_t count_choice(const struct snapshot_iface *iface, const struct choice *choice)
{
	if (choice->tally >= 0)
		return iface->tallies.tally[choice->tally];
	return judged(iface, choice->verdict[0]) +
	       (choice->verdict[1] ? judged(iface, choice->verdict[1]) : 0);
}

void put_choices(struct metrics_writer *out, const struct input *in,
		 const struct choice *choices, size_t count)
{
	uint32_t i;
	size_t c;

	for (i = 0; i < in->s->iface_count; i++)
		for (c = 0; c < count; c++)
			metrics_put(out, METRICS_VALUES(in->iface[i], choices[c].value),
				    count_choice(&in->s->iface[i], &choices[c]));
}

static void put_sums(struct metrics_writer *out, const struct input *in, bool bytes)
{
	uint32_t i;
	size_t v;

	for (i = 0; i < in->s->iface_count; i++) {
		struct snapshot_sums sums;
		const struct {
			const char *verdict;
			const struct tg_count *count;
		} rows[] = {
			{ "pass", &sums.pass },
			{ "drop", &sums.drop },
			{ "would_drop", &sums.would_drop },
			{ "challenge", &sums.challenge },
			{ "bypass", &sums.bypass },
			{ "own", &sums.own },
		};

		snapshot_sum(&in->s->iface[i].counters, &sums);
		for (v = 0; v < sizeof(rows) / sizeof(rows[0]); v++)
			metrics_put(out, METRICS_VALUES(in->iface[i], rows[v].verdict),
				    bytes ? rows[v].count->bytes : rows[v].count->packets);
	}
}

void put_PACKETS(struct metrics_writer *out, const struct input *in)
{
	put_sums(out, in, false);
}

void put_BYTES(struct metrics_writer *out, const struct input *in)
{
	put_sums(out, in, true);
}

/* Verdicts that drop for the same reason are one series; 0 for all but the first of them. */
static bool sum_reason(const struct snapshot_iface *iface, enum tg_outcome how,
		       enum tg_verdict first, uint64_t *sum)
{
	const char *reason = names_verdict(first)->reason;
	unsigned int verdict;
	bool is_first = true;

	*sum = 0;
	for (verdict = TG_UNDECIDED + 1; verdict < TG_VERDICT_MAX; verdict++) {
		const struct verdict_row *row = names_verdict(verdict);

		if (row->action != TG_ACTION_DROP || strcmp(row->reason, reason) != 0)
			continue;
		is_first = is_first && verdict >= first;
		*sum += iface->counters.count[how][verdict].packets;
	}
	return is_first;
}

/* Those that never counted, too: rate() needs a zero to begin from. */
static void put_reasons(struct metrics_writer *out, const struct input *in, enum tg_outcome how)
{
	unsigned int verdict;
	uint64_t sum;
	uint32_t i;

	for (i = 0; i < in->s->iface_count; i++)
		for (verdict = TG_UNDECIDED + 1; verdict < TG_VERDICT_MAX; verdict++)
			if (tg_verdict_drops((enum tg_verdict)verdict) &&
			    sum_reason(&in->s->iface[i], how, (enum tg_verdict)verdict, &sum))
				metrics_put(out,
					    METRICS_VALUES(in->iface[i],
							   names_verdict(verdict)->reason),
					    sum);
}

void put_DROPS(struct metrics_writer *out, const struct input *in)
{
	put_reasons(out, in, TG_OUTCOME_VERDICT);
}

void put_WOULD_DROPS(struct metrics_writer *out, const struct input *in)
{
	put_reasons(out, in, TG_OUTCOME_WOULD_DROP);
}

/* Carried out, and not. */
static void put_classes(struct metrics_writer *out, const char *whose,
			const __u64 drops[TG_CLASS_MAX][2])
{
	int class;

	for (class = 0; class < TG_CLASS_MAX; class ++) {
		const char *name = names_class((enum tg_class) class);

		if (!class_drops((enum tg_class) class))
			continue;
		metrics_put(out, METRICS_VALUES(whose, name, "drop"), drops[class][0]);
		metrics_put(out, METRICS_VALUES(whose, name, "would_drop"), drops[class][1]);
	}
}

void put_SERVICE_DROPS(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;

	for (i = 0; i < in->s->service_count; i++)
		if (!i || in->s->service[i].name[0])
			put_classes(out, in->service[i], in->s->service_drops[i].drops);
}

void put_ESTABLISHED_DROPS(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;

	for (i = 0; i < in->s->iface_count; i++)
		put_classes(out, in->iface[i], in->s->iface[i].tallies.established_drops);
}

void put_ESTABLISHED_HIT(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;
	int class;

	for (i = 0; i < in->s->iface_count; i++)
		for (class = 0; class < TG_CLASS_MAX; class ++)
			if (class_drops((enum tg_class) class))
				metrics_put(out,
					    METRICS_VALUES(in->iface[i],
							   names_class((enum tg_class) class)),
					    in->s->iface[i].tallies.flows_hit[class]);
}

PUT_CHOICES(TCP_SEGMENTS,
	    { "syn", TALLY(SEGMENT_SYN) },
	    { "synack", TALLY(SEGMENT_SYNACK) },
	    { "fin", TALLY(SEGMENT_FIN) },
	    { "rst", TALLY(SEGMENT_RST) })

PUT_CHOICES(NON_TCP,
	    { "udp", TALLY(NOT_TCP_UDP) },
	    { "icmp", TALLY(NOT_TCP_ICMP) },
	    { "fragment", JUDGED(TG_PASS_FRAG, TG_DROP_FRAG) })
