/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures of every kind, good and bad: pcap in both byte orders, pcapng, gzip. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <pcap/pcap.h>
#include <zlib.h>

#include "daemon/capture.h"
#include "daemon/log.h"

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
	};

	return cmocka_run_group_tests_name("capture", tests, make_path, remove_path);
}
