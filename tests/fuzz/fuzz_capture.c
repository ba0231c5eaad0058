/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capture files of any bytes: pcap, pcapng and gzip, up to the frames that are handed to the data
 * path, and those through its parser, as replay does.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#include "bpf/parse_packet.h"
#include "daemon/capture.h"
#include "daemon/replay_frame.h"

#define PACKETS_MAX 256 /* a gzip file of a few bytes can hold millions */

/* The offsets a frame says of itself lie inside it. */
static void check_frame(const struct replay_frame *frame)
{
	FUZZ_CHECK(frame->size && frame->size <= REPLAY_FRAME_MAX);
	FUZZ_CHECK(frame->pieces >= 1);
	FUZZ_CHECK(!frame->ip_at || (frame->version == 4 || frame->version == 6));
	FUZZ_CHECK(frame->ip_at < frame->size);
	FUZZ_CHECK(!frame->tcp_at || (frame->tcp_at > frame->ip_at && frame->tcp_at + 20 <= frame->size));
}

static void parse_frame(const struct replay_frame *frame)
{
	const struct tg_program program = {};
	struct tg_packet pkt = { .segments = 1 };
	struct fuzz_input bytes = { frame->bytes, frame->size };
	size_t size = frame->size;
	uint8_t *exact = fuzz_take(&bytes, &size);

	fuzz_sink = tg_parse(exact, exact + size, &program, false, &pkt);
	fuzz_touch(&pkt, sizeof(pkt));
	free(exact);
}

static void read_packet(const struct capture_packet *packet)
{
	struct replay_frame frame;
	__be32 address[4] = {};
	uint32_t i;

	fuzz_touch(packet->data, packet->captured);
	FUZZ_CHECK(packet->captured <= packet->length);
	FUZZ_CHECK(packet->time.tv_nsec >= 0 && packet->time.tv_nsec < 1000000000);
	if (!replay_frame_build(&frame, packet)) {
		fuzz_touch(replay_frame_refusal(packet->link), 0);
		return;
	}
	check_frame(&frame);
	if (replay_frame_source(&frame, address))
		fuzz_touch(address, sizeof(address));
	if (frame.pieces == 1)
		parse_frame(&frame);
	for (i = 0; frame.pieces > 1 && i < frame.pieces && i < 8; i++) {
		replay_frame_piece(&frame, i);
		parse_frame(&frame);
	}
}

static void read_capture(const char *path)
{
	struct capture_packet packet;
	struct capture *capture;
	uint64_t number = 0;
	int got = 0;

	if (capture_open(&capture, path)) {
		FUZZ_CHECK(!capture);
		return;
	}
	FUZZ_CHECK(capture_link_name(capture_link(capture)));
	while (number < PACKETS_MAX && (got = capture_next(capture, &packet)) == 1) {
		FUZZ_CHECK(packet.number == ++number);
		read_packet(&packet);
	}
	FUZZ_CHECK(got == 1 || !got || got == -EIO);
	FUZZ_CHECK(capture_position(capture) <= capture_size(capture));
	fuzz_sink = capture_compressed(capture);
	capture_close(capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	char path[64];

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_capture(path);
	close(fd);
	return 0;
}
