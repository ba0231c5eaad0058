/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole data path, from frame to verdict, over conversations with a state.  The input is a
 * script of eight-byte steps; their numbers are offsets from what the flow's books say at that
 * moment, so that segments at and around every edge are as near as any other.  The checks are in
 * path_check.h.
 *
 * First byte: strict 1, monitor 2, learning 4, gateway 8, one-way 16, sockets vouch 32, two buckets
 * 64.
 */
#include "tests/fuzz/path_check.h"

#include "tests/bpf/frame.h"

#define STEP_BYTES 8
#define STEPS_MAX 256
#define BEGIN_MS 0x4fffff000ULL /* soon the lower 32 bits wrap */
#define ADVANCE_MAX_MS (1U << 24)

enum step_kind {
	STEP_SEGMENT,
	STEP_SEGMENT_TOO, /* most steps are segments */
	STEP_ODD, /* fragment, ICMP error, wrong checksum, other links and extension headers */
	STEP_WORLD, /* the clock, the mode, bypass */
};

/* byte 0: bit 0 side, 1-4 which of sixteen flows, 5 our own, 6-7 kind */
struct step {
	enum tg_side side;
	uint8_t flow;
	bool own;
	enum step_kind kind;
	uint8_t flags; /* byte 1 */
	uint8_t seq_anchor; /* byte 2 */
	uint8_t ack_anchor;
	uint8_t seq_offset; /* 3 */
	uint8_t ack_offset; /* 4 */
	uint8_t payload; /* 5 */
	uint8_t options; /* 6 */
	uint8_t window; /* 7 */
};

static bool vouched(void)
{
	return true;
}

static struct step read_step(struct fuzz_input *input)
{
	struct step step;
	uint8_t byte = fuzz_u8(input);

	step.side = byte & 1;
	step.flow = byte >> 1 & 15;
	step.own = byte >> 5 & 1;
	step.kind = byte >> 6;
	step.flags = fuzz_u8(input);
	byte = fuzz_u8(input);
	step.seq_anchor = byte & 15;
	step.ack_anchor = byte >> 4;
	step.seq_offset = fuzz_u8(input);
	step.ack_offset = fuzz_u8(input);
	step.payload = fuzz_u8(input);
	step.options = fuzz_u8(input);
	step.window = fuzz_u8(input);
	return step;
}

/* --- numbers -------------------------------------------------------------------------------------- */

/* Small ones exactly, then powers of two up to 2^30, each of both signs. */
static uint32_t offset_of(uint8_t byte)
{
	uint32_t size = byte & 0x7f;

	if (size >= 96)
		size = 1U << (size - 96 + (size < 127 ? 0 : -1)); /* 2^0 .. 2^30 */
	return byte & 0x80 ? -size : size;
}

static uint32_t length_of(uint8_t byte)
{
	return byte < 128 ? byte : byte < 240 ? (byte - 127U) * 500 :
						65000U + byte - 240;
}

static uint16_t window_of(uint8_t byte)
{
	return (uint16_t)(byte < 64 ? byte : (byte - 63) * 340);
}

static void endpoints_of(uint8_t flow, struct endpoint *lo, struct endpoint *hi)
{
	bool ipv6 = flow & 8;

	memset(lo, 0, sizeof(*lo));
	memset(hi, 0, sizeof(*hi));
	lo->address[0] = hi->address[0] = ipv6 ? 0xfd : 10;
	lo->address[ipv6 ? 15 : 3] = 1;
	hi->address[ipv6 ? 15 : 3] = 2;
	lo->port = (uint16_t)(40000 + (flow & 7));
	hi->port = 80;
}

static void key_of(uint8_t flow, struct tg_flow_key *key)
{
	struct endpoint lo, hi;

	endpoints_of(flow, &lo, &hi);
	memset(key, 0, sizeof(*key));
	key->lo_port = htons(lo.port);
	key->hi_port = htons(hi.port);
	if (flow & 8) {
		memcpy(key->lo_addr, lo.address, 16);
		memcpy(key->hi_addr, hi.address, 16);
		return;
	}
	key->lo_addr[2] = key->hi_addr[2] = htonl(0xffff);
	memcpy(&key->lo_addr[3], lo.address, 4);
	memcpy(&key->hi_addr[3], hi.address, 4);
}

static const struct tg_slot *slot_of(uint8_t flow, __u32 *number)
{
	struct tg_table table = native_table();
	struct tg_flow_key key;
	struct tg_ref ref;
	__u64 *word;

	key_of(flow, &key);
	if (tg_flow_find(&table, tg_tag_of_key(&tg_program.hash, &key), &ref, &word) != TG_FOUND_LIVE)
		return NULL;
	*number = ref.number;
	return ref.slot;
}

/* A number of the flow's books, as one of its endpoints would use it. */
static uint32_t anchor_of(const struct tg_slot *slot, const struct tg_detail *detail, enum tg_side side,
			  uint8_t which)
{
	const struct tg_half *own = &slot->half[side], *other = &slot->half[!side];

	switch (which) {
	case 0:
		return own->end;
	case 1:
		return own->ack;
	case 2:
		return other->ack;
	case 3:
		return other->end;
	case 4:
		return other->right;
	case 5:
		return own->right;
	case 6:
		return detail->isn[side];
	case 7:
		return detail->isn[!side];
	case 8:
		return own->aux;
	case 9:
		return other->aux;
	case 10:
		return own->end - other->maxwin;
	case 11:
		return other->end - own->maxwin;
	case 12:
		return own->end + 0x80000000;
	case 13:
		return other->end - own->maxwin - TG_OLD_BAND;
	case 14:
		return own->end - other->maxwin - TG_OLD_BAND;
	default:
		return 0;
	}
}

/* --- packets -------------------------------------------------------------------------------------- */

static void set_options(struct segment *segment, uint8_t options, __u64 now_ms)
{
	if (options & 1)
		segment->wscale = WS(options >> 4);
	if (options & 2) {
		segment->has_ts = true;
		segment->tsval = (uint32_t)now_ms + (options & 8 ? offset_of(options) : 0);
	}
	if (options & 4) {
		segment->sack_blocks = 1;
		segment->sack[0][0] = segment->ack + 1;
		segment->sack[0][1] = segment->ack + offset_of(options & 0x7f);
	}
}

static struct segment segment_of(const struct step *step, __u64 now_ms)
{
	__u32 number;
	const struct tg_slot *slot = slot_of(step->flow, &number);
	struct segment segment = {
		.ipv6 = step->flow & 8,
		.flags = step->flags,
		.seq = offset_of(step->seq_offset),
		.ack = offset_of(step->ack_offset),
		.payload = length_of(step->payload),
		.window = window_of(step->window),
		.zero_window = !step->window,
		.headers_only = true,
	};

	if (slot) {
		const struct tg_detail *detail = &native.detail[number];

		segment.seq += anchor_of(slot, detail, step->side, step->seq_anchor);
		segment.ack += anchor_of(slot, detail, !step->side, step->ack_anchor);
	}
	set_options(&segment, step->options, now_ms);
	return segment;
}

/* What an ordinary segment is not, by the bits of the window. */
static size_t build_odd(const struct step *step, struct segment *segment, uint8_t *frame)
{
	uint8_t extensions[8];

	segment->link = step->window >> 3 & 3;
	switch (step->window & 7) {
	case 0:
	case 1:
		return frame_build_icmp(frame, segment, segment->ipv6 ? 1 : 3, 0);
	case 2:
	case 3: /* a first fragment */
		segment->payload = segment->payload & 0xff8;
		if (!segment->ipv6) {
			segment->fragment = 0x2000;
			break;
		}
		segment->extension = 44;
		segment->ip_options = extensions;
		segment->ip_options_size = frame_put_fragment(extensions, 6, 0, true);
		break;
	case 4:
		segment->bad_checksum = true;
		break;
	case 5:
		segment->no_length = true;
		segment->headers_only = false;
		segment->payload &= 0x3ff;
		break;
	default:
		segment->payload = 0;
		break;
	}
	return frame_build(frame, segment);
}

/* With TRACE in the environment: the conversation of an input that fails, to be read. */
static void show(const struct step *step, const struct segment *segment, const struct path_event *event)
{
	static const char letters[] = "FSRPAU";
	char flags[sizeof(letters)] = "";
	__u32 number;
	const struct tg_slot *slot = slot_of(step->flow, &number);
	int i, length = 0;

	for (i = 0; letters[i]; i++)
		if (segment->flags >> i & 1)
			flags[length++] = letters[i];
	fprintf(stderr, "# %llu flow %u from %s%s %-3s seq %u ack %u payload %u window %u%s: %s, phase %d\n",
		(unsigned long long)event->now_ms, step->flow, step->side ? "hi" : "lo",
		event->pkt->own ? " (own)" : "", flags, segment->seq, segment->ack, segment->payload,
		segment->window, step->kind == STEP_ODD ? " odd" : "", verdict_name(event->verdict),
		slot ? (int)tg_flow_phase(&slot->half[0], &slot->half[1]) : -1);
}

static void say(const struct step *step, __u64 now_ms)
{
	static struct path_snapshot before;
	struct segment segment = segment_of(step, now_ms);
	struct tg_packet pkt = { .own = step->own };
	struct path_event event = { .pkt = &pkt, .now_ms = now_ms };
	uint8_t frame[2 * FRAME_MAX], *exact;
	struct endpoint lo, hi;
	struct fuzz_input whole;
	size_t size;

	endpoints_of(step->flow, &lo, &hi);
	segment.from = step->side == TG_SIDE_LO ? &lo : &hi;
	segment.to = step->side == TG_SIDE_LO ? &hi : &lo;
	size = step->kind == STEP_ODD ? build_odd(step, &segment, frame) : frame_build(frame, &segment);
	tg_program.no_link_header = segment.link == LINK_NONE;
	whole = (struct fuzz_input){ frame, size };
	exact = fuzz_take(&whole, &size);
	path_remember(&before);

	pkt.segments = (__u16)(1 + segment.payload / 1448);
	event.verdict = tg_parse(exact, exact + size, &tg_program, !step->own, &pkt);
	if (!event.verdict) {
		event.parsed = true;
		if (pkt.jumbo)
			tg_jumbo_payload(&pkt, (__u32)size);
		event.verdict = native_judge(&pkt, now_ms);
	}
	free(exact);
	if (getenv("TRACE"))
		show(step, &segment, &event);
	path_check_changes(&before, &event);
	path_check_table();
}

/* What the operator and time do. */
static void change_world(const struct step *step, __u64 *now_ms)
{
	uint32_t advance = 1U << (step->seq_offset & 31);

	*now_ms += advance > ADVANCE_MAX_MS ? ADVANCE_MAX_MS : advance;
	switch (step->flags & 15) {
	case 1:
		native.settings.config[0].iface[0].mode ^= 1;
		break;
	case 2:
		native.settings.bypass ^= 1;
		break;
	case 3:
		native.settings.iface[0].learn_until_ms = *now_ms + step->window;
		break;
	case 4:
		native.vouches = native.vouches ? NULL : vouched;
		break;
	default:
		break;
	}
}

static void open_world(uint8_t how)
{
	path_believed = false;
	native_open(how & 64 ? 2 : 1, true);
	tg_program.strict = how & 1;
	native.settings.config[0].iface[0].mode = how & 2 ? TG_MODE_MONITOR : TG_MODE_ENFORCE;
	native.settings.iface[0].learn_until_ms = how & 4 ? ~0ULL : 0;
	tg_program.profile = how & 16 ? TG_PROFILE_ONEWAY : how & 8 ? TG_PROFILE_GATEWAY :
								      TG_PROFILE_HOST;
	native.vouches = how & 32 ? vouched : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	__u64 now_ms = BEGIN_MS;
	int steps;

	open_world(fuzz_u8(&input));
	for (steps = 0; steps < STEPS_MAX && input.left >= STEP_BYTES; steps++) {
		struct step step = read_step(&input);

		if (step.kind == STEP_WORLD)
			change_world(&step, &now_ms);
		else
			say(&step, now_ms);
	}
	native_close();
	return 0;
}
