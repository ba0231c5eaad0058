/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key and tag: both directions agree, IPv4 is its mapped IPv6, zones are apart, and the tags of
 * keys as they occur (counted up, not random) fill buckets as chance would.
 */
#include <math.h>

#include "tests/unit/unit.h"

#include "bpf/flow_table.h"
#include "tests/unit/tuples.h"

static void random_packet(uint64_t *seed, bool ipv4, struct tg_packet *pkt)
{
	size_t i;

	memset(pkt, 0, sizeof(*pkt));
	for (i = 0; i < 4; i++) {
		pkt->saddr[i] = random_u32(seed);
		/* Often equal up to some word, so that the order is decided late. */
		pkt->daddr[i] = random_below(seed, 3) ? pkt->saddr[i] : random_u32(seed);
	}
	pkt->sport = (__be16)random_u32(seed);
	pkt->dport = random_below(seed, 3) ? (__be16)random_u32(seed) : pkt->sport;
	pkt->ipv4 = ipv4;
	if (ipv4) {
		pkt->saddr[0] = pkt->saddr[1] = pkt->daddr[0] = pkt->daddr[1] = 0;
		pkt->saddr[2] = pkt->daddr[2] = htonl(0xffff);
	}
}

static struct tg_packet reversed(const struct tg_packet *pkt)
{
	struct tg_packet other = *pkt;

	memcpy(other.saddr, pkt->daddr, sizeof(other.saddr));
	memcpy(other.daddr, pkt->saddr, sizeof(other.daddr));
	other.sport = pkt->dport;
	other.dport = pkt->sport;
	return other;
}

/* The 18 bytes of an endpoint as memcmp sees them. */
static void endpoint_bytes(const __be32 *address, __be16 port, uint8_t *bytes)
{
	memcpy(bytes, address, 16);
	memcpy(bytes + 16, &port, 2);
}

static int compare_endpoints(const struct tg_packet *pkt)
{
	uint8_t source[18], destination[18];

	endpoint_bytes(pkt->saddr, pkt->sport, source);
	endpoint_bytes(pkt->daddr, pkt->dport, destination);
	return memcmp(source, destination, sizeof(source));
}

static void check_both_directions(const struct tg_hash_key *hash, const struct tg_packet *pkt,
				  __u16 zone)
{
	struct tg_packet back = reversed(pkt);
	struct tg_flow_id there = tg_flow_identify(hash, pkt), here = tg_flow_identify(hash, &back);
	struct tg_flow_key key, same;
	int order = compare_endpoints(pkt);

	if (!order)
		return; /* a packet to itself: dropped as LAND */
	assert_true(there.tag == here.tag);
	assert_int_equal(there.side, order < 0 ? TG_SIDE_LO : TG_SIDE_HI);
	assert_int_equal(here.side, order < 0 ? TG_SIDE_HI : TG_SIDE_LO);
	assert_int_equal(there.side, tg_packet_side(pkt));

	tg_key_from_packet(pkt, there.side, zone, &key);
	tg_key_from_packet(&back, here.side, zone, &same);
	assert_memory_equal(&key, &same, sizeof(key));
	assert_memory_equal(key.lo_addr, order < 0 ? pkt->saddr : pkt->daddr, 16);
	assert_memory_equal(key.hi_addr, order < 0 ? pkt->daddr : pkt->saddr, 16);
	assert_int_equal(key.lo_port, order < 0 ? pkt->sport : pkt->dport);
	assert_int_equal(key.hi_port, order < 0 ? pkt->dport : pkt->sport);
	assert_int_equal(key.zone, zone);
	assert_int_equal(key.reserved, 0);
	assert_true(tg_key_is_of_packet(&key, pkt, there.side, zone));
	assert_true(tg_key_is_of_packet(&key, &back, here.side, zone));
	assert_true(tg_tag_of_key(hash, &key) == there.tag);
}

static void both_directions_give_one_key_and_one_tag(void **state)
{
	struct tg_hash_key hash;
	struct tg_packet pkt;
	uint64_t seed = 3;
	int i;

	(void)state;
	for (i = 0; i < 500000; i++) {
		__u16 zone = i & 0x1ff ? 0 : (__u16)random_u32(&seed);

		if (!(i & 0x1ff) || i == 1)
			random_hash_key((uint64_t)i, zone, &hash);
		random_packet(&seed, i & 1, &pkt);
		if (zone || (i & 0x1ff) == 1)
			random_hash_key((uint64_t)i, zone, &hash);
		check_both_directions(&hash, &pkt, zone);
	}
}

/* Each bit of the packet's tuple, the zone and the side matters to the comparison of keys. */
static void a_key_differs_in_every_bit(void **state)
{
	struct tg_packet pkt;
	struct tg_flow_key key;
	uint64_t seed = 5;
	enum tg_side side;
	unsigned int bit;

	(void)state;
	random_packet(&seed, false, &pkt);
	side = tg_packet_side(&pkt);
	tg_key_from_packet(&pkt, side, 77, &key);
	assert_true(tg_key_is_of_packet(&key, &pkt, side, 77));
	assert_false(tg_key_is_of_packet(&key, &pkt, side, 76));
	assert_false(tg_key_is_of_packet(&key, &pkt, !side, 77));
	for (bit = 0; bit < 8 * offsetof(struct tg_flow_key, zone); bit++) {
		struct tg_flow_key other = key;

		((uint8_t *)&other)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (tg_key_is_of_packet(&other, &pkt, side, 77))
			fail_msg("bit %u of the key is not compared", bit);
	}
}

static void the_ipv4_tag_is_that_of_the_mapped_address(void **state)
{
	uint64_t seed = 9;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		struct tg_packet pkt, mapped;
		struct tg_hash_key hash;

		random_hash_key((uint64_t)i, (__u16)i, &hash);
		random_packet(&seed, true, &pkt);
		mapped = pkt;
		mapped.ipv4 = false;
		if (!compare_endpoints(&pkt))
			continue;
		assert_true(tg_flow_identify(&hash, &pkt).tag == tg_flow_identify(&hash, &mapped).tag);
		assert_int_equal(tg_flow_identify(&hash, &pkt).side,
				 tg_flow_identify(&hash, &mapped).side);
	}
}

static void zones_are_apart(void **state)
{
	struct tg_hash_key hash[2];
	struct tg_packet pkt;
	uint64_t seed = 11;
	__u32 same = 0;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		__u16 zone = (__u16)random_u32(&seed);

		random_hash_key((uint64_t)i, zone, &hash[0]);
		random_hash_key((uint64_t)i, (__u16)(zone + 1 + random_below(&seed, 65535)), &hash[1]);
		random_packet(&seed, i & 1, &pkt);
		same += tg_flow_identify(&hash[0], &pkt).tag == tg_flow_identify(&hash[1], &pkt).tag;
	}
	assert_int_equal(same, 0);
}

/*
 * Over random coefficients each bit of the tuple turns each bit of the tag half of the time.  What
 * strong universality promises, and what a wrong shift or a word left out would break.
 */
static void every_bit_of_the_tuple_turns_half_of_the_tag(void **state)
{
	enum {
		ROUNDS = 4000,
		BITS = 8 * offsetof(struct tg_flow_key, zone)
	};
	static __u32 turned[BITS][64];
	struct tg_flow_key key;
	uint64_t seed = 13;
	unsigned int round, bit, out;
	double worst = 0;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		struct tg_hash_key hash;
		__u64 tag;
		size_t i;

		random_hash_key(round, 0, &hash);
		for (i = 0; i < sizeof(key); i++)
			((uint8_t *)&key)[i] = (uint8_t)random_u32(&seed);
		tag = tg_tag_of_key(&hash, &key);
		for (bit = 0; bit < BITS; bit++) {
			struct tg_flow_key other = key;
			__u64 difference;

			((uint8_t *)&other)[bit / 8] ^= (uint8_t)(1 << bit % 8);
			difference = tag ^ tg_tag_of_key(&hash, &other);
			for (out = 0; out < 64; out++)
				turned[bit][out] += difference >> out & 1;
		}
	}
	for (bit = 0; bit < BITS; bit++)
		for (out = 0; out < 64; out++)
			worst = fmax(worst, fabs(turned[bit][out] / (double)ROUNDS - 0.5));
	print_message("# avalanche: %d key bits x 64 tag bits, worst bias %.3f\n", (int)BITS, worst);
	/* 20,480 trials of a fair coin, 4,000 throws each: five sigma are 0.040. */
	assert_true(worst < 0.045);
}

#define KEYS (1 << 20)

static int compare_tags(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static __u64 *make_tags(const struct tuple_family *family, const struct tg_hash_key *hash)
{
	__u64 *tags = malloc(KEYS * sizeof(*tags));
	struct tg_packet pkt;
	__u32 i;

	assert_non_null(tags);
	for (i = 0; i < KEYS; i++) {
		family->make(i, &pkt);
		tags[i] = tg_flow_identify(hash, &pkt).tag;
	}
	return tags;
}

static void structured_keys_never_share_a_tag(void **state)
{
	size_t f;

	(void)state;
	for (f = 0; f < TUPLE_FAMILIES; f++) {
		struct tg_hash_key hash;
		__u64 *tags;
		__u32 i;

		random_hash_key(f + 100, 0, &hash);
		tags = make_tags(&tuple_families[f], &hash);
		qsort(tags, KEYS, sizeof(*tags), compare_tags);
		for (i = 1; i < KEYS; i++)
			if (tags[i] == tags[i - 1])
				fail_msg("%s: two keys have one tag", tuple_families[f].name);
		free(tags);
	}
}

/* Share of keys beyond the eighth in their bucket, at half load; chance gives 0.0085. */
static double overflow_share(const __u64 *tags, __u32 choice, __u32 buckets, __u16 *load)
{
	__u32 over = 0, i;

	memset(load, 0, buckets * sizeof(*load));
	for (i = 0; i < KEYS; i++)
		over += ++load[tg_bucket_of(tags[i], choice, buckets)] > TG_BUCKET_WAYS;
	return over / (double)KEYS;
}

/* Share of keys whose preferred way is another's in the same bucket; chance gives 0.2134. */
static double way_clash_share(const __u64 *tags, __u32 buckets, __u16 *load)
{
	__u32 clashes = 0, i;

	memset(load, 0, buckets * sizeof(*load));
	for (i = 0; i < KEYS; i++) {
		__u16 *ways = &load[tg_bucket_of(tags[i], 0, buckets)];
		__u16 way = (__u16)(1 << (tags[i] & (TG_BUCKET_WAYS - 1)));

		clashes += !!(*ways & way);
		*ways |= way;
	}
	return clashes / (double)KEYS;
}

#define HASHES 10
#define SHARE_MAX 0.0105
#define CLASH_MAX 0.2200

struct spread {
	double share[TG_BUCKET_CHOICES]; /* the worst of all hashes */
	double clash;
};

static struct spread measure_spread(const struct tuple_family *family, __u16 *load)
{
	static const __u32 sizes[] = { KEYS * TG_SLOTS_PER_FLOW / TG_BUCKET_WAYS, 262139 };
	struct spread worst = {};
	__u64 h;

	for (h = 0; h < HASHES; h++) {
		__u32 buckets = sizes[h % COUNT(sizes)], choice;
		struct tg_hash_key hash;
		__u64 *tags;

		random_hash_key(h, 0, &hash);
		tags = make_tags(family, &hash);
		for (choice = 0; choice < TG_BUCKET_CHOICES; choice++)
			worst.share[choice] = fmax(worst.share[choice],
						   overflow_share(tags, choice, buckets, load));
		worst.clash = fmax(worst.clash, way_clash_share(tags, buckets, load));
		free(tags);
	}
	return worst;
}

/*
 * A hash that is only pairwise independent may place keys that are counted up on few buckets, for
 * some of its coefficients: then the stated capacity does not hold on one machine in eight.
 */
static void structured_keys_spread_over_buckets(void **state)
{
	__u16 *load = malloc((KEYS / 4 + 1) * sizeof(*load));
	bool good = true;
	size_t f;

	(void)state;
	assert_non_null(load);
	for (f = 0; f < TUPLE_FAMILIES; f++) {
		struct spread worst = measure_spread(&tuple_families[f], load);

		print_message("# %-24s worst of %d hashes: beyond 8 in the first, second, third bucket "
			      "%.4f %.4f %.4f; way taken %.4f\n",
			      tuple_families[f].name, HASHES, worst.share[0], worst.share[1],
			      worst.share[2], worst.clash);
		good &= worst.share[0] < SHARE_MAX && worst.share[1] < SHARE_MAX &&
			worst.share[2] < SHARE_MAX && worst.clash < CLASH_MAX;
	}
	free(load);
	assert_true(good);
}

/* No bucket out of range whatever the size, and the choices are different buckets as a rule. */
static void buckets_are_in_range_for_every_size(void **state)
{
	static const __u32 sizes[] = { 1, 2, 3, 5, 7, 255, 256, 1000, 65537, 262144, 999983, 0x7fffffff };
	static const __u64 edges[] = {
		0,
		1,
		0xffffffff,
		0x100000000,
		0xffffffff00000000,
		0xffffffffffffffff,
	};
	uint64_t seed = 17;
	size_t i, e;
	__u32 choice;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		__u32 same = 0;

		for (choice = 0; choice < TG_BUCKET_CHOICES; choice++)
			for (e = 0; e < COUNT(edges); e++)
				assert_true(tg_bucket_of(edges[e], choice, sizes[i]) < sizes[i]);
		for (e = 0; e < 100000; e++) {
			__u64 tag = random_u64(&seed);
			__u32 home = tg_bucket_of(tag, 0, sizes[i]), second = tg_bucket_of(tag, 1, sizes[i]),
			      third = tg_bucket_of(tag, 2, sizes[i]);

			assert_true(home < sizes[i] && second < sizes[i] && third < sizes[i]);
			same += (home == second) + (home == third) + (second == third);
		}
		if (sizes[i] >= 1000)
			assert_true(same < 3 * 100000 / sizes[i] * 2 + 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_give_one_key_and_one_tag),
		cmocka_unit_test(a_key_differs_in_every_bit),
		cmocka_unit_test(the_ipv4_tag_is_that_of_the_mapped_address),
		cmocka_unit_test(zones_are_apart),
		cmocka_unit_test(every_bit_of_the_tuple_turns_half_of_the_tag),
		cmocka_unit_test(structured_keys_never_share_a_tag),
		cmocka_unit_test(structured_keys_spread_over_buckets),
		cmocka_unit_test(buckets_are_in_range_for_every_size),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
