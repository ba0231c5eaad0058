/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures of every kind, good and bad, and the frames made of their packets. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <pcap/pcap.h>
#include <zlib.h>

#include "bpf/packet.h"
#include "daemon/capture.h"
#include "daemon/log.h"
#include "daemon/replay_frame.h"

static char path[] = "/tmp/tcpguard-capture.XXXXXX";

struct bytes {
	uint8_t data[8192];
	size_t size;
	bool big; /* endian */
};

static void put(struct bytes *bytes, const void *data, size_t size)
{
	assert_true(bytes->size + size <= sizeof(bytes->data));
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void put32(struct bytes *bytes, uint32_t value)
{
	value = bytes->big ? htonl(value) : value;
	put(bytes, &value, sizeof(value));
}

static void put16(struct bytes *bytes, uint16_t value)
{
	value = bytes->big ? htons(value) : value;
	put(bytes, &value, sizeof(value));
}

static void save(const struct bytes *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes->data, bytes->size), bytes->size);
	close(fd);
}

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	log_set_level(LOG_LEVEL_QUIET);
	close(fd);
	return fd < 0;
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static void put_pcap_header(struct bytes *bytes, uint32_t magic, uint32_t link)
{
	put32(bytes, magic);
	put16(bytes, 2);
	put16(bytes, 4);
	put32(bytes, 0);
	put32(bytes, 0);
	put32(bytes, 65535);
	put32(bytes, link);
}

static void put_pcap_packet(struct bytes *bytes, uint32_t s, uint32_t fraction, uint32_t captured,
			    uint32_t length)
{
	static const uint8_t zeros[256];

	put32(bytes, s);
	put32(bytes, fraction);
	put32(bytes, captured);
	put32(bytes, length);
	put(bytes, zeros, captured);
}

/* One packet at 5.000007 s; closes the capture. */
static void check_one_packet(void)
{
	struct capture_packet packet;
	struct capture *capture;

	assert_int_equal(capture_open(&capture, path), 0);
	assert_int_equal(capture_next(capture, &packet), 1);
	assert_int_equal(packet.number, 1);
	assert_int_equal(packet.time.tv_sec, 5);
	assert_int_equal(packet.time.tv_nsec, 7000);
	assert_int_equal(packet.captured, 60);
	assert_int_equal(packet.length, 1500);
	assert_int_equal(capture_next(capture, &packet), 0);
	capture_close(capture);
}

static void test_pcap(void **state)
{
	static const struct {
		uint32_t magic, fraction;
		bool big;
	} kinds[] = {
		{ 0xa1b2c3d4, 7, false },
		{ 0xa1b2c3d4, 7, true },
		{ 0xa1b23c4d, 7000, false },
		{ 0xa1b23c4d, 7000, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(kinds); i++) {
		struct bytes bytes = { .big = kinds[i].big };

		put_pcap_header(&bytes, kinds[i].magic, 1);
		put_pcap_packet(&bytes, 5, kinds[i].fraction, 60, 1500);
		save(&bytes);
		check_one_packet();
	}
}

static void test_time_after_2038(void **state)
{
	struct bytes bytes = { .size = 0 };
	struct capture_packet packet;
	struct capture *capture;

	(void)state;
	put_pcap_header(&bytes, 0xa1b2c3d4, 1);
	put_pcap_packet(&bytes, 0x80000001, 0, 60, 60);
	save(&bytes);
	assert_int_equal(capture_open(&capture, path), 0);
	assert_int_equal(capture_next(capture, &packet), 1);
	assert_int_equal(packet.time.tv_sec, 0x80000001);
	capture_close(capture);
}

static void test_gzip(void **state)
{
	struct bytes bytes = { .size = 0 };
	gzFile file;

	(void)state;
	put_pcap_header(&bytes, 0xa1b2c3d4, 1);
	put_pcap_packet(&bytes, 5, 7, 60, 1500);
	file = gzopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(gzwrite(file, bytes.data, (unsigned int)bytes.size), bytes.size);
	assert_int_equal(gzclose(file), Z_OK);
	check_one_packet();
}

static void test_not_a_capture(void **state)
{
	struct bytes bytes = { .size = 0 };
	struct capture *capture;

	(void)state;
	save(&bytes);
	assert_true(capture_open(&capture, path) < 0); /* empty */
	put(&bytes, "GIF89a and so on, which is no capture", 37);
	save(&bytes);
	assert_true(capture_open(&capture, path) < 0);
	assert_null(capture);
	assert_true(capture_open(&capture, "/nonexistent/file") < 0);
	assert_true(capture_open(&capture, "/tmp") < 0);
}

static void test_cut_off(void **state)
{
	struct bytes bytes = { .size = 0 };
	struct capture_packet packet;
	struct capture *capture;

	(void)state;
	put_pcap_header(&bytes, 0xa1b2c3d4, 1);
	put_pcap_packet(&bytes, 5, 7, 60, 60);
	put_pcap_packet(&bytes, 6, 7, 60, 60);
	bytes.size -= 10;
	save(&bytes);
	assert_int_equal(capture_open(&capture, path), 0);
	assert_int_equal(capture_next(capture, &packet), 1);
	assert_true(capture_next(capture, &packet) < 0);
	capture_close(capture);
}

static void test_zero_packets(void **state)
{
	struct bytes bytes = { .size = 0 };
	struct capture_packet packet;
	struct capture *capture;

	(void)state;
	put_pcap_header(&bytes, 0xa1b2c3d4, 1);
	save(&bytes);
	assert_int_equal(capture_open(&capture, path), 0);
	assert_int_equal(capture_next(capture, &packet), 0);
	capture_close(capture);
}

/* --- pcapng --------------------------------------------------------------------------------------- */

static void put_section(struct bytes *bytes)
{
	put32(bytes, 0x0a0d0d0a);
	put32(bytes, 28);
	put32(bytes, 0x1a2b3c4d);
	put16(bytes, 1);
	put16(bytes, 0);
	put32(bytes, UINT32_MAX);
	put32(bytes, UINT32_MAX);
	put32(bytes, 28);
}

/* resolution 0: no option */
static void put_interface(struct bytes *bytes, uint16_t link, uint32_t snap, uint8_t resolution)
{
	const uint8_t option[4] = { resolution };
	uint32_t length = resolution ? 32 : 20;

	put32(bytes, 1);
	put32(bytes, length);
	put16(bytes, link);
	put16(bytes, 0);
	put32(bytes, snap);
	if (resolution) {
		put16(bytes, 9);
		put16(bytes, 1);
		put(bytes, option, sizeof(option));
		put32(bytes, 0);
	}
	put32(bytes, length);
}

static void put_ng_packet(struct bytes *bytes, uint32_t interface, uint64_t units, uint32_t captured)
{
	static const uint8_t zeros[256];

	put32(bytes, 6);
	put32(bytes, 32 + captured);
	put32(bytes, interface);
	put32(bytes, (uint32_t)(units >> 32));
	put32(bytes, (uint32_t)units);
	put32(bytes, captured);
	put32(bytes, 1500);
	put(bytes, zeros, captured);
	put32(bytes, 32 + captured);
}

static void test_pcapng_with_several_interfaces(void **state)
{
	struct capture_packet packet;
	struct capture *capture;
	int big;

	(void)state;
	for (big = 0; big < 2; big++) {
		struct bytes bytes = { .big = big };

		put_section(&bytes);
		put_interface(&bytes, 1, 65535, 0);
		put_interface(&bytes, 113, 96, 9); /* nanoseconds */
		put_interface(&bytes, 101, 0, 0x80 | 10); /* 1/1024 s */
		put_ng_packet(&bytes, 0, 5000007, 60);
		put_ng_packet(&bytes, 1, 6000000008ULL, 64);
		put_ng_packet(&bytes, 2, 7 * 1024 + 512, 40);
		save(&bytes);
		assert_int_equal(capture_open(&capture, path), 0);
		assert_int_equal(capture_link(capture), DLT_EN10MB);
		assert_int_equal(capture_next(capture, &packet), 1);
		assert_int_equal(packet.link, DLT_EN10MB);
		assert_int_equal(packet.time.tv_sec, 5);
		assert_int_equal(packet.time.tv_nsec, 7000);
		assert_int_equal(capture_next(capture, &packet), 1);
		assert_int_equal(packet.link, DLT_LINUX_SLL);
		assert_int_equal(packet.time.tv_nsec, 8);
		assert_int_equal(capture_next(capture, &packet), 1);
		assert_int_equal(packet.link, DLT_RAW);
		assert_int_equal(packet.time.tv_sec, 7);
		assert_int_equal(packet.time.tv_nsec, 500000000);
		assert_int_equal(packet.number, 3);
		assert_int_equal(packet.length, 1500);
		assert_int_equal(capture_next(capture, &packet), 0);
		capture_close(capture);
	}
}

/* Whatever is cut off or damaged: an end or an error, never a crash. */
static void test_pcapng_damaged(void **state)
{
	struct bytes whole = { .size = 0 };
	uint64_t random = 7;
	size_t i;

	(void)state;
	put_section(&whole);
	put_interface(&whole, 1, 65535, 9);
	put_ng_packet(&whole, 0, 1, 60);
	put_ng_packet(&whole, 0, 2, 61 + 3);
	for (i = 0; i < 4000; i++) {
		struct bytes bytes = whole;
		struct capture_packet packet;
		struct capture *capture;

		if (i < whole.size)
			bytes.size = i;
		else
			bytes.data[random_below(&random, (uint32_t)whole.size)] =
				(uint8_t)random_u32(&random);
		save(&bytes);
		if (capture_open(&capture, path))
			continue;
		while (capture_next(capture, &packet) == 1)
			assert_true(packet.captured <= packet.length);
		capture_close(capture);
	}
}

static void test_written_capture_reads_the_same(void **state)
{
	static const uint8_t data[60];
	const struct capture_packet packet = {
		.time = { 5, 7000 },
		.link = DLT_EN10MB,
		.data = data,
		.captured = 60,
		.length = 1500,
	};
	struct capture_writer *writer;

	(void)state;
	assert_int_equal(capture_create(&writer, path, DLT_EN10MB), 0);
	capture_write(writer, &packet);
	assert_int_equal(capture_finish(writer), 0);
	check_one_packet();
	assert_true(capture_create(&writer, "/nonexistent/file", DLT_EN10MB) < 0);
}

/* --- frames --------------------------------------------------------------------------------------- */

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
		cmocka_unit_test(test_pcap),
		cmocka_unit_test(test_time_after_2038),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_not_a_capture),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_zero_packets),
		cmocka_unit_test(test_pcapng_with_several_interfaces),
		cmocka_unit_test(test_pcapng_damaged),
		cmocka_unit_test(test_written_capture_reads_the_same),
		cmocka_unit_test(test_link_headers),
		cmocka_unit_test(test_arp_in_a_cooked_capture),
		cmocka_unit_test(test_too_short_for_its_link_header),
		cmocka_unit_test(test_options_cut_off),
		cmocka_unit_test(test_length_missing),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
