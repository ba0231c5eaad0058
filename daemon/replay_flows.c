/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A note for each slot says whose it is (the generation), which sides have sent data, and which
 * loser it is, if any.  When a slot changes hands the note is settled: without data both ways
 * nobody lost anything that matters.
 */
#include "replay_flows.h"

#include <stdlib.h>
#include <string.h>

#define STRANGERS 65536U /* a power of 2 */
#define LOSERS_MAX 10000U
#define NONE UINT32_MAX
#define UNTOLD (UINT32_MAX - 1) /* there was no room for its story */

struct note {
	uint32_t generation; /* of the flow in the slot */
	uint32_t loser; /* index, NONE or UNTOLD */
	uint8_t data; /* bit for each side */
	bool used;
};

/* Segments that belonged to no flow, by their addresses; a newcomer displaces whoever is there. */
struct stranger {
	struct tg_flow_key key;
	struct note note;
};

struct candidate {
	struct replay_loser loser;
	bool used;
	bool confirmed;
};

struct replay_flows {
	uint32_t slots;
	struct note *notes;
	struct stranger *strangers;
	struct candidate *candidates;
	struct replay_loser *losers; /* what replay_flows_losers() hands out */
	uint32_t top; /* candidates in use lie below */
	uint32_t spare; /* an unused one below top, or top */
	uint64_t seen;
	uint64_t more; /* confirmed, but no room for their story */
};

struct replay_flows *replay_flows_new(uint32_t slots)
{
	struct replay_flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->slots = slots;
	flows->notes = calloc(slots, sizeof(*flows->notes));
	flows->strangers = calloc(STRANGERS, sizeof(*flows->strangers));
	flows->candidates = calloc(LOSERS_MAX, sizeof(*flows->candidates));
	flows->losers = calloc(LOSERS_MAX, sizeof(*flows->losers));
	if (flows->notes && flows->strangers && flows->candidates && flows->losers)
		return flows;
	replay_flows_free(flows);
	return NULL;
}

void replay_flows_free(struct replay_flows *flows)
{
	if (!flows)
		return;
	free(flows->notes);
	free(flows->strangers);
	free(flows->candidates);
	free(flows->losers);
	free(flows);
}

/* The connection of a note is over. */
static void settle(struct replay_flows *flows, struct note *note)
{
	bool both = note->data == 3;

	if (note->used && note->loser == UNTOLD) {
		flows->more += both;
	} else if (note->used && note->loser != NONE) {
		struct candidate *candidate = &flows->candidates[note->loser];

		candidate->confirmed = both;
		candidate->used = both;
		if (!both && note->loser < flows->spare)
			flows->spare = note->loser;
	}
	note->used = false;
}

static void begin(struct note *note, uint32_t generation)
{
	note->generation = generation;
	note->loser = NONE;
	note->data = 0;
	note->used = true;
}

static uint32_t new_candidate(struct replay_flows *flows)
{
	while (flows->spare < flows->top && flows->candidates[flows->spare].used)
		flows->spare++;
	if (flows->spare == LOSERS_MAX)
		return UNTOLD;
	if (flows->spare == flows->top)
		flows->top++;
	return flows->spare++;
}

static void lose(struct replay_flows *flows, struct note *note, uint32_t file, uint64_t packet,
		 const struct tg_flow_key *key, enum tg_side first,
		 const struct replay_judgement *judgement)
{
	struct candidate *candidate;

	if (note->loser == NONE) {
		note->loser = new_candidate(flows);
		if (note->loser == UNTOLD)
			return;
		candidate = &flows->candidates[note->loser];
		memset(candidate, 0, sizeof(*candidate));
		candidate->used = true;
		candidate->loser.key = *key;
		candidate->loser.first = first;
		candidate->loser.stranger = !judgement->has_flow;
		candidate->loser.file = file;
		candidate->loser.packet = packet;
		candidate->loser.verdict = judgement->verdict;
	}
	if (note->loser != UNTOLD)
		flows->candidates[note->loser].loser.drops++;
}

static uint32_t hash_key(const struct tg_flow_key *key)
{
	const uint32_t *words = (const uint32_t *)key;
	uint32_t hash = 0, i;

	for (i = 0; i < sizeof(*key) / sizeof(*words); i++)
		hash = (hash ^ words[i]) * 0x9e3779b1U;
	return hash >> 16 & (STRANGERS - 1);
}

static struct note *stranger_note(struct replay_flows *flows, const struct tg_flow_key *key)
{
	struct stranger *stranger = &flows->strangers[hash_key(key)];

	if (stranger->note.used && !memcmp(&stranger->key, key, sizeof(*key)))
		return &stranger->note;
	settle(flows, &stranger->note);
	stranger->key = *key;
	begin(&stranger->note, 0);
	return &stranger->note;
}

static struct note *slot_note(struct replay_flows *flows, const struct replay_judgement *judgement)
{
	uint32_t generation = judgement->claim >> TG_CLAIM_GENERATION_SHIFT;
	struct note *note = &flows->notes[judgement->number % flows->slots];

	if (note->used && note->generation == generation)
		return note;
	settle(flows, note);
	begin(note, generation);
	flows->seen++;
	return note;
}

void replay_flows_count(struct replay_flows *flows, uint32_t file, uint64_t packet,
			const struct replay_judgement *judgement)
{
	bool drops = replay_drops(judgement);
	enum tg_side side = judgement->side, first;
	struct tg_flow_key key;
	struct note *note;

	if (!judgement->segment || judgement->packet.icmp_error)
		return;
	if (judgement->has_flow) {
		note = slot_note(flows, judgement);
		first = judgement->claim & TG_CLAIM_OPENER_HI ? TG_SIDE_HI : TG_SIDE_LO;
	} else if (drops) {
		side = first = tg_packet_side(&judgement->packet);
		tg_key_from_packet(&judgement->packet, side, 0, &key);
		note = stranger_note(flows, &key);
	} else {
		return;
	}
	/* Of a flow, what passed; a stranger passed nothing. */
	if (judgement->packet.payload && !(drops && judgement->has_flow))
		note->data |= (uint8_t)(1U << side);
	if (!drops)
		return;
	if (judgement->has_flow)
		tg_key_from_packet(&judgement->packet, side, 0, &key);
	lose(flows, note, file, packet, &key, first, judgement);
}

void replay_flows_settle(struct replay_flows *flows)
{
	uint32_t i;

	for (i = 0; i < flows->slots; i++)
		if (flows->notes[i].used)
			settle(flows, &flows->notes[i]);
	for (i = 0; i < STRANGERS; i++)
		if (flows->strangers[i].note.used)
			settle(flows, &flows->strangers[i].note);
}

uint64_t replay_flows_seen(const struct replay_flows *flows)
{
	return flows->seen;
}

static int by_place(const void *a, const void *b)
{
	const struct replay_loser *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->packet > y->packet) - (x->packet < y->packet);
}

const struct replay_loser *replay_flows_losers(struct replay_flows *flows, uint32_t *count,
					       uint64_t *more)
{
	uint32_t i;

	*count = 0;
	*more = flows->more;
	for (i = 0; i < flows->top; i++)
		if (flows->candidates[i].confirmed)
			flows->losers[(*count)++] = flows->candidates[i].loser;
	qsort(flows->losers, *count, sizeof(*flows->losers), by_place);
	return flows->losers;
}
