// SPDX-License-Identifier: GPL-2.0-or-later
/* SipHash against the vectors its authors published; what a cookie keeps of what was agreed on. */
#include "tests/unit/unit.h"

#include "bpf/cookie.h"

/* vectors.h of the reference implementation: key 00..0f, input 00, 01, 02 ... */
static void siphash_is_siphash(void **state)
{
	static const struct {
		__u32 words;
		__u64 want;
	} vectors[] = {
		{ 0, 0x726fdb47dd0e0e31ULL },
		{ 1, 0x93f5f5799a932462ULL },
		{ 2, 0x3f2acc7f57c29bdbULL },
	};
	struct tg_siphash_input input = {};
	size_t i;

	(void)state;
	for (i = 0; i < 8 * TG_SIPHASH_WORDS; i++)
		input.word[i / 8] |= (__u64)i << i % 8 * 8;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		input.count = vectors[i].words;
		assert_int_equal(tg_siphash24(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL, &input),
				 vectors[i].want);
	}
}

static void mss_is_never_rounded_up(void **state)
{
	int family;
	__u32 mss;

	(void)state;
	for (family = 0; family < 2; family++) {
		__u16 least = tg_cookie_mss(family, 0), before = 0;

		for (mss = 0; mss < 65536; mss++) {
			__u8 index = tg_cookie_mss_index(family, (__u16)mss);
			__u16 got = tg_cookie_mss(family, index);

			assert_true(index < 8);
			assert_true(got <= mss || got == least);
			assert_true(got >= before);
			before = got;
		}
	}
	assert_int_equal(tg_cookie_mss(true, tg_cookie_mss_index(true, 1460)), 1460);
	assert_int_equal(tg_cookie_mss(false, tg_cookie_mss_index(false, 1440)), 1440);
}

/* Every combination of terms comes back as it was rounded, and nothing else does. */
static void terms_come_back(void **state)
{
	struct tg_cookies cookies = { .secret = { { { 1, 2 } }, { { 3, 4 } } }, .timestamp_base = 77 };
	struct tg_packet syn = { .ipv4 = true, .seq = 0xfffffff0, .sport = 1, .dport = 2 }, ack;
	__u32 wscale, bits, timestamp, cookie;

	(void)state;
	for (bits = 0; bits < 8; bits++) {
		for (wscale = 0; wscale <= 15; wscale++) {
			struct tg_terms terms = {
				.mss = 1400,
				.timestamps = bits & 1,
				.sack = bits & 2,
				.ecn = bits & 4,
				.own_wscale = 10,
				.wscale = wscale == 15 ? TG_WSCALE_NONE : wscale,
			};
			struct tg_terms got = {};

			tg_terms_round(&terms, true);
			cookie = tg_cookie_make(&cookies, 123456789, &syn, &terms, &timestamp);
			ack = syn;
			ack.seq = syn.seq + 1;
			ack.ack = cookie + 1;
			ack.options = terms.timestamps ? TG_OPT_TIMESTAMPS : 0;
			ack.tsecr = timestamp;
			assert_int_equal(tg_cookie_verify(&cookies, 123456789, &ack, &got), TG_COOKIE_GOOD);
			assert_int_equal(got.mss, 1400);
			assert_int_equal(got.timestamps, terms.timestamps);
			assert_int_equal(got.sack, terms.sack);
			assert_int_equal(got.ecn, terms.ecn);
			assert_int_equal(got.wscale, terms.wscale);
			if (got.wscale != TG_WSCALE_NONE)
				assert_int_equal(got.own_wscale, terms.own_wscale);
			assert_true(terms.wscale == TG_WSCALE_NONE || terms.wscale <= wscale);
			assert_int_not_equal(tg_terms_pack(&got), 0);
			assert_int_equal(tg_terms_scale(tg_terms_pack(&got), false), terms.wscale);
		}
	}
}

/* The hash depends on every word of the addresses, IPv4 and IPv6, and on both ports. */
static void every_word_counts(void **state)
{
	struct tg_cookies cookies = { .secret = { { { 1, 2 } }, { { 3, 4 } } } };
	struct tg_terms terms = { .mss = 1400, .wscale = TG_WSCALE_NONE };
	struct tg_packet syn = {};
	__u32 word, plain, unused;

	(void)state;
	tg_terms_round(&terms, false);
	plain = tg_cookie_make(&cookies, 0, &syn, &terms, &unused);
	for (word = 0; word < 9; word++) {
		struct tg_packet other = syn;

		((__u32 *)&other)[word] ^= 0x01000001;
		assert_int_not_equal(tg_cookie_make(&cookies, 0, &other, &terms, &unused), plain);
	}
	syn.ipv4 = true;
	assert_int_not_equal(tg_cookie_make(&cookies, 0, &syn, &terms, &unused), plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_is_siphash),
		cmocka_unit_test(mss_is_never_rounded_up),
		cmocka_unit_test(terms_come_back),
		cmocka_unit_test(every_word_counts),
	};

	return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
