/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP options against a walker written from RFC 9293 3.1 and RFC 7323, well-formed and not. */
#include "tests/unit/unit.h"

#include "bpf/parse.h"

struct noted {
	__u8 options;
	__u8 wscale;
	__u32 tsval;
	__u32 sack_right;
	__u16 mss;
	__u32 tsecr;
};

static __u32 be32(const uint8_t *p)
{
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
}

/* Serial order written out: the edge that lies ahead by less than half the circle. */
static __u32 later(__u32 a, __u32 b)
{
	return (__u32)(a - b) < 0x80000000U ? a : b;
}

static struct noted walk(const uint8_t *bytes, size_t length)
{
	struct noted noted = {};
	size_t at = 0, block;

	while (at < length && bytes[at] != 0) {
		size_t size;

		if (bytes[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 == length)
			break;
		size = bytes[at + 1];
		if (size < 2 || size > length - at)
			break;
		if (bytes[at] == 3 && size == 3) {
			noted.options |= TG_OPT_WSCALE;
			noted.wscale = bytes[at + 2] > 14 ? 14 : bytes[at + 2];
		} else if (bytes[at] == 8 && size == 10) {
			noted.options |= TG_OPT_TIMESTAMPS;
			noted.tsval = be32(bytes + at + 2);
			noted.tsecr = be32(bytes + at + 6);
		} else if (bytes[at] == 5) {
			for (block = 0; 2 + 8 * (block + 1) <= size; block++) {
				__u32 right = be32(bytes + at + 2 + 8 * block + 4);

				noted.sack_right = noted.options & TG_OPT_SACK ?
							   later(right, noted.sack_right) :
							   right;
				noted.options |= TG_OPT_SACK;
			}
		} else if (bytes[at] == 2 && size == 4) {
			noted.options |= TG_OPT_MSS;
			noted.mss = (__u16)(bytes[at + 2] << 8 | bytes[at + 3]);
		} else if (bytes[at] == 4 && size == 2) {
			noted.options |= TG_OPT_SACK_PERMITTED;
		} else if (bytes[at] == 19 || bytes[at] == 29) {
			noted.options |= TG_OPT_SIGNED;
		}
		at += size;
	}
	return noted;
}

/* By the parser's way in, with the fast path; the header and options end where the buffer ends. */
static struct noted parse(const uint8_t *bytes, size_t length)
{
	struct tg_packet pkt = {};
	uint8_t *segment = malloc(sizeof(struct tg_tcp) + length);

	assert_non_null(segment);
	memset(segment, 0, sizeof(struct tg_tcp));
	memcpy(segment + sizeof(struct tg_tcp), bytes, length);
	tg_parse_tcp_options((const struct tg_tcp *)segment,
			     segment + sizeof(struct tg_tcp) + length, (__u32)length, &pkt);
	free(segment);
	return (struct noted){ pkt.options, pkt.wscale, pkt.tsval, pkt.sack_right, pkt.mss, pkt.tsecr };
}

static void check(const uint8_t *bytes, size_t length)
{
	struct noted want = walk(bytes, length), got = parse(bytes, length);
	size_t i;

	if (want.options == got.options && want.wscale == got.wscale && want.tsval == got.tsval &&
	    want.sack_right == got.sack_right && want.mss == got.mss && want.tsecr == got.tsecr)
		return;
	for (i = 0; i < length; i++)
		print_message("%02x ", bytes[i]);
	fail_msg("options %#x/%#x, scale %u/%u, tsval %u/%u, sack %u/%u, mss %u/%u, tsecr %u/%u",
		 want.options, got.options, want.wscale, got.wscale, want.tsval, got.tsval,
		 want.sack_right, got.sack_right, want.mss, got.mss, want.tsecr, got.tsecr);
}

static void random_options_are_read_as_the_rfc_says(void **state)
{
	static const uint8_t kinds[] = { 0, 1, 1, 1, 2, 3, 3, 4, 5, 5, 8, 8, 19, 29, 34, 254 };
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 10, 10, 10, 18, 26, 34, 38, 40, 255 };
	uint64_t seed = 1;
	int i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		size_t length = 4 * random_below(&seed, 11), at;
		uint8_t bytes[40];

		for (at = 0; at < sizeof(bytes); at += 8)
			memcpy(bytes + at, &(uint64_t){ random_u64(&seed) }, 8);
		/* Plausible kinds and sizes at plausible places. */
		for (at = 0; at + 1 < length && random_below(&seed, 8);) {
			bytes[at] = kinds[random_below(&seed, COUNT(kinds))];
			if (bytes[at] <= 1) {
				at++;
				continue;
			}
			bytes[at + 1] = sizes[random_below(&seed, COUNT(sizes))];
			at += bytes[at + 1] ? bytes[at + 1] : 2;
		}
		check(bytes, length);
	}
}

/* Every kind with every size, at the beginning and as the last thing there is room for. */
static void every_kind_and_size(void **state)
{
	unsigned int kind, size;
	uint8_t bytes[40];
	size_t i;

	(void)state;
	for (kind = 0; kind < 256; kind++) {
		for (size = 0; size < 256; size++) {
			for (i = 0; i < sizeof(bytes); i++)
				bytes[i] = (uint8_t)(i * 37 + kind);
			bytes[0] = (uint8_t)kind;
			bytes[1] = (uint8_t)size;
			check(bytes, sizeof(bytes));
			check(bytes, 12);
			memset(bytes, 1, sizeof(bytes));
			bytes[38] = (uint8_t)kind;
			bytes[39] = (uint8_t)size;
			check(bytes, sizeof(bytes));
			bytes[39] = (uint8_t)kind;
			check(bytes, sizeof(bytes));
		}
	}
}

static void options_as_stacks_send_them(void **state)
{
	static const struct {
		const char *who;
		uint8_t bytes[40];
		size_t length;
		struct noted want;
	} rows[] = {
		{ "Linux SYN",
		  { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7 },
		  20,
		  { TG_OPT_MSS | TG_OPT_SACK_PERMITTED | TG_OPT_WSCALE | TG_OPT_TIMESTAMPS, 7, 7, 0, 1460, 0 } },
		{ "Windows SYN", { 2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2 }, 12, { TG_OPT_MSS | TG_OPT_SACK_PERMITTED | TG_OPT_WSCALE, 8, 0, 0, 1460, 0 } },
		{ "macOS SYN",
		  { 2, 4, 5, 180, 1, 3, 3, 6, 1, 1, 8, 10, 0xff, 0, 0, 1, 0, 0, 0, 0, 4, 2, 0, 0 },
		  24,
		  { TG_OPT_MSS | TG_OPT_SACK_PERMITTED | TG_OPT_WSCALE | TG_OPT_TIMESTAMPS, 6, 0xff000001, 0, 1460, 0 } },
		{ "fast path", { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 }, 12, { TG_OPT_TIMESTAMPS, 0, 0x01020304, 0, 0, 0x05060708 } },
		{ "timestamps and three blocks",
		  { 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 1, 5, 26, 0, 0, 0, 1, 0, 0, 0, 2,
		    0xff, 0xff, 0xff, 0xf0, 0xff, 0xff, 0xff, 0xf8, 0, 0, 0, 5, 0, 0, 0, 6 },
		  40,
		  { TG_OPT_TIMESTAMPS | TG_OPT_SACK, 0, 9, 6, 0, 0 } },
		{ "edges across 2^32",
		  { 1, 1, 5, 18, 0xff, 0xff, 0xff, 0xf0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 2 },
		  20,
		  { TG_OPT_SACK, 0, 0, 2, 0, 0 } },
		{ "scale 15 is 14", { 3, 3, 15, 0 }, 4, { TG_OPT_WSCALE, 14, 0, 0, 0, 0 } },
		{ "scale 255 is 14", { 1, 3, 3, 255 }, 4, { TG_OPT_WSCALE, 14, 0, 0, 0, 0 } },
		{ "MD5 is noted and skipped", { 19, 18, [18] = 1, [19] = 1, [20] = 1, [21] = 3, [22] = 3, [23] = 4 }, 24, { TG_OPT_SIGNED | TG_OPT_WSCALE, 4, 0, 0, 0, 0 } },
		{ "AO that looks like others", { 29, 12, 3, 3, 9, 8, 10, 1, 2, 3, 4, 5, 3, 3, 2, 0 }, 16, { TG_OPT_SIGNED | TG_OPT_WSCALE, 2, 0, 0, 0, 0 } },
		{ "nothing behind the end", { 0, 3, 3, 7 }, 4, { 0 } },
		{ "a size of 0 ends it", { 254, 0, 3, 3, 7, 0, 0, 0 }, 8, { 0 } },
		{ "a size of 1 ends it", { 254, 1, 3, 3, 7, 0, 0, 0 }, 8, { 0 } },
		{ "too long for the header", { 1, 1, 8, 10, 1, 2, 3, 4 }, 8, { 0 } },
		{ "SACK with a broken block", { 1, 1, 5, 14, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 }, 16, { TG_OPT_SACK, 0, 0, 2, 0, 0 } },
		{ "40 NOPs", { [0 ... 39] = 1 }, 40, { 0 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct noted got = parse(rows[i].bytes, rows[i].length);

		if (got.options != rows[i].want.options || got.wscale != rows[i].want.wscale ||
		    got.tsval != rows[i].want.tsval || got.sack_right != rows[i].want.sack_right ||
		    got.mss != rows[i].want.mss || got.tsecr != rows[i].want.tsecr)
			fail_msg("%s: options %#x, scale %u, tsval %#x, sack %#x", rows[i].who, got.options,
				 got.wscale, got.tsval, got.sack_right);
		check(rows[i].bytes, rows[i].length);
	}
}

/* The buffer may end before the options do (headers at TC): what is there is read, nothing beyond. */
static void options_that_end_with_the_buffer(void **state)
{
	static const uint8_t bytes[40] = { 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7, [16 ... 39] = 1 };
	size_t there, said;

	(void)state;
	for (said = 0; said <= sizeof(bytes); said += 4) {
		for (there = 0; there <= said; there++) {
			uint8_t *copy = malloc(there ? there : 1);
			struct tg_packet pkt = {};

			assert_non_null(copy);
			memcpy(copy, bytes, there);
			tg_parse_options(copy, copy + there, (__u32)said, &pkt);
			free(copy);
			if (there >= 16)
				assert_int_equal(pkt.options, TG_OPT_WSCALE | TG_OPT_TIMESTAMPS);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_options_are_read_as_the_rfc_says),
		cmocka_unit_test(every_kind_and_size),
		cmocka_unit_test(options_as_stacks_send_them),
		cmocka_unit_test(options_that_end_with_the_buffer),
	};

	return cmocka_run_group_tests_name("tcp options", tests, NULL, NULL);
}
