/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rates of flows between two looks, the best of them, and their sums by source. */
#include "top_flows.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "top_heap.h"

#define CACHE_SLOTS (1U << 17) /* power of two */
#define SOURCES (1U << 14) /* power of two */
#define SOURCE_PROBES 8
#define STALE_MS 15000
#define PART_SLOTS 32768U /* between two looks at the clock */

/* What a flow had counted when it was last seen. */
struct seen {
	uint32_t number;
	uint32_t claim; /* without the bit that may come later; 0: empty */
	uint32_t at_ms;
	uint32_t packets;
	uint64_t bytes;
};

struct ranking {
	struct top_heap heap;
	struct top_heap_entry entry[TOP_ROWS_MAX];
	struct top_row row[TOP_ROWS_MAX]; /* in the order of the heap's row numbers */
	struct top_list list; /* of the last complete round */
};

struct top_flows {
	struct seen cache[CACHE_SLOTS];
	struct top_row source[SOURCES]; /* flows == 0: empty */
	struct ranking flows;
	struct ranking sources;
	enum top_sort sort;
	uint32_t next; /* slot, where the next frame goes on */
	unsigned int frames, last_frames; /* of this round, of the last */
	uint64_t now_ms;
};

static void reset_ranking(struct ranking *ranking)
{
	ranking->heap = (struct top_heap){ .entry = ranking->entry, .room = TOP_ROWS_MAX };
}

struct top_flows *top_flows_new(void)
{
	struct top_flows *top = calloc(1, sizeof(*top));

	if (top) {
		reset_ranking(&top->flows);
		reset_ranking(&top->sources);
	}
	return top;
}

void top_flows_free(struct top_flows *top)
{
	free(top);
}

/* --- rates ---------------------------------------------------------------------------------------- */

static void count_flow(const struct flow_record *flow, struct top_row *row)
{
	const struct tg_half_count *count = flow->detail.count;

	row->packets = (uint64_t)count[TG_SIDE_LO].packets + count[TG_SIDE_HI].packets;
	row->bytes = count[TG_SIDE_LO].bytes + count[TG_SIDE_HI].bytes;
}

static uint32_t lasting_claim(const struct flow_record *flow)
{
	return flow->claim & ~(uint32_t)TG_CLAIM_SUSPECT;
}

/* A place in the cache is kept by the heavier flow, unless that has not been seen for long. */
static void remember(struct seen *seen, const struct flow_record *flow, const struct top_row *row,
		     uint32_t now_ms)
{
	bool mine = seen->number == flow->number, fresh = seen->claim && now_ms - seen->at_ms < STALE_MS;

	if (!mine && fresh && seen->bytes + seen->packets >= row->bytes + row->packets)
		return;
	*seen = (struct seen){ flow->number, lasting_claim(flow), now_ms, (uint32_t)row->packets, row->bytes };
}

/* Rates since the last look; of a flow younger than that, since it began. */
static void measure(struct top_flows *top, const struct flow_record *flow, struct top_row *row,
		    uint32_t now_ms)
{
	struct seen *seen = &top->cache[flow->number & (CACHE_SLOTS - 1)];
	uint32_t packets = (uint32_t)row->packets;
	uint64_t bytes = row->bytes;
	double seconds = 0;

	if (seen->number == flow->number && seen->claim == lasting_claim(flow) && bytes >= seen->bytes) {
		seconds = (double)(uint32_t)(now_ms - seen->at_ms) / 1000;
		packets -= seen->packets;
		bytes -= seen->bytes;
	} else if (flow->origin == TG_ORIGIN_SYN && flow->age_ms && flow->age_ms < 1000) {
		seconds = 1; /* all of it happened within the last second */
	}
	row->measured = seconds > 0;
	if (row->measured) {
		row->packets_s = packets / seconds;
		row->bytes_s = (double)bytes / seconds;
	}
	remember(seen, flow, row, now_ms);
}

/* --- order ---------------------------------------------------------------------------------------- */

/* Equal rates are put in order by totals, far below what a packet a second is worth. */
static double score_flow(const struct top_row *row, enum top_sort sort)
{
	double tie = (double)row->bytes * 1e-15;

	switch (sort) {
	case TOP_BY_BYTES:
		return row->bytes_s + tie;
	case TOP_BY_TOTAL:
		return (double)row->bytes;
	case TOP_BY_AGE:
		return -(double)row->born_ms; /* parts of a round are read at different times */
	default:
		return row->packets_s + tie;
	}
}

static double score_source(const struct top_row *row, enum top_sort sort)
{
	double tie = row->flows * 1e-9;

	switch (sort) {
	case TOP_BY_BYTES:
		return row->bytes_s + tie;
	case TOP_BY_TOTAL:
		return row->flows;
	case TOP_BY_AGE:
		return row->half_open + tie;
	default:
		return row->packets_s + tie;
	}
}

static void offer(struct ranking *ranking, const struct top_row *row)
{
	uint32_t place;

	if (top_heap_offer(&ranking->heap, row->score, &place))
		ranking->row[place] = *row;
}

static int compare(const void *left, const void *right)
{
	const struct top_row *a = left, *b = right;
	int order = memcmp(a->address, b->address, sizeof(a->address));

	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return order ? order : memcmp(a->port, b->port, sizeof(a->port));
}

static void order(struct top_list *list)
{
	qsort(list->row, list->count, sizeof(list->row[0]), compare);
}

static void publish(struct ranking *ranking)
{
	ranking->list.count = ranking->heap.count;
	memcpy(ranking->list.row, ranking->row, ranking->heap.count * sizeof(ranking->row[0]));
	order(&ranking->list);
	reset_ranking(ranking);
}

void top_flows_sort(struct top_flows *top, enum top_sort sort)
{
	size_t i;

	top->sort = sort;
	for (i = 0; i < top->flows.list.count; i++)
		top->flows.list.row[i].score = score_flow(&top->flows.list.row[i], sort);
	for (i = 0; i < top->sources.list.count; i++)
		top->sources.list.row[i].score = score_source(&top->sources.list.row[i], sort);
	order(&top->flows.list);
	order(&top->sources.list);
}

/* --- sources -------------------------------------------------------------------------------------- */

static uint32_t hash_address(const __be32 address[4])
{
	uint64_t hash = 0;
	size_t i;

	for (i = 0; i < 4; i++)
		hash = (hash ^ address[i]) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(hash >> 32);
}

static double weight(const struct top_row *source)
{
	return source->flows + source->packets_s;
}

/* Where more sources meet than fit, the lightest gives way: a flood of forged ones hides no heavy one. */
static struct top_row *find_source(struct top_flows *top, const __be32 address[4])
{
	uint32_t at = hash_address(address), i;
	struct top_row *lightest = NULL;

	for (i = 0; i < SOURCE_PROBES; i++) {
		struct top_row *row = &top->source[(at + i) & (SOURCES - 1)];

		if (row->flows && !memcmp(row->address[0], address, sizeof(row->address[0])))
			return row;
		if (!lightest || weight(row) < weight(lightest))
			lightest = row;
	}
	memset(lightest, 0, sizeof(*lightest));
	memcpy(lightest->address[0], address, sizeof(lightest->address[0]));
	return lightest;
}

static void add_source(struct top_flows *top, const struct top_row *flow)
{
	struct top_row *row = find_source(top, flow->address[0]);

	row->flows++;
	row->half_open += flow->phase == TG_PHASE_SYN_SENT || flow->phase == TG_PHASE_SYN_RECV;
	row->packets_s += flow->packets_s;
	row->bytes_s += flow->bytes_s;
	row->bytes += flow->bytes;
	row->packets += flow->packets;
	row->measured |= flow->measured;
}

/* --- a round -------------------------------------------------------------------------------------- */

void top_flows_see(struct top_flows *top, const struct flow_record *flow, uint64_t now_ms)
{
	enum tg_side source = flow->first, destination = source == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	struct top_row row = { .phase = flow->phase, .born_ms = now_ms - flow->age_ms };

	memcpy(row.address[0], flow_address(flow, source), sizeof(row.address[0]));
	memcpy(row.address[1], flow_address(flow, destination), sizeof(row.address[1]));
	row.port[0] = flow_port(flow, source);
	row.port[1] = flow_port(flow, destination);
	count_flow(flow, &row);
	measure(top, flow, &row, (uint32_t)now_ms);
	row.score = score_flow(&row, top->sort);
	add_source(top, &row);
	offer(&top->flows, &row);
}

void top_flows_end_round(struct top_flows *top)
{
	uint32_t i;

	for (i = 0; i < SOURCES; i++) {
		if (!top->source[i].flows)
			continue;
		top->source[i].score = score_source(&top->source[i], top->sort);
		offer(&top->sources, &top->source[i]);
	}
	memset(top->source, 0, sizeof(top->source));
	publish(&top->flows);
	publish(&top->sources);
	top->next = 0;
	top->last_frames = top->frames;
	top->frames = 0;
}

static bool visit(const struct flow_record *flow, void *context)
{
	struct top_flows *top = context;

	top_flows_see(top, flow, top->now_ms);
	return true;
}

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool top_flows_scan(struct top_flows *top, const struct tg_table *table, uint64_t now_ms)
{
	uint32_t slots = table->buckets * TG_BUCKET_WAYS;
	uint64_t until_ms = monotonic_ms() + TOP_FRAME_MS;

	top->now_ms = now_ms;
	top->frames++;
	do {
		flow_table_visit_part(table, top->next, PART_SLOTS, now_ms, visit, top);
		if (slots - top->next <= PART_SLOTS) {
			top_flows_end_round(top);
			return true;
		}
		top->next += PART_SLOTS;
	} while (monotonic_ms() < until_ms);
	return false;
}

const struct top_list *top_flows_list(const struct top_flows *top)
{
	return &top->flows.list;
}

const struct top_list *top_flows_sources(const struct top_flows *top)
{
	return &top->sources.list;
}

unsigned int top_flows_frames(const struct top_flows *top)
{
	return top->last_frames;
}
