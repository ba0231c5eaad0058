/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both programs at once: one thread on each of two CPUs, the client's segments through XDP on one, the
 * server's through TC on the other, on the same flow and in the same bucket.  However they meet, the
 * facts at the end are exactly what was sent, no segment is refused, no flow doubled or lost.
 *
 * RACE_PACKETS: how many in each test (two million; `make check-races`: a hundred).
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bpf/harness.h"

#include "bpf/flow_table.h"
#include "daemon/ager.h"

#define WINDOW 65535
#define SCALE 7
#define SEGMENTS 24 /* of each side in one life of a flow */
#define BYTES 100
#define TIMES 8 /* each is run in a row: what is sent again meets the other side's */
#define SIDES 2
/* Of each side: SYN, ACK or SYN-ACK; segments; FIN; ACK of the other's. */
#define PACKETS_A_LIFE (SIDES * (SEGMENTS * TIMES + 2) + 4)

static uint64_t packets_wanted(void)
{
	const char *text = getenv("RACE_PACKETS");

	if (text)
		return strtoull(text, NULL, 10);
	return getenv("TCPGUARD_GUARDS") ? 20000 : 2000000; /* an emulated machine is slow */
}

/* --- two threads in step --------------------------------------------------------------------------- */

static atomic_uint failures;
static atomic_uint arrived; /* grows: two arrivals are one meeting */

#define REFUSED(...) \
	do { \
		if (atomic_fetch_add(&failures, 1) < 10) \
			fprintf(stderr, "# " __VA_ARGS__); \
	} while (0)

/* Spins, so that both go on in the same moment; gives way where there is one CPU for both. */
static void meet(void)
{
	unsigned int mine = atomic_fetch_add(&arrived, 1), spins = 0;

	while (atomic_load(&arrived) < (mine | 1) + 1)
		if (++spins % 4096 == 0)
			sched_yield();
}

static int two_cpus(int cpus[SIDES])
{
	cpu_set_t allowed;
	int cpu, count = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return 0;
	for (cpu = 0; cpu < CPU_SETSIZE && count < SIDES; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			cpus[count++] = cpu;
	return count;
}

static void run_both(void *(*work)(void *), void *arguments[SIDES])
{
	pthread_t threads[SIDES];
	int cpus[SIDES], i;

	if (two_cpus(cpus) < SIDES) {
		print_message("one CPU only: nothing to race\n");
		skip();
	}
	failures = 0;
	arrived = 0;
	for (i = 0; i < SIDES; i++) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(cpus[i], &one);
		assert_int_equal(pthread_create(&threads[i], NULL, work, arguments[i]), 0);
		pthread_setaffinity_np(threads[i], sizeof(one), &one);
	}
	for (i = 0; i < SIDES; i++)
		pthread_join(threads[i], NULL);
}

static uint64_t count_all(struct guard *guard)
{
	uint64_t packets = 0;
	int verdict;

	for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++)
		packets += guard_count(guard, (enum tg_verdict)verdict);
	return packets;
}

static uint64_t count_drops(struct guard *guard)
{
	uint64_t packets = 0;
	int verdict;

	for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++)
		if (tg_verdict_drops((enum tg_verdict)verdict))
			packets += guard_count(guard, (enum tg_verdict)verdict);
	return packets;
}

/* --- one flow, both directions --------------------------------------------------------------------- */

struct life {
	struct guard *guard;
	enum speaker who;
	uint64_t lives;
};

static struct {
	struct endpoint client, server;
	uint32_t isn[SIDES];
	atomic_uint end[SIDES]; /* the highest number that has been judged: what the other may acknowledge */
} flow;

/* XDP_PASS, TC_ACT_UNSPEC. */
static bool passed(enum speaker who, uint32_t code)
{
	return who == CLIENT ? code == 2 : (int)code == -1;
}

static void say(const struct life *life, enum speaker who, uint8_t flags, uint32_t seq, uint32_t ack,
		uint32_t payload, uint32_t times)
{
	struct segment segment = {
		.from = who == CLIENT ? &flow.client : &flow.server,
		.to = who == CLIENT ? &flow.server : &flow.client,
		.flags = flags,
		.seq = seq,
		.ack = ack,
		.window = WINDOW,
		.payload = payload,
		.wscale = flags & SYN ? WS(SCALE) : 0,
	};
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &segment);
	uint32_t code, i;

	/* One by one: with more repetitions the kernel rewrites its XDP dispatcher for each call. */
	for (i = 0; i < times; i++) {
		code = guard_run(life->guard, frame, size, who == SERVER);
		if (passed(who, code))
			continue;
		REFUSED("%s flags %#x seq +%u ack +%u: %d\n", who == CLIENT ? "client" : "server", flags,
			seq - flow.isn[who], ack - flow.isn[!who], (int)code);
	}
}

/* How many live slots carry the tag, wherever they are. */
static unsigned int slots_of(const struct tg_table *table, __u64 tag)
{
	unsigned int found = 0;
	__u32 i, way;

	for (i = 0; i < table->buckets; i++)
		for (way = 0; way < TG_BUCKET_WAYS; way++)
			found += table->bucket[i].slot[way].tag == tag &&
				 table->bucket[i].slot[way].claim & TG_CLAIM_OWNED;
	return found;
}

static void check_half(struct guard *guard, enum speaker who, uint64_t number)
{
	const struct tg_half *half = guard_half(guard, who);
	const struct tg_half_count *count = guard_half_count(guard, who);
	uint32_t end = flow.isn[who] + 1 + SEGMENTS * BYTES + 1;
	uint32_t ack = flow.isn[!who] + 1 + SEGMENTS * BYTES + 1;
	uint32_t packets = 2 + SEGMENTS * TIMES + 1 + (who == CLIENT ? 1 : 0);

	if (who == CLIENT && number % 2 == 0)
		packets += 1; /* the SYN of the other CPU */
	if (half->end != end || half->ack != ack || half->right != ack + (WINDOW << SCALE) ||
	    half->maxwin != WINDOW << SCALE ||
	    (half->facts & (TG_FACT_SYN | TG_FACT_FIN | TG_FACT_RST | TG_FACT_HASACK)) !=
		    (TG_FACT_SYN | TG_FACT_FIN | TG_FACT_HASACK))
		REFUSED("life %llu, %s: end %+d ack %+d right %+d maxwin %u facts %#x\n",
			(unsigned long long)number, who == CLIENT ? "client" : "server",
			(int)(half->end - end), (int)(half->ack - ack),
			(int)(half->right - ack - (WINDOW << SCALE)), half->maxwin, half->facts);
	/* A SYN that came while the other CPU was filling the slot passes uncounted by the flow. */
	if (count->packets != packets && !(number % 2 == 0 && count->packets == packets - 1))
		REFUSED("life %llu, %s: %u packets, want %u\n", (unsigned long long)number,
			who == CLIENT ? "client" : "server", count->packets, packets);
}

static void check_life(struct guard *guard, uint64_t number)
{
	struct tg_slot *slot = guard_slot(guard);

	if (!slot) {
		REFUSED("life %llu: the flow is lost\n", (unsigned long long)number);
		return;
	}
	if (slots_of(guard_table(guard), slot->tag) != 1)
		REFUSED("life %llu: the flow is there twice\n", (unsigned long long)number);
	if (slot->claim & TG_CLAIM_SUSPECT || guard_phase(guard) != TG_PHASE_TIME_WAIT)
		REFUSED("life %llu: claim %#x, phase %d\n", (unsigned long long)number, slot->claim,
			guard_phase(guard));
	check_half(guard, CLIENT, number);
	check_half(guard, SERVER, number);
}

static void forget(struct guard *guard)
{
	struct tg_slot *slot = guard_slot(guard);
	const struct tg_table *table = guard_table(guard);
	__u32 number;

	if (!slot)
		return;
	number = (__u32)(slot - &table->bucket[0].slot[0]);
	if (!tg_slot_free(table, slot, number, slot->claim))
		REFUSED("the flow cannot be freed\n");
}

/*
 * Every second life begins with the flow absent and the same SYN on both CPUs; the others with a SYN
 * on TIME_WAIT.
 */
static void open_flow(const struct life *life, uint64_t number)
{
	if (life->who == CLIENT) {
		flow.isn[CLIENT] = (uint32_t)number * 0x01000193U; /* wraps now and then */
		flow.isn[SERVER] = 0U - flow.isn[CLIENT];
		if (number % 2 == 0)
			forget(life->guard);
		else /* newer than what ended */
			flow.isn[CLIENT] = flow.end[CLIENT] + 100000;
	}
	meet();
	if (number % 2 == 0 || life->who == CLIENT)
		say(life, CLIENT, SYN, flow.isn[CLIENT], 0, 0, 1);
	meet();
	if (life->who == SERVER)
		say(life, SERVER, SYN | ACK, flow.isn[SERVER], flow.isn[CLIENT] + 1, 0, 1);
	flow.end[life->who] = flow.isn[life->who] + 1;
	meet();
	if (life->who == CLIENT)
		say(life, CLIENT, ACK, flow.isn[CLIENT] + 1, flow.isn[SERVER] + 1, 0, 1);
	meet();
}

static void *live(void *argument)
{
	const struct life *life = argument;
	enum speaker who = life->who;
	uint64_t number;
	uint32_t i, seq;

	for (number = 0; number < life->lives; number++) {
		open_flow(life, number);
		seq = flow.isn[who] + 1;
		for (i = 0; i < SEGMENTS; i++) {
			say(life, who, PSH | ACK, seq, flow.end[!who], BYTES, TIMES);
			seq += BYTES;
			flow.end[who] = seq;
		}
		say(life, who, FIN | ACK, seq, flow.end[!who], 0, 1);
		flow.end[who] = seq + 1;
		meet();
		say(life, who, ACK, seq + 1, flow.end[!who], 0, 1);
		meet();
		if (who == CLIENT)
			check_life(life->guard, number);
	}
	return NULL;
}

static void loses_nothing_of_one_flow(void **state)
{
	struct life lives[SIDES] = {
		{ *state, CLIENT, packets_wanted() / PACKETS_A_LIFE + 1 },
		{ *state, SERVER, packets_wanted() / PACKETS_A_LIFE + 1 },
	};
	void *arguments[SIDES] = { &lives[0], &lives[1] };
	uint64_t packets;

	flow.client = guard_client;
	flow.server = guard_server;
	run_both(live, arguments);
	packets = lives[0].lives * (SIDES * (SEGMENTS * TIMES + 2) + 3) + (lives[0].lives + 1) / 2;
	assert_int_equal(failures, 0);
	assert_int_equal(count_drops(*state), 0);
	assert_int_equal(count_all(*state), packets);
	print_message("%llu packets, %llu lives\n", (unsigned long long)packets,
		      (unsigned long long)lives[0].lives);
}

/* --- one bucket, and the sweep --------------------------------------------------------------------- */

#define TIMEOUT_MS 200
#define PACKETS_PER_MS 200 /* the clock goes by work done, not by the machine's */
#define CONNECTION_PACKETS 4

struct opener {
	struct guard *guard;
	int number;
	uint64_t connections;
	uint32_t ports; /* as many as it uses in turn */
	bool clock; /* moves it */
};

static atomic_ullong packets_sent;
static atomic_int openers_at_work;

/* Never back: a thread that was stopped before the swap has lost its turn. */
static void advance_clock(struct guard *guard)
{
	__u64 *clock_ms = &guard_settings(guard)->clock_ms, seen = TG_READ_ONCE(*clock_ms);
	__u64 now_ms = 3600000 + atomic_fetch_add(&packets_sent, 1) / PACKETS_PER_MS;

	while (now_ms > seen && !__atomic_compare_exchange_n(clock_ms, &seen, now_ms, false,
							     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static bool say_new(const struct opener *opener, enum speaker who, uint32_t number, uint8_t flags, uint32_t seq,
		    uint32_t ack)
{
	struct endpoint client = guard_client, server = guard_server;
	struct segment segment = {
		.from = who == CLIENT ? &client : &server,
		.to = who == CLIENT ? &server : &client,
		.flags = flags,
		.seq = seq,
		.ack = ack,
		.wscale = flags & SYN ? WS(SCALE) : 0,
	};
	uint8_t frame[FRAME_MAX];
	uint32_t code;

	client.port = (uint16_t)(1024 + number % opener->ports);
	client.address[3] = (uint8_t)(10 + opener->number);
	code = guard_run(opener->guard, frame, frame_build(frame, &segment), who == SERVER);
	if (opener->clock)
		advance_clock(opener->guard);
	return passed(who, code);
}

/* Opened, used, aborted: the SYN of its next life finds it closed, or swept. */
static void *open_and_abort(void *argument)
{
	const struct opener *opener = argument;
	uint64_t i;

	meet();
	for (i = 0; i < opener->connections; i++) {
		uint32_t number = (uint32_t)i, seq = number * 1000, ack = ~seq;
		uint64_t begun_ms = guard_now_ms(opener->guard);
		bool passed = say_new(opener, CLIENT, number, SYN, seq, 0) &&
			      say_new(opener, SERVER, number, SYN | ACK, ack - 1, seq + 1) &&
			      say_new(opener, CLIENT, number, ACK, seq + 1, ack) &&
			      say_new(opener, CLIENT, number, RST, seq + 1, 0);

		/* Unless this thread stood still for as long as a flow may be silent. */
		if (!passed && guard_now_ms(opener->guard) - begun_ms < TIMEOUT_MS)
			REFUSED("opener %d, connection %llu: a segment was refused\n", opener->number,
				(unsigned long long)i);
	}
	openers_at_work--;
	return NULL;
}

static void open_both(struct guard *guard, uint32_t ports, bool clock)
{
	uint64_t connections = packets_wanted() / (SIDES * CONNECTION_PACKETS) + 1;
	struct opener openers[SIDES] = {
		{ guard, 0, connections, ports, clock },
		{ guard, 1, connections, ports, clock },
	};
	void *arguments[SIDES] = { &openers[0], &openers[1] };

	openers_at_work = SIDES;
	run_both(open_and_abort, arguments);
	assert_int_equal(failures, 0);
	assert_int_equal(guard_count(guard, TG_PASS_TABLE_FULL), 0);
}

static void check_words(const struct tg_table *table)
{
	uint64_t spilled = 0, away = 0;
	__u32 i, way;

	for (i = 0; i < table->buckets; i++) {
		spilled += table->word[i] & TG_BUCKET_SPILLED_MASK;
		for (way = 0; way < TG_BUCKET_WAYS; way++) {
			const struct tg_slot *slot = &table->bucket[i].slot[way];

			away += slot->claim & TG_CLAIM_OWNED && tg_bucket_of(slot->tag, 0, table->buckets) != i;
		}
	}
	assert_int_equal(spilled, away);
}

/* Six flows, three of each CPU, that come and go in the eight slots there are. */
static void loses_nothing_in_one_bucket(void **state)
{
	static const struct guard_options one_bucket = { .max_flows = 4 };
	struct guard *guard = guard_open(&one_bucket);

	(void)state;
	assert_int_equal(guard_table(guard)->buckets, 1);
	open_both(guard, 3, false);
	assert_int_equal(guard_flows(guard), 6);
	assert_int_equal(count_drops(guard), 0);
	assert_int_equal(count_all(guard), (packets_wanted() / (SIDES * CONNECTION_PACKETS) + 1) * SIDES *
						   CONNECTION_PACKETS);
	guard_close(guard);
}

static atomic_ullong sweeps;

static void *sweep(void *argument)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct guard *guard = argument;
	struct ager *ager = ager_new(guard_table(guard), 16384);

	while (ager && openers_at_work) {
		ager_sweep(ager, guard_settings(guard), guard_now_ms(guard));
		sweeps++;
		nanosleep(&pause, NULL);
	}
	ager_free(ager);
	return NULL;
}

static void survives_a_sweep_each_millisecond(void **state)
{
	static const struct guard_options options = { .max_flows = 16384 };
	struct guard *guard = guard_open(&options);
	struct tg_timeouts *timeouts = &guard_settings(guard)->config[0].timeouts;
	struct timespec begin, end;
	struct ager *ager;
	pthread_t sweeper;
	double seconds;
	int i;

	(void)state;
	for (i = 0; i < TG_PHASE_MAX; i++)
		timeouts->phase_ms[i] = TIMEOUT_MS;
	timeouts->unconfirmed_ms = timeouts->shortest_ms = TIMEOUT_MS;
	packets_sent = 0;
	openers_at_work = SIDES;
	assert_int_equal(pthread_create(&sweeper, NULL, sweep, guard), 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	open_both(guard, 60000, true);
	clock_gettime(CLOCK_MONOTONIC, &end);
	pthread_join(sweeper, NULL);
	seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	print_message("%.0f connections a second, %.0f sweeps a second\n",
		      (double)packets_sent / CONNECTION_PACKETS / seconds, (double)sweeps / seconds);
	assert_true(sweeps > 0);
	check_words(guard_table(guard));
	/* What is left goes when its time has come. */
	ager = ager_new(guard_table(guard), 16384);
	assert_non_null(ager);
	guard_advance_ms(guard, AGER_STUCK_MS);
	ager_sweep(ager, guard_settings(guard), guard_now_ms(guard));
	ager_free(ager);
	for (i = 0; i < (int)(guard_table(guard)->buckets * TG_BUCKET_WAYS); i++)
		assert_false(guard_table(guard)->bucket[i / TG_BUCKET_WAYS].slot[i % TG_BUCKET_WAYS].claim &
			     TG_CLAIM_OWNED);
	check_words(guard_table(guard));
	guard_close(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(loses_nothing_of_one_flow, guard_setup, guard_teardown),
		cmocka_unit_test(loses_nothing_in_one_bucket),
		cmocka_unit_test(survives_a_sweep_each_millisecond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
