/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One packet after the other: time, headers, verdict. */
#include "replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/parse_packet.h"
#include "config_apply.h"
#include "datapath.h"
#include "log.h"
#include "replay_frame.h"
#include "replay_options.h"
#include "replay_program.h"

#define START_MS 3600000ULL /* the table's clock never begins at 0 */
#define CLOCK_RESET_MS 60000ULL /* further back than this is another clock, not a packet out of order, */
#define CLOCK_RESET_PACKETS 32 /* if so many packets in a row say so */
#define SWEEP_MS (10ULL * 86400 * 1000) /* stamps have 32 bits: none may get 24 days old */
#define SILENCE_MS (2ULL * 86400 * 1000) /* longer than every timeout */
#define SECONDS_MAX (INT64_MAX / 4000)

#define FLOWS_MIN 1024U
#define FLOWS_UNKNOWN 262144U
#define MEMORY_SHARE 8 /* a table sized by us takes at most one part in eight */
#define GZIP_RATIO 20 /* a guess */
#define PACKET_BYTES 64 /* the least a packet of TCP takes in a capture */

struct clock {
	bool started;
	uint64_t offset_ms; /* added to the capture's time, modulo 2^64 */
	uint64_t now_ms;
	uint64_t swept_ms;
	uint32_t behind; /* packets in a row that say it is more than CLOCK_RESET_MS earlier */
};

struct replay {
	const struct replay_options *options;
	struct tg_program constants;
	struct replay_program program;
	struct clock clock;
	struct replay_frame frame;
	bool runnable; /* the frame that was read */
	struct replay_judgement blank;
};

enum tg_profile replay_profile(const struct replay_options *options)
{
	if (options->profile != DATAPATH_UNSET)
		return (enum tg_profile)options->profile;
	return options->local.count ? TG_PROFILE_HOST : TG_PROFILE_GATEWAY;
}

uint64_t replay_bytes_of(const char *path, uint64_t size)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".gz") ? size * GZIP_RATIO : size;
}

uint32_t replay_flows_for(uint64_t bytes)
{
	uint64_t flows = bytes ? bytes / PACKET_BYTES : FLOWS_UNKNOWN, memory;
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	if (flows < FLOWS_MIN)
		flows = FLOWS_MIN;
	if (flows > DATAPATH_MAX_FLOWS_DEFAULT)
		flows = DATAPATH_MAX_FLOWS_DEFAULT;
	memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / MEMORY_SHARE : UINT64_MAX;
	while (flows > FLOWS_MIN && datapath_table_bytes((uint32_t)flows) > memory)
		flows /= 2;
	return (uint32_t)flows;
}

/* The same every time, so that flow ids and evictions are; nobody attacks a replay's table. */
static void set_hash(struct tg_program *constants)
{
	__u64 coefficient[2][TG_HASH_COEFFICIENTS], x = 88172645463325252ULL;
	uint32_t half, i;

	for (half = 0; half < 2; half++) {
		for (i = 0; i < TG_HASH_COEFFICIENTS; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			coefficient[half][i] = x;
		}
	}
	tg_hash_key_for_zone(coefficient, constants->zone, &constants->hash);
}

static void set_settings(struct replay *replay)
{
	const struct tg_timeouts timeouts = TG_TIMEOUTS_DEFAULT;
	struct tg_settings *settings = replay->program.settings;

	settings->layout_version = TG_LAYOUT_VERSION;
	settings->clock_ms = START_MS;
	settings->lookups_per_100ms = 0; /* this machine's sockets know nothing of a capture */
	settings->config[0].timeouts = timeouts;
	if (replay->options->config) {
		config_fill(replay->options->config, START_MS, &settings->config[0],
			    &replay->program.ports[0]);
		settings->config[0].flood.cpus = 1; /* one runs the whole capture */
	}
	settings->config[0].iface[0].mode = (__u32)replay->options->mode;
	settings->iface[0].learn_until_ms = replay->options->learn ? UINT64_MAX : 0;
}

int replay_open(struct replay **out, const struct replay_options *options, uint32_t max_flows)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	uint64_t slots = (uint64_t)max_flows * TG_SLOTS_PER_FLOW;
	int err;

	*out = NULL;
	if (!replay)
		return log_err(-ENOMEM, "cannot replay");
	replay->options = options;
	replay->constants = (struct tg_program){
		.buckets = (__u32)((slots + TG_BUCKET_WAYS - 1) / TG_BUCKET_WAYS),
		.profile = (__u8)replay_profile(options),
		.clock = TG_CLOCK_SETTINGS,
		.strict = options->strict,
		.report = 1,
	};
	set_hash(&replay->constants);
	err = replay_program_load(&replay->program, &replay->constants, options->local.count);
	if (err) {
		free(replay);
		return err;
	}
	set_settings(replay);
	*out = replay;
	return 0;
}

void replay_close(struct replay *replay)
{
	if (!replay)
		return;
	replay_program_unload(&replay->program);
	free(replay);
}

const struct tg_timeouts *replay_timeouts(const struct replay *replay)
{
	return replay->program.table.timeouts;
}

uint32_t replay_slots(const struct replay *replay)
{
	return replay->program.table.buckets * TG_BUCKET_WAYS;
}

/* --- time ----------------------------------------------------------------------------------------- */

/* Writes only where something was: most of a large table is never used. */
static void clear_table(const struct tg_table *table)
{
	__u32 bucket, way;

	for (bucket = 0; bucket < table->buckets; bucket++) {
		table->word[bucket] = 0;
		for (way = 0; way < TG_BUCKET_WAYS; way++) {
			struct tg_slot *slot = &table->bucket[bucket].slot[way];

			/* The generation goes on: a flow's id is never another's. */
			if (slot->claim)
				slot->claim &= ~(TG_CLAIM_GENERATION_ONE - 1);
		}
	}
}

void replay_reset(struct replay *replay)
{
	clear_table(&replay->program.table);
	replay->clock.started = false;
}

/* What the ager does in a live system, as often as the clock's width demands. */
static void sweep_table(const struct tg_table *table, uint64_t now_ms)
{
	__u32 number, slots = table->buckets * TG_BUCKET_WAYS;

	for (number = 0; number < slots; number++) {
		struct tg_slot *slot = &table->bucket[number / TG_BUCKET_WAYS].slot[number % TG_BUCKET_WAYS];

		if (tg_claim_live(slot->claim) &&
		    tg_slot_expired(slot, table->timeouts, (__u32)now_ms))
			tg_slot_free(table, slot, number, slot->claim);
	}
}

static uint64_t capture_ms(const struct timespec *time)
{
	int64_t seconds = time->tv_sec;

	if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX)
		seconds = 0;
	return (uint64_t)(seconds * 1000 + time->tv_nsec / 1000000);
}

/*
 * The table's clock never goes back: a packet out of order is judged at the time of the latest one.
 * Packets that go on being more than a minute behind have another clock (it was set, or captures
 * were joined): from then on it counts from where we are.
 */
static void set_clock(struct replay *replay, const struct timespec *time)
{
	struct clock *clock = &replay->clock;
	uint64_t then_ms = capture_ms(time), now_ms;

	if (!clock->started) {
		/* Later than everything before: flow ids and stamps of another capture never meet. */
		clock->now_ms = clock->now_ms ? clock->now_ms : START_MS;
		clock->offset_ms = clock->now_ms - then_ms;
		clock->swept_ms = clock->now_ms;
		clock->started = true;
	}
	now_ms = then_ms + clock->offset_ms;
	if ((int64_t)(now_ms - clock->now_ms) < 0) {
		if (clock->now_ms - now_ms <= CLOCK_RESET_MS) {
			clock->behind = 0;
		} else if (++clock->behind == CLOCK_RESET_PACKETS) {
			clock->offset_ms += clock->now_ms - now_ms;
			clock->behind = 0;
		}
		return;
	}
	clock->behind = 0;
	if (now_ms - clock->now_ms > SILENCE_MS) {
		clear_table(&replay->program.table);
		clock->swept_ms = now_ms;
	} else if (now_ms - clock->swept_ms > SWEEP_MS) {
		sweep_table(&replay->program.table, now_ms);
		clock->swept_ms = now_ms;
	}
	clock->now_ms = now_ms;
	replay->program.settings->clock_ms = now_ms;
}

/* --- packets -------------------------------------------------------------------------------------- */

static bool is_local(const struct replay_local *local, const struct replay_frame *frame)
{
	__be32 address[4];

	return local->count && replay_frame_source(frame, address) &&
	       replay_local_has(local, address);
}

void replay_read(struct replay *replay, const struct capture_packet *packet,
		 struct replay_judgement *judgement)
{
	struct replay_frame *frame = &replay->frame;
	struct tg_packet *segment = &judgement->packet;

	*judgement = replay->blank;
	set_clock(replay, &packet->time);
	replay->runnable = replay_frame_build(frame, packet);
	if (!replay->runnable) {
		judgement->verdict = frame->headers_cut ? TG_PASS_UNREADABLE : TG_PASS_NOT_TCP;
		return;
	}
	judgement->options_filled = frame->options_filled;
	judgement->length_filled = frame->length_filled;
	judgement->egress = is_local(&replay->options->local, frame);
	/* The parser the programs are made of; here for what it says about the segment. */
	judgement->verdict = tg_parse(frame->bytes, frame->bytes + frame->size, &replay->constants,
				      false, segment);
	judgement->segment = !judgement->verdict;
	if (segment->jumbo)
		tg_jumbo_payload(segment, frame->length);
}

/* Headers that the capture cut off are no fault of the packet: as where a driver's buffer ends early. */
static enum tg_verdict excuse_cut(const struct replay_frame *frame, enum tg_verdict verdict,
				  enum tg_verdict parsed)
{
	if (frame->headers_cut && verdict == parsed &&
	    (verdict == TG_DROP_BAD_HDR || verdict == TG_DROP_TINY_FRAG))
		return TG_PASS_UNREADABLE;
	return verdict;
}

static void take_result(const struct tg_result *result, struct replay_judgement *judgement)
{
	judgement->verdict = result->verdict;
	judgement->outcome = result->outcome;
	judgement->has_flow = result->has_flow;
	judgement->side = result->side;
	judgement->phase = result->phase;
	judgement->sender_state = result->sender_state;
	judgement->receiver_state = result->receiver_state;
	judgement->number = result->number;
	judgement->claim = result->claim;
}

/* A segment refused before its flow was looked up leaves that flow as it is: say so. */
static void find_untouched_flow(const struct replay *replay, struct replay_judgement *judgement)
{
	const struct tg_half *sender, *receiver;
	struct replay_flow flow;

	if (judgement->has_flow || !judgement->segment || judgement->packet.icmp_error)
		return;
	replay_peek(replay, judgement, &flow);
	if (!flow.found || flow.expired)
		return;
	sender = &flow.slot.half[flow.side];
	receiver = &flow.slot.half[flow.side ^ 1];
	judgement->has_flow = true;
	judgement->side = (uint8_t)flow.side;
	judgement->phase = (uint8_t)tg_flow_phase(sender, receiver);
	judgement->sender_state = (uint8_t)tg_endpoint_state(sender, receiver);
	judgement->receiver_state = (uint8_t)tg_endpoint_state(receiver, sender);
	judgement->number = flow.number;
	judgement->claim = flow.slot.claim;
}

int replay_judge(struct replay *replay, struct replay_judgement *judgement)
{
	struct replay_frame *frame = &replay->frame;
	enum tg_verdict parsed = judgement->verdict, first = TG_UNDECIDED;
	uint32_t i;
	int err;

	if (!replay->runnable)
		return 0;
	for (i = 0; i < frame->pieces; i++) {
		if (frame->pieces > 1)
			replay_frame_piece(frame, i);
		err = replay_program_run(&replay->program, frame->bytes, frame->size,
					 judgement->egress);
		if (err)
			return log_err(err, "cannot run the program on a frame of %u bytes",
				       frame->size);
		take_result(replay->program.result, judgement);
		if (tg_verdict_drops(judgement->verdict))
			break;
		/* Of several pieces the first says what the segment was, the last what came of it. */
		first = first ?: judgement->verdict;
		judgement->verdict = first;
	}
	judgement->verdict = excuse_cut(frame, judgement->verdict, parsed);
	if (!tg_verdict_drops(judgement->verdict))
		judgement->outcome = TG_OUTCOME_VERDICT;
	if (judgement->verdict == TG_DROP_BAD_FLAGS || judgement->verdict == TG_DROP_BAD_HDR)
		find_untouched_flow(replay, judgement);
	return 0;
}

void replay_peek(const struct replay *replay, const struct replay_judgement *judgement,
		 struct replay_flow *flow)
{
	const struct tg_table *table = &replay->program.table;
	struct tg_flow_id id = tg_flow_identify(&replay->constants.hash, &judgement->packet);
	struct tg_ref ref;
	__u64 *word;

	memset(flow, 0, sizeof(*flow));
	flow->side = id.side;
	flow->now_ms = (uint32_t)replay->clock.now_ms;
	if (!judgement->segment || tg_flow_find(table, id.tag, &ref, &word) != TG_FOUND_LIVE)
		return;
	flow->found = true;
	flow->number = ref.number;
	flow->slot = *ref.slot;
	flow->detail = table->detail[ref.number];
	flow->expired = tg_slot_expired(&flow->slot, table->timeouts, flow->now_ms);
}

bool replay_drops(const struct replay_judgement *judgement)
{
	return tg_verdict_drops(judgement->verdict) && judgement->outcome != TG_OUTCOME_OWN;
}
