/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frames replay makes of a capture's packets: link headers, and what a snap length cut off. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>

#include <pcap/pcap.h>

#include "bpf/packet.h"
#include "daemon/capture.h"
#include "daemon/replay_frame.h"

/* IPv4 and TCP with a SYN's options as Linux writes them, 40 bytes of headers and 20 of options. */
static const uint8_t syn[60] = {
	0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, /* IPv4 */
	0x9c, 0x40, 0, 80, 0, 0, 0, 100, 0, 0, 0, 0, 0xa0, TG_SYN, 0xff, 0xff, 0, 0, 0, 0, /* TCP */
	2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7, /* MSS SACK TS NOP WS */
};

static bool build(struct replay_frame *frame, int link, const uint8_t *header, size_t header_size,
		  const uint8_t *ip, size_t captured, uint32_t length)
{
	uint8_t data[512];
	const struct capture_packet packet = {
		.link = link,
		.data = data,
		.captured = (uint32_t)(header_size + captured),
		.length = (uint32_t)header_size + length,
	};

	memcpy(data, header, header_size);
	memcpy(data + header_size, ip, captured);
	return replay_frame_build(frame, &packet);
}

static void test_link_headers(void **state)
{
	static const struct {
		int link;
		uint8_t header[20];
		size_t size;
	} links[] = {
		{ DLT_EN10MB, { [12] = 8, 0 }, 14 },
		{ DLT_LINUX_SLL, { [14] = 8, 0 }, 16 },
		{ DLT_LINUX_SLL2, { 8, 0 }, 20 },
		{ DLT_RAW, { 0 }, 0 },
		{ DLT_IPV4, { 0 }, 0 },
		{ DLT_NULL, { 2 }, 4 }, /* little endian */
		{ DLT_NULL, { 0, 0, 0, 2 }, 4 },
		{ DLT_LOOP, { 0, 0, 0, 2 }, 4 },
	};
	static struct replay_frame frame;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(links); i++) {
		assert_null(replay_frame_refusal(links[i].link));
		assert_true(build(&frame, links[i].link, links[i].header, links[i].size, syn,
				  sizeof(syn), sizeof(syn)));
		assert_int_equal(frame.version, 4);
		assert_int_equal(frame.ip_at, 14);
		assert_int_equal(frame.tcp_at, 34);
		assert_int_equal(frame.size, 74);
		assert_memory_equal(frame.bytes + 14, syn, sizeof(syn));
		assert_false(frame.headers_cut);
	}
	assert_non_null(replay_frame_refusal(DLT_IEEE802_11));
	assert_non_null(replay_frame_refusal(DLT_USB_LINUX));
}

static void test_arp_in_a_cooked_capture(void **state)
{
	static const uint8_t header[16] = { [14] = 8, 6 };
	static struct replay_frame frame;

	(void)state;
	assert_true(build(&frame, DLT_LINUX_SLL, header, 16, syn, 28, 28));
	assert_int_equal(frame.ip_at, 0);
	assert_int_equal(frame.bytes[13], 6);
}

static void test_too_short_for_its_link_header(void **state)
{
	static const uint8_t header[14];
	static struct replay_frame frame;

	(void)state;
	assert_false(build(&frame, DLT_EN10MB, header, 10, syn, 0, 0));
	assert_false(frame.headers_cut);
	assert_false(build(&frame, DLT_EN10MB, header, 10, syn, 0, 100));
	assert_true(frame.headers_cut);
	assert_false(build(&frame, DLT_RAW, header, 0, syn, 0, 0));
}

/* A snap length of 68: the SYN's options end in the time stamp; the scale was behind it. */
static void test_options_cut_off(void **state)
{
	static const uint8_t header[14] = { [12] = 8, 0 };
	static struct replay_frame frame;
	uint8_t ack[60];

	(void)state;
	assert_true(build(&frame, DLT_EN10MB, header, 14, syn, 54, 60));
	assert_true(frame.options_filled);
	assert_int_equal(frame.size, 74);
	assert_int_equal(frame.bytes[70], 3);
	assert_int_equal(frame.bytes[71], 3);
	assert_int_equal(frame.bytes[72], 14);

	memcpy(ack, syn, sizeof(ack));
	ack[33] = TG_ACK;
	assert_true(build(&frame, DLT_EN10MB, header, 14, ack, 54, 60));
	assert_true(frame.options_filled);
	assert_int_equal(frame.bytes[70], 0);

	/* All options there, only payload missing: nothing is filled in. */
	assert_true(build(&frame, DLT_EN10MB, header, 14, syn, 60, 600));
	assert_false(frame.options_filled);
	/* Not even the fixed header. */
	assert_true(build(&frame, DLT_EN10MB, header, 14, syn, 30, 60));
	assert_true(frame.headers_cut);
	assert_false(frame.options_filled);
}

static void test_length_missing(void **state)
{
	static const uint8_t header[14] = { [12] = 8, 0 };
	static struct replay_frame frame;
	uint8_t data[300] = { 0 };

	(void)state;
	memcpy(data, syn, sizeof(syn));
	data[2] = data[3] = 0;
	assert_true(build(&frame, DLT_EN10MB, header, 14, data, 300, 40060));
	assert_true(frame.length_filled);
	assert_int_equal(frame.bytes[16] << 8 | frame.bytes[17], 40060);
	/* The whole packet is there: the data path counts the bytes itself. */
	assert_true(build(&frame, DLT_EN10MB, header, 14, data, 60, 60));
	assert_false(frame.length_filled);
}

/* BIG TCP: 200 000 bytes of payload and a FIN, run as five pieces. */
static void test_pieces(void **state)
{
	static const uint8_t header[14] = { [12] = 8, 0 };
	static struct replay_frame frame;
	uint32_t i, payload = 0, expected = 100;
	uint8_t data[60];

	(void)state;
	memcpy(data, syn, sizeof(syn));
	data[2] = data[3] = 0;
	data[33] = TG_ACK | TG_FIN;
	assert_true(build(&frame, DLT_EN10MB, header, 14, data, 60, 60 + 200000));
	assert_int_equal(frame.pieces, 5);
	for (i = 0; i < frame.pieces; i++) {
		uint32_t seq, total;

		replay_frame_piece(&frame, i);
		memcpy(&seq, frame.bytes + 38, 4);
		assert_int_equal(ntohl(seq), expected);
		total = (uint32_t)frame.bytes[16] << 8 | frame.bytes[17];
		payload += total - 60;
		expected += total - 60;
		assert_int_equal(frame.bytes[47] & TG_FIN, i == 4 ? TG_FIN : 0);
	}
	assert_int_equal(payload, 200000);
}

/* Whatever the bytes: the frame is within its buffer and says so itself. */
static void test_any_bytes(void **state)
{
	static const int links[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW, DLT_NULL, 999 };
	static struct replay_frame frame;
	uint64_t random = 11;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		uint32_t size = random_below(&random, 120), at, piece;
		uint8_t *data = malloc(size + 1);
		const struct capture_packet packet = {
			.link = links[random_below(&random, COUNT(links))],
			.data = data,
			.captured = size,
			.length = size + (random_below(&random, 2) ? random_below(&random, 200000) : 0),
		};

		for (at = 0; at < size; at++)
			data[at] = (uint8_t)random_u32(&random);
		if (size >= 60 && random_below(&random, 2)) {
			memcpy(data + size - 60, syn, 60);
			data[size - 60 + random_below(&random, 60)] = (uint8_t)random_u32(&random);
		}
		if (size >= 14 && random_below(&random, 2)) {
			data[12] = random_below(&random, 2) ? 8 : 0x86;
			data[13] = data[12] == 8 ? 0 : 0xdd;
		}
		if (replay_frame_build(&frame, &packet)) {
			assert_in_range(frame.size, 15, REPLAY_FRAME_MAX);
			assert_true(frame.ip_at < frame.size && frame.tcp_at < frame.size);
			for (piece = 0; frame.pieces > 1 && piece < frame.pieces; piece++)
				replay_frame_piece(&frame, piece);
		}
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_headers),
		cmocka_unit_test(test_arp_in_a_cooked_capture),
		cmocka_unit_test(test_too_short_for_its_link_header),
		cmocka_unit_test(test_options_cut_off),
		cmocka_unit_test(test_length_missing),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests_name("replay frame", tests, NULL, NULL);
}
