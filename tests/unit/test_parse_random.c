/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parser over segments, damaged frames and bytes, all at random: understood or refused, and
 * nothing read beyond the end.
 */
#include "tests/unit/parsing.h"

static void random_segments_are_understood(void **state)
{
	uint8_t chain[256];
	struct tg_packet pkt;
	uint64_t seed = 1;
	struct segment s;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		struct parsing how = { .strict = i & 1, .verify_csum = i & 2 };

		random_segment(&seed, &s, chain);
		if (parse_segment(&s, &how, &pkt) != TG_UNDECIDED)
			fail_msg("segment %d: verdict %d", i, parse_segment(&s, &how, &pkt));
		check_packet(&s, &pkt);
		/* Neither link header nor padding: what the counters add is the IP packet. */
		assert_in_range(pkt.bytes - (s.ipv6 ? 40 : 20) - s.ip_options_size - s.payload, 20, 60);
	}
}

/* A frame may end anywhere: what is said to follow the headers need not be there. */
static void truncated_frames_are_refused_or_understood(void **state)
{
	uint8_t chain[256], frame[FRAME_MAX + 256];
	struct tg_packet whole, pkt;
	uint64_t seed = 2;
	struct segment s;
	int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		struct parsing how = { .verify_csum = false };
		size_t size, headers, length;

		random_segment(&seed, &s, chain);
		how.no_link_header = s.link == LINK_NONE;
		size = frame_build(frame, &s);
		headers = size - s.padding - s.payload;
		assert_int_equal(parse(frame, size, &how, &whole), TG_UNDECIDED);
		for (length = 0; length < size; length++) {
			enum tg_verdict verdict = parse(frame, length, &how, &pkt);

			if (length >= headers) {
				assert_int_equal(verdict, TG_UNDECIDED);
				assert_memory_equal(&pkt, &whole, sizeof(pkt));
			} else if (verdict != TG_PASS_NOT_TCP && verdict != TG_DROP_BAD_HDR) {
				fail_msg("%zu of %zu header bytes: verdict %d", length, headers, verdict);
			}
		}
	}
}

/* What must hold of anything the parser accepts. */
static void check_sane(enum tg_verdict verdict, const struct tg_packet *pkt)
{
	assert_true(verdict < TG_VERDICT_MAX);
	if (verdict || pkt->icmp_error)
		return;
	assert_true(pkt->jumbo || pkt->payload <= 65535);
	assert_int_equal(pkt->end, (uint32_t)(pkt->seq + pkt->payload + !!(pkt->flags & TG_SYN) +
					      !!(pkt->flags & TG_FIN)));
	assert_true(!(pkt->options & TG_OPT_WSCALE) || pkt->wscale <= 14);
	assert_int_equal(pkt->flags & ~0x3f, 0);
}

static void damaged_frames_never_lead_beyond_their_end(void **state)
{
	uint8_t chain[256], frame[FRAME_MAX + 256];
	unsigned int outcomes[TG_VERDICT_MAX] = {};
	struct tg_packet pkt;
	uint64_t seed = 3;
	struct segment s;
	int i;

	(void)state;
	for (i = 0; i < 400000; i++) {
		struct parsing how = { .strict = i & 1, .verify_csum = i & 2 };
		enum tg_verdict verdict;
		size_t size;
		int bytes;

		random_segment(&seed, &s, chain);
		s.fragment = random_below(&seed, 4) ? 0 : (uint16_t)random_u32(&seed);
		s.no_length = !random_below(&seed, 8);
		how.no_link_header = s.link == LINK_NONE;
		size = random_below(&seed, 6) ? frame_build(frame, &s) :
						frame_build_icmp(frame, &s, (uint8_t)random_below(&seed, 13),
								 0);
		for (bytes = (int)random_below(&seed, 6); bytes; bytes--)
			frame[random_below(&seed, (uint32_t)size)] = (uint8_t)random_u32(&seed);
		size = random_below(&seed, 2) ? size : random_below(&seed, (uint32_t)size + 1);
		verdict = parse(frame, size, &how, &pkt);
		check_sane(verdict, &pkt);
		outcomes[verdict]++;
	}
	/* The damage reached every branch. */
	assert_true(outcomes[TG_UNDECIDED] && outcomes[TG_PASS_NOT_TCP] && outcomes[TG_PASS_FRAG] &&
		    outcomes[TG_DROP_BAD_HDR] && outcomes[TG_DROP_TINY_FRAG] && outcomes[TG_DROP_FRAG] &&
		    outcomes[TG_DROP_BAD_CSUM]);
}

static void random_bytes_never_lead_beyond_their_end(void **state)
{
	static const uint8_t first[] = { 0x40, 0x45, 0x4f, 0x60, 0x6f, 0x00, 0xff };
	static const uint8_t next[] = { 0, 1, 6, 43, 44, 51, 58, 60, 135, 17 };
	struct tg_packet pkt;
	uint64_t seed = 4;
	uint8_t bytes[200];
	int i;

	(void)state;
	for (i = 0; i < 400000; i++) {
		struct parsing how = { .no_link_header = i & 1, .strict = i & 2, .verify_csum = i & 4 };
		uint8_t *ip = how.no_link_header ? bytes : bytes + 14;
		size_t size = random_below(&seed, sizeof(bytes) + 1), j;

		for (j = 0; j < sizeof(bytes); j += 8)
			memcpy(bytes + j, &(uint64_t){ random_u64(&seed) }, 8);
		if (i & 8) { /* something that begins like a packet */
			ip[0] = first[random_below(&seed, COUNT(first))];
			memcpy(bytes + 12, (ip[0] & 0xf0) == 0x60 ? "\x86\xdd" : "\x08\x00", 2);
			ip[9] = next[random_below(&seed, COUNT(next))];
			ip[6] = (ip[0] & 0xf0) == 0x60 ? next[random_below(&seed, COUNT(next))] : 0;
			ip[7] &= (i & 16) ? 0 : 0xff;
		}
		check_sane(parse(bytes, size, &how, &pkt), &pkt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_segments_are_understood),
		cmocka_unit_test(truncated_frames_are_refused_or_understood),
		cmocka_unit_test(damaged_frames_never_lead_beyond_their_end),
		cmocka_unit_test(random_bytes_never_lead_beyond_their_end),
	};

	return cmocka_run_group_tests_name("parse random", tests, NULL, NULL);
}
