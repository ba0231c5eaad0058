/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What capture_ng_write.c writes, capture_ng.c reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "daemon/capture_ng.h"
#include "daemon/capture_ng_write.h"

#define MOMENT_NS (1700000000ULL * 1000000000 + 123456789)

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7 };

static void put(struct capture_ng_writer *writer, uint32_t interface, int link, uint32_t captured)
{
	const struct capture_ng_packet packet = {
		.interface = interface,
		.name = interface ? "a-rather-long-0" : "e",
		.link = link,
		.time_ns = MOMENT_NS + captured,
		.bytes = bytes,
		.captured = captured,
		.length = 1000,
		.comment = "drop no_flow",
	};

	assert_int_equal(capture_ng_put(writer, &packet), 0);
}

static void packets_of_two_interfaces_come_back(void **state)
{
	static const int links[] = { DLT_EN10MB, DLT_RAW, DLT_EN10MB };
	char path[] = "/tmp/test_capture_ng.XXXXXX";
	struct capture_ng_writer *writer;
	struct capture_packet packet;
	struct capture_ng *ng;
	const char *why;
	FILE *file;
	uint32_t i;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(capture_ng_create(&writer, path, 1536), 0);
	for (i = 0; i < 3; i++)
		put(writer, i == 1 ? 31 : 0, links[i], 5 + i);
	assert_int_equal(capture_ng_finish(writer), 0);
	file = fopen(path, "r");
	assert_non_null(file);
	ng = capture_ng_open(file, &why);
	assert_non_null(ng);
	for (i = 0; i < 3; i++) {
		assert_int_equal(capture_ng_next(ng, &packet, &why), 1);
		assert_int_equal(packet.link, links[i]);
		assert_int_equal(packet.captured, 5 + i);
		assert_int_equal(packet.length, 1000);
		assert_int_equal(packet.time.tv_sec, 1700000000);
		assert_int_equal(packet.time.tv_nsec, 123456789 + 5 + i);
		assert_memory_equal(packet.data, bytes, packet.captured);
	}
	assert_int_equal(capture_ng_next(ng, &packet, &why), 0);
	capture_ng_close(ng);
	fclose(file);
	unlink(path);
}

static void a_full_disk_is_said_at_the_end(void **state)
{
	struct capture_ng_writer *writer;

	(void)state;
	assert_int_equal(capture_ng_create(&writer, "/dev/full", 1536), 0);
	put(writer, 0, DLT_EN10MB, 7);
	assert_true(capture_ng_flush(writer) < 0);
	assert_true(capture_ng_finish(writer) < 0);
}

/* A file of one packet, whose interface says how time is counted. */
static void put_block(FILE *file, uint32_t type, const void *body, uint32_t size)
{
	const uint32_t length = size + 12;

	fwrite(&type, 1, 4, file);
	fwrite(&length, 1, 4, file);
	fwrite(body, 1, size, file);
	fwrite(&length, 1, 4, file);
}

static void times_beyond_all_time_are_taken(void **state)
{
	static const struct {
		int64_t offset;
		uint8_t unit;
	} rows[] = { { INT64_MAX, 6 }, { INT64_MIN, 0 }, { INT64_MAX, 0 }, { INT64_MIN, 0xff }, { -1, 0x7f } };
	const uint32_t section[] = { 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX };
	const uint32_t packet_block[] = { 0, UINT32_MAX, UINT32_MAX, 4, 4, 0 };
	struct capture_packet packet;
	struct capture_ng *ng;
	const char *why;
	FILE *file;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t interface[] = { 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0,
					14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

		interface[12] = rows[i].unit;
		memcpy(interface + 20, &rows[i].offset, sizeof(rows[i].offset));
		file = tmpfile();
		put_block(file, 0x0a0d0d0a, section, sizeof(section));
		put_block(file, 1, interface, sizeof(interface));
		put_block(file, 6, packet_block, sizeof(packet_block));
		rewind(file);
		ng = capture_ng_open(file, &why);
		assert_non_null(ng);
		assert_int_equal(capture_ng_next(ng, &packet, &why), 1);
		assert_in_range(packet.time.tv_sec, 0, 1ULL << 40);
		assert_in_range(packet.time.tv_nsec, 0, 999999999);
		capture_ng_close(ng);
		fclose(file);
	}
}

static void no_file_no_writer(void **state)
{
	struct capture_ng_writer *writer;

	(void)state;
	assert_true(capture_ng_create(&writer, "/nonexistent/file", 1536) < 0);
	assert_null(writer);
	assert_int_equal(capture_ng_finish(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_two_interfaces_come_back),
		cmocka_unit_test(a_full_disk_is_said_at_the_end),
		cmocka_unit_test(times_beyond_all_time_are_taken),
		cmocka_unit_test(no_file_no_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
