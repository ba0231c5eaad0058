// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SYN cookies at XDP: every byte of the answer, and what the ACK that brings the cookie back opens.  The
 * checksums are added up here byte by byte, as RFC 1071 says it, not as the data path does.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/bpf/harness.h"
#include "tests/bpf/listener.h"

#include "bpf/flow_table.h"

#define XDP_PASS_CODE 2
#define XDP_TX_CODE 3
#define ISN 0x11223344U
#define TSVAL 0x01020304U
#define MORE_FRAGMENTS 0x2000
#define FORGET_MS (25ULL * 3600 * 1000)

static struct guard *guard;
static struct tg_cookies *cookies;

/* --- a segment in bytes -------------------------------------------------------------------------- */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t add_up(const uint8_t *p, size_t size, uint32_t sum)
{
	for (; size >= 2; p += 2, size -= 2) {
		sum += get16(p);
		if (sum > 0xffff)
			sum -= 0xffff; /* the end-around carry at once */
	}
	return size ? add_up((const uint8_t[]){ *p, 0 }, 2, sum) : sum;
}

/* The answer's parts. */
struct reply {
	uint8_t frame[FRAME_MAX];
	size_t size, link, ip;
	const uint8_t *tcp;
	size_t tcp_size;
	uint32_t seq, tsval;
};

static size_t link_size(enum link_kind link)
{
	return link == LINK_NONE ? 0 : link == LINK_ETHERNET ? 14 :
			       link == LINK_VLAN             ? 18 :
							       22;
}

static void check_ipv4(const struct reply *reply, const struct segment *syn)
{
	const uint8_t *ip = reply->frame + reply->link;
	static const uint8_t fixed[] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6 };

	assert_int_equal(get16(ip + 2), 20 + reply->tcp_size);
	assert_memory_equal(ip, fixed, 2);
	assert_memory_equal(ip + 4, fixed + 4, 6);
	assert_int_equal(add_up(ip, 20, 0), 0xffff);
	assert_memory_equal(ip + 12, syn->to->address, 4);
	assert_memory_equal(ip + 16, syn->from->address, 4);
}

static void check_ipv6(const struct reply *reply, const struct segment *syn)
{
	const uint8_t *ip = reply->frame + reply->link;

	assert_int_equal(get32(ip), 0x60000000);
	assert_int_equal(get16(ip + 4), reply->tcp_size);
	assert_int_equal(ip[6], 6);
	assert_int_equal(ip[7], 64);
	assert_memory_equal(ip + 8, syn->to->address, 16);
	assert_memory_equal(ip + 24, syn->from->address, 16);
}

static void check_link(const struct reply *reply, const uint8_t *syn_frame)
{
	assert_memory_equal(reply->frame, syn_frame + 6, 6);
	assert_memory_equal(reply->frame + 6, syn_frame, 6);
	assert_memory_equal(reply->frame + 12, syn_frame + 12, reply->link - 12);
}

static void check_tcp(const struct reply *reply, const struct segment *syn)
{
	const uint8_t *ip = reply->frame + reply->link, *tcp = reply->tcp;
	size_t addresses = syn->ipv6 ? 32 : 8;
	uint32_t sum = 6 + (uint32_t)reply->tcp_size;

	sum = add_up(ip + (syn->ipv6 ? 8 : 12), addresses, sum);
	assert_int_equal(add_up(tcp, reply->tcp_size, sum), 0xffff);
	assert_int_equal(get16(tcp), syn->to->port);
	assert_int_equal(get16(tcp + 2), syn->from->port);
	assert_int_equal(get32(tcp + 8), ISN + 1);
	assert_int_equal(tcp[12], reply->tcp_size / 4 << 4);
	assert_int_equal(get16(tcp + 18), 0);
}

/* Sends the SYN, which is to be answered, and takes the answer apart. */
static void challenge(const struct segment *syn, struct reply *reply)
{
	uint64_t before = guard_count(guard, TG_CHALLENGE_SYN_COOKIE);
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, syn), length, i;

	reply->size = sizeof(reply->frame);
	assert_int_equal(guard_run_out(guard, frame, size, reply->frame, &reply->size), XDP_TX_CODE);
	assert_int_equal(guard_count(guard, TG_CHALLENGE_SYN_COOKIE), before + 1);
	assert_true(reply->size <= size);
	reply->link = link_size(syn->link);
	reply->ip = syn->ipv6 ? 40 : 20;
	reply->tcp = reply->frame + reply->link + reply->ip;
	reply->tcp_size = (size_t)(reply->tcp[12] >> 4) * 4;
	reply->seq = get32(reply->tcp + 4);
	length = reply->link + reply->ip + reply->tcp_size;
	assert_int_equal(reply->size, length < 60 && size > length ? (size < 60 ? size : 60) : length);
	for (i = length; i < reply->size; i++)
		assert_int_equal(reply->frame[i], 0);
	check_link(reply, frame);
	if (syn->ipv6)
		check_ipv6(reply, syn);
	else
		check_ipv4(reply, syn);
	check_tcp(reply, syn);
}

/* --- what is answered ---------------------------------------------------------------------------- */

#define V4 FROM_CLIENT
#define V6 FROM_CLIENT6
#define LINUX "\x02\x04\x05\xb4\x04\x02\x08\x0a\x01\x02\x03\x04\0\0\0\0\x01\x03\x03\x09"
#define LINUX6 "\x02\x04\x05\xa0\x04\x02\x08\x0a\x01\x02\x03\x04\0\0\0\0\x01\x03\x03\x09"
#define WINDOWS "\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02"
#define OPTIONS(text) .raw_options = (const uint8_t *)(text), .raw_options_size = sizeof(text) - 1
#define ANSWER(text) .answer = (const uint8_t *)(text), .answer_size = sizeof(text) - 1

/* TSval is shown as ffff ffff and not compared; the answer's TSecr is the client's TSval. */
#define A_TS "\x08\x0a\xff\xff\xff\xff\x01\x02\x03\x04"

static const struct sample {
	const char *name;
	struct segment syn;
	const uint8_t *answer;
	size_t answer_size;
	uint16_t window;
	bool timestamps;
	uint8_t client_scale, server_scale; /* that the flow has afterwards */
	bool ece;
} samples[] = {
	{ "Linux, IPv4", { V4, OPTIONS(LINUX) }, ANSWER("\x02\x04\x05\xb4\x04\x02" A_TS "\x01\x03\x03\x07"), 65160, true, 9, 7 },
	{ "Linux, IPv6", { V6, OPTIONS(LINUX6) }, ANSWER("\x02\x04\x05\xa0\x04\x02" A_TS "\x01\x03\x03\x07"), 64260, true, 9, 7 },
	{ "a VLAN", { V4, .link = LINK_VLAN, OPTIONS(LINUX) }, ANSWER("\x02\x04\x05\xb4\x04\x02" A_TS "\x01\x03\x03\x07"), 65160, true, 9, 7 },
	{ "no options", { V4 }, ANSWER(""), 64240, false, 255, 255 },
	{ "no options, padded", { V4, .padding = 6 }, ANSWER(""), 64240, false, 255, 255 },
	{ "no options, IPv6", { V6 }, ANSWER(""), 64800, false, 255, 255 },
	{ "Windows", { V4, OPTIONS(WINDOWS) }, ANSWER("\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x07"), 64240, false, 8, 7 },
	{ "scale 9 without timestamps", { V4, .wscale = WS(9) }, ANSWER("\x01\x03\x03\x07"), 64240, false, 8, 7 },
	{ "timestamps alone", { V4, .tsval = TSVAL }, ANSWER("\x01\x01" A_TS), 65160, true, 255, 255 },
	{ "MSS alone", { V4, OPTIONS("\x02\x04\x02\x18") }, ANSWER("\x02\x04\x05\xb4"), 64240, false, 255, 255 },
	{ "40 bytes, most unknown", { V4, OPTIONS("\x02\x04\x05\xb4\xfd\x20unknown unknown unknown 30by\x01\x01\x01\x01") }, ANSWER("\x02\x04\x05\xb4"), 64240, false, 255, 255 },
	{ "data in the SYN", { V4, .payload = 1000, .wscale = WS(3) }, ANSWER("\x02\x04\x05\xb4\x01\x03\x03\x07"), 64240, false, 0, 7 },
	{ "IPv4 options", { V4, .ip_options = (const uint8_t[]){ 1, 1, 1, 0 }, .ip_options_size = 4 }, ANSWER("\x02\x04\x05\xb4"), 64240, false, 255, 255 },
	{ "an IPv6 extension header",
	  { V6, .ip_options = (const uint8_t[]){ 6, 0, 1, 4, 0, 0, 0, 0 }, .ip_options_size = 8,
	    .extension = 60, OPTIONS(LINUX6) },
	  ANSWER("\x02\x04\x05\xa0\x04\x02" A_TS "\x01\x03\x03\x07"),
	  64260,
	  true,
	  9,
	  7 },
	{ "ECN", { V4, .flags = 0xc0, OPTIONS(LINUX) }, ANSWER("\x02\x04\x05\xb4\x04\x02" A_TS "\x01\x03\x03\x07"), 65160, true, 9, 7, true },
	{ "ECN without timestamps to keep it", { V4, .flags = 0xc0 }, ANSWER(""), 64240, false, 255, 255 },
};

static struct segment syn_of(const struct sample *sample)
{
	struct segment syn = sample->syn;

	syn.flags |= SYN;
	syn.seq = ISN;
	return syn;
}

static void is_answered(void **state)
{
	const struct sample *sample = *state;
	struct segment syn = syn_of(sample);
	struct reply reply;
	size_t i;

	challenge(&syn, &reply);
	assert_int_equal(guard_flows(guard), 0);
	assert_int_equal(reply.tcp[13], SYN | ACK | (sample->ece ? 0x40 : 0));
	assert_int_equal(get16(reply.tcp + 14), sample->window);
	assert_int_equal(reply.tcp_size, 20 + sample->answer_size);
	for (i = 0; i < sample->answer_size; i++)
		if (sample->answer[i] != 0xff)
			assert_int_equal(reply.tcp[20 + i], sample->answer[i]);
}

/* --- what comes back ----------------------------------------------------------------------------- */

static size_t timestamp_at(const struct reply *reply)
{
	size_t i;

	for (i = 20; i + 10 <= reply->tcp_size; i++)
		if (reply->tcp[i] == 8 && reply->tcp[i + 1] == 10)
			return i + 2;
	fail_msg("no timestamps in the answer");
	return 0;
}

/* The client's ACK; timestamps holds its options. */
static struct segment ack_of(const struct segment *syn, const struct reply *reply, bool with,
			     uint8_t timestamps[12])
{
	struct segment ack = { .from = syn->from,
			       .to = syn->to,
			       .ipv6 = syn->ipv6,
			       .link = syn->link,
			       .flags = ACK,
			       .seq = ISN + 1,
			       .ack = reply->seq + 1,
			       .window = 500 };

	if (with) {
		memcpy(timestamps, "\x01\x01\x08\x0a\x01\x02\x03\x05", 8);
		memcpy(timestamps + 8, reply->tcp + timestamp_at(reply), 4);
		ack.raw_options = timestamps;
		ack.raw_options_size = 12;
	}
	return ack;
}

static struct tg_slot *only_flow(struct tg_detail **detail)
{
	const struct tg_table *table = guard_table(guard);
	uint32_t i;

	for (i = 0; i < table->buckets * TG_BUCKET_WAYS; i++) {
		struct tg_slot *slot = &table->bucket[i / TG_BUCKET_WAYS].slot[i % TG_BUCKET_WAYS];

		*detail = &table->detail[i];
		if (tg_claim_live(slot->claim) &&
		    !tg_slot_expired(slot, table->timeouts, (__u32)guard_now_ms(guard)))
			return slot;
	}
	fail_msg("there is no flow");
	return NULL;
}

static void opens_a_flow(void **state)
{
	const struct sample *sample = *state;
	struct segment syn = syn_of(sample), ack, data;
	const struct tg_half *client, *server;
	struct tg_detail *detail;
	struct tg_slot *slot;
	uint8_t options[12];
	struct reply reply;
	int low;

	challenge(&syn, &reply);
	ack = ack_of(&syn, &reply, sample->timestamps, options);
	EXPECT(guard, &ack, false, TG_PASS_COOKIE);
	assert_int_equal(guard_flows(guard), 1);
	slot = only_flow(&detail);
	low = memcmp(syn.from->address, syn.to->address, 16) < 0 ? TG_SIDE_LO : TG_SIDE_HI;
	client = &slot->half[low];
	server = &slot->half[!low];
	assert_int_equal(tg_claim_origin(slot->claim), TG_ORIGIN_COOKIE);
	assert_int_equal(tg_endpoint_state(client, server), TG_TCP_ESTABLISHED);
	assert_int_equal(tg_endpoint_state(server, client), TG_TCP_ESTABLISHED);
	assert_int_equal(detail->isn[low], ISN);
	assert_int_equal(detail->isn[!low], reply.seq);
	assert_int_equal(tg_half_wscale(client), sample->client_scale);
	assert_int_equal(tg_half_wscale(server), sample->server_scale);
	assert_int_equal(client->maxwin, 500U << (sample->client_scale == 255 ? 0 : sample->client_scale));

	/* The server speaks: its first segment is of this connection, one beyond the window is not. */
	data = (struct segment){ .from = syn.to,
				 .to = syn.from,
				 .ipv6 = syn.ipv6,
				 .link = syn.link,
				 .flags = ACK,
				 .seq = reply.seq + 1,
				 .ack = ISN + 1,
				 .payload = 100 };
	EXPECT(guard, &data, true, TG_PASS_OK);
	ack.seq += 0x20000000;
	EXPECT(guard, &ack, false, TG_DROP_SEQ_ABOVE);
	ack.seq = ISN + 1;
	ack.ack += 100;
	EXPECT(guard, &ack, false, TG_PASS_OK);
}

static void data_may_come_first(void **state)
{
	struct segment syn = syn_of(&samples[0]), ack;
	struct tg_detail *detail;
	uint8_t options[12];
	struct reply reply;

	(void)state;
	challenge(&syn, &reply);
	ack = ack_of(&syn, &reply, true, options);
	ack.payload = 300;
	ack.flags |= PSH;
	EXPECT(guard, &ack, false, TG_PASS_COOKIE);
	assert_int_equal(only_flow(&detail)->half[TG_SIDE_LO].end, ISN + 301);
}

/* Whatever the client changes in what it was told, it gets no flow for it. */
static void every_bit_counts(void **state)
{
	const struct sample *sample = *state;
	struct segment syn = syn_of(sample), ack;
	uint64_t before = guard_tally(guard, TG_TALLY_COOKIE_INVALID);
	uint64_t expired = guard_tally(guard, TG_TALLY_COOKIE_EXPIRED);
	struct endpoint other = *syn.from;
	uint8_t options[12];
	struct reply reply;
	int bit, wrong = 0;

	challenge(&syn, &reply);
	for (bit = 0; bit < 32; bit++, wrong++) {
		ack = ack_of(&syn, &reply, sample->timestamps, options);
		ack.ack = (reply.seq ^ 1U << bit) + 1;
		EXPECT(guard, &ack, false, TG_DROP_COOKIE_INVALID);
	}
	for (bit = 0; bit < 10 && sample->timestamps; bit++, wrong++) {
		ack = ack_of(&syn, &reply, true, options);
		options[11 - bit / 8] ^= (uint8_t)(1 << bit % 8);
		EXPECT(guard, &ack, false, TG_DROP_COOKIE_INVALID);
	}
	/* Timestamps that were not agreed on, or none where they were. */
	ack = ack_of(&syn, &reply, false, options);
	ack.tsval = sample->timestamps ? 0 : TSVAL;
	EXPECT(guard, &ack, false, TG_DROP_COOKIE_INVALID);
	wrong++;
	ack = ack_of(&syn, &reply, sample->timestamps, options);
	ack.seq++;
	EXPECT(guard, &ack, false, TG_DROP_COOKIE_INVALID);
	ack.seq--;
	other.port++;
	ack.from = &other;
	EXPECT(guard, &ack, false, TG_DROP_COOKIE_INVALID);
	assert_int_equal(guard_tally(guard, TG_TALLY_COOKIE_INVALID), before + (uint64_t)wrong + 2);
	assert_int_equal(guard_tally(guard, TG_TALLY_COOKIE_EXPIRED), expired);
	assert_int_equal(guard_flows(guard), 0);
	ack.from = syn.from;
	EXPECT(guard, &ack, false, TG_PASS_COOKIE);
}

static void lives_two_periods(void **state)
{
	static const struct {
		uint64_t periods;
		enum tg_verdict want;
		int expired;
	} rows[] = {
		{ 0, TG_PASS_COOKIE, 0 },
		{ 1, TG_PASS_COOKIE, 0 },
		{ 2, TG_DROP_NO_FLOW, 1 },
		{ 4, TG_DROP_NO_FLOW, 0 },
	};
	struct segment syn = syn_of(&samples[0]), ack;
	uint8_t options[12];
	struct reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t before = guard_tally(guard, TG_TALLY_COOKIE_EXPIRED);

		guard_advance_ms(guard, FORGET_MS);
		challenge(&syn, &reply);
		guard_advance_ms(guard, rows[i].periods << TG_COOKIE_PERIOD_SHIFT);
		ack = ack_of(&syn, &reply, true, options);
		EXPECT(guard, &ack, false, rows[i].want);
		assert_int_equal(guard_tally(guard, TG_TALLY_COOKIE_EXPIRED) - before, rows[i].expired);
	}
}

/* The clock of the host that made it is a minute ahead of the one that checks it. */
static void another_host_ahead(void **state)
{
	struct segment syn = syn_of(&samples[0]), ack;
	uint8_t options[12];
	struct reply reply;

	(void)state;
	cookies->wall_offset_ms += 1U << TG_COOKIE_PERIOD_SHIFT;
	challenge(&syn, &reply);
	cookies->wall_offset_ms -= 1U << TG_COOKIE_PERIOD_SHIFT;
	ack = ack_of(&syn, &reply, true, options);
	EXPECT(guard, &ack, false, TG_PASS_COOKIE);
}

/* What daemon/cookie.c does. */
static void change_secret(uint64_t until_ms)
{
	__u32 fresh = cookies->newest ^ 1;

	cookies->secret[fresh].key[0] += 0x123456789abcdefULL;
	cookies->former_until_ms = until_ms;
	cookies->newest = fresh;
}

static void former_secret_is_good_for_a_while(void **state)
{
	struct segment syn = syn_of(&samples[0]), ack;
	uint64_t until_ms = guard_now_ms(guard) + 1000;
	uint8_t options[12];
	struct reply reply;

	(void)state;
	challenge(&syn, &reply);
	ack = ack_of(&syn, &reply, true, options);
	change_secret(until_ms);
	guard_advance_ms(guard, 1000);
	EXPECT(guard, &ack, false, TG_DROP_COOKIE_INVALID);
	guard_settings(guard)->clock_ms--;
	EXPECT(guard, &ack, false, TG_PASS_COOKIE);

	guard_advance_ms(guard, FORGET_MS);
	challenge(&syn, &reply);
	ack = ack_of(&syn, &reply, true, options);
	change_secret(guard_now_ms(guard) + 1000);
	change_secret(guard_now_ms(guard) + 1000);
	EXPECT(guard, &ack, false, TG_DROP_COOKIE_INVALID);
}

/* --- what is left to the stack ------------------------------------------------------------------- */

static void nobody_listens(void **state)
{
	static const struct endpoint silent = { { 10, 0, 0, 2 }, 81 };
	const struct segment syn = { .from = &guard_client, .to = &silent, .flags = SYN };
	uint64_t before = guard_tally(guard, TG_TALLY_COOKIE_NO_LISTENER);

	(void)state;
	EXPECT(guard, &syn, false, TG_PASS_NEW);
	assert_int_equal(guard_tally(guard, TG_TALLY_COOKIE_NO_LISTENER), before + 1);
}

/* Else a flood of them would cost a flow and a walk through the stack each. */
static void what_no_cookie_can_answer_is_deferred(void **state)
{
	static const struct segment syns[] = {
		{ V4, .flags = SYN, OPTIONS("\x13\x12"
					    "0123456789abcdef\x01\x01") },
		{ V4, .flags = SYN, .fragment = MORE_FRAGMENTS },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(syns) / sizeof(syns[0]); i++) {
		guard_advance_ms(guard, FORGET_MS);
		EXPECT(guard, &syns[i], false, TG_DROP_SYN_DEFERRED);
		guard_advance_ms(guard, 1000);
		EXPECT(guard, &syns[i], false, TG_PASS_NEW);
	}
}

/* What is done with those is not what is done with the destination. */
static void an_unanswerable_syn_ends_no_challenge(void **state)
{
	const struct segment fragment = { V4, .flags = SYN, .fragment = MORE_FRAGMENTS };
	struct segment syn = syn_of(&samples[0]), ack;
	struct reply reply;
	uint8_t options[12];

	(void)state;
	challenge(&syn, &reply);
	guard_advance_ms(guard, 1500);
	EXPECT(guard, &fragment, false, TG_DROP_SYN_DEFERRED);
	ack = ack_of(&syn, &reply, true, options);
	EXPECT(guard, &ack, false, TG_PASS_COOKIE);
}

static void frames_for_others_pass(void **state)
{
	const struct segment syn = { V4, .flags = SYN };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &syn);

	(void)state;
	frame[5] ^= 1;
	SAME(guard_judge(guard, frame, size, false).verdict, TG_PASS_NEW);
	guard_advance_ms(guard, FORGET_MS);
	frame[5] ^= 1;
	frame[6] |= 1; /* no machine can be answered there */
	SAME(guard_judge(guard, frame, size, false).verdict, TG_PASS_NEW);
}

/* The kernel cannot be handed an ACK under two tags; its own cookie is not to be had yet. */
static void two_tags_pass(void **state)
{
	const struct segment syn = { V4, .flags = SYN, .link = LINK_QINQ };

	(void)state;
	EXPECT(guard, &syn, false, TG_PASS_NEW);
}

static void monitor_mode_answers_nothing(void **state)
{
	const struct segment syn = { V4, .flags = SYN };
	struct tg_config *config = &guard_settings(guard)->config[0];

	(void)state;
	config->iface[0].mode = TG_MODE_MONITOR;
	EXPECT(guard, &syn, false, TG_PASS_NEW);
	config->iface[0].mode = TG_MODE_ENFORCE;
}

/* The same SYN again gives the same cookie, and a flow once open is not challenged. */
static void an_open_flow_is_left_alone(void **state)
{
	struct segment syn = syn_of(&samples[0]), ack;
	struct reply first, second;
	uint8_t options[12];

	(void)state;
	challenge(&syn, &first);
	challenge(&syn, &second);
	assert_int_equal(first.seq, second.seq);
	ack = ack_of(&syn, &first, true, options);
	EXPECT(guard, &ack, false, TG_PASS_COOKIE);
	EXPECT(guard, &ack, false, TG_PASS_OK);
	EXPECT(guard, &syn, false, TG_NOUPD_SYN_CHALLENGE);
}

/*
 * Where XDP_TX is lost the frame goes on to TC, turned around.  A SYN whose checksum is left to a device
 * (the pseudo header's sum alone) gets an answer of the same kind; a complete one a complete one.
 */
static void by_way_of_tc(void **state)
{
	const struct guard_options options = { .cookies = TG_COOKIE_OWN, .veth = true };
	const struct segment syn = { V4, .flags = SYN, .seq = ISN };
	uint8_t frame[FRAME_MAX], marked[FRAME_MAX], *out = marked + 4;
	struct guard *veth = guard_open(&options);
	uint32_t sum;
	int partial;

	(void)state;
	guard_settings(veth)->config[0].flood.start_pps = 1;
	guard_settings(veth)->config[0].flood.action = TG_FLOOD_CHALLENGE;
	for (partial = 0; partial < 2; partial++) {
		size_t size = frame_build(frame, &syn), out_size = sizeof(marked);
		uint32_t mark;

		sum = add_up(frame + 26, 8, 6 + 20);
		if (partial) {
			frame[50] = (uint8_t)(sum >> 8);
			frame[51] = (uint8_t)sum;
		}
		assert_int_equal(guard_run_out(veth, frame, size, marked, &out_size), XDP_PASS_CODE);
		assert_int_equal(out_size, 4 + size); /* a test run hands out the metadata, too */
		memcpy(&mark, marked, sizeof(mark));
		assert_int_equal(mark, 0x74674353);
		assert_memory_equal(out, frame + 6, 6);
		assert_int_equal(out[47], SYN | ACK);
		assert_int_equal(add_up(out + 14, 20, 0), 0xffff);
		if (partial)
			assert_int_equal(get16(out + 50), sum);
		else
			assert_int_equal(add_up(out + 34, 20, sum), 0xffff);
	}
	assert_int_equal(guard_count(veth, TG_CHALLENGE_SYN_COOKIE), 2);
	guard_close(veth);
}

static int open_guard(void **state)
{
	const struct guard_options options = { .cookies = TG_COOKIE_OWN };

	(void)state;
	listener_open();
	guard = guard_open(&options);
	cookies = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, guard_map_fd(guard, "tg_cookies"), 0);
	assert_ptr_not_equal(cookies, MAP_FAILED);
	cookies->secret[0] = (struct tg_cookie_secret){ { 1, 2 } };
	cookies->secret[1] = (struct tg_cookie_secret){ { 3, 4 } };
	guard_settings(guard)->config[0].flood.start_pps = 1;
	guard_settings(guard)->config[0].flood.action = TG_FLOOD_CHALLENGE;
	return 0;
}

static int close_guard(void **state)
{
	(void)state;
	munmap(cookies, 4096);
	guard_close(guard);
	listener_close();
	return 0;
}

/* Every test begins with an empty table, at the beginning of a period. */
static int begin(void **state)
{
	uint64_t period = 1ULL << TG_COOKIE_PERIOD_SHIFT;

	(void)state;
	guard_advance_ms(guard, FORGET_MS);
	guard_settings(guard)->clock_ms = (guard_now_ms(guard) + period) & ~(period - 1);
	return 0;
}

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))
#define TEST(function) \
	{ \
		.name = #function, .test_func = (function), .setup_func = begin \
	}

int main(void)
{
	static const struct CMUnitTest singles[] = {
		TEST(data_may_come_first),
		TEST(lives_two_periods),
		TEST(another_host_ahead),
		TEST(former_secret_is_good_for_a_while),
		TEST(nobody_listens),
		TEST(what_no_cookie_can_answer_is_deferred),
		TEST(an_unanswerable_syn_ends_no_challenge),
		TEST(frames_for_others_pass),
		TEST(two_tags_pass),
		TEST(monitor_mode_answers_nothing),
		TEST(an_open_flow_is_left_alone),
		TEST(by_way_of_tc),
	};
	static const struct {
		const char *name;
		CMUnitTestFunction function;
	} each[] = { { "answers", is_answered }, { "opens", opens_a_flow }, { "checks", every_bit_counts } };
	struct CMUnitTest tests[3 * SAMPLES + sizeof(singles) / sizeof(singles[0])];
	static char names[3 * SAMPLES][64];
	size_t i, k, count = 0;

	for (k = 0; k < 3; k++) {
		for (i = 0; i < SAMPLES; i++, count++) {
			snprintf(names[count], sizeof(names[0]), "%s: %s", each[k].name, samples[i].name);
			tests[count] = (struct CMUnitTest){ .name = names[count],
							    .test_func = each[k].function,
							    .setup_func = begin,
							    .initial_state = (void *)&samples[i] };
		}
	}
	memcpy(&tests[count], singles, sizeof(singles));
	return cmocka_run_group_tests_name("syn_cookie", tests, open_guard, close_guard);
}
