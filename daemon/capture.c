/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading captures: a FILE whose bytes are plain (capture_stream.c), given to one of two readers. */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "capture_ng.h"
#include "capture_stream.h"
#include "log.h"

struct capture {
	pcap_t *pcap; /* one of the two */
	struct capture_ng *ng;
	struct capture_stream stream;
	const char *path;
	uint64_t number;
};

static int refuse(struct capture *capture, const char *what, const char *why)
{
	log_err(0, "'%s' %s%s%s", capture->path, what, why ? ": " : "", why ? why : "");
	capture_close(capture);
	return -EINVAL;
}

static int open_reader(struct capture *capture)
{
	FILE *file = capture->stream.file;
	char error[PCAP_ERRBUF_SIZE] = "";
	const char *why = error;
	int first = getc(file);

	if (first == EOF)
		return refuse(capture, ferror(file) ? "cannot be read" : "is empty", NULL);
	ungetc(first, file);
	if (first == CAPTURE_NG_FIRST)
		capture->ng = capture_ng_open(file, &why);
	else
		capture->pcap = pcap_fopen_offline_with_tstamp_precision(
			file, PCAP_TSTAMP_PRECISION_NANO, error);
	return capture->ng || capture->pcap ? 0 : refuse(capture, "is no capture", why);
}

int capture_file(const char *path)
{
	return capture_stream_file(path);
}

int capture_open(struct capture **out, const char *path)
{
	int fd = capture_stream_file(path);

	*out = NULL;
	return fd < 0 ? fd : capture_open_file(out, path, fd);
}

int capture_open_file(struct capture **out, const char *path, int fd)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int err;

	*out = NULL;
	if (!capture) {
		close(fd);
		return log_err(-ENOMEM, "cannot read '%s'", path);
	}
	capture->path = path;
	err = capture_stream_open(path, fd, &capture->stream);
	if (err) {
		free(capture);
		return err;
	}
	err = open_reader(capture);
	if (!err)
		*out = capture;
	return err;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	capture_ng_close(capture->ng);
	if (capture->pcap)
		pcap_close(capture->pcap); /* closes the stream, too */
	else
		fclose(capture->stream.file);
	free(capture);
}

/* As the file has them: 32 bits of seconds, until 2106, and a fraction that need not be one. */
static void set_time(const struct timeval *stamp, struct timespec *time)
{
	long nanoseconds = stamp->tv_usec; /* so it was opened */

	time->tv_sec = (uint32_t)stamp->tv_sec; /* libpcap's are signed */
	time->tv_nsec = nanoseconds >= 0 && nanoseconds < 1000000000 ? nanoseconds : 0;
}

static int next_of_pcap(struct capture *capture, struct capture_packet *packet, const char **why)
{
	struct pcap_pkthdr *header;
	int got = pcap_next_ex(capture->pcap, &header, &packet->data);

	if (got != 1) {
		*why = pcap_geterr(capture->pcap);
		return got == PCAP_ERROR_BREAK ? 0 : -1;
	}
	set_time(&header->ts, &packet->time);
	packet->link = pcap_datalink(capture->pcap);
	packet->captured = header->caplen;
	packet->length = header->len;
	return 1;
}

int capture_next(struct capture *capture, struct capture_packet *packet)
{
	const char *why = NULL;
	int got = capture->ng ? capture_ng_next(capture->ng, packet, &why) :
				next_of_pcap(capture, packet, &why);

	if (got < 0) {
		log_err(0, "'%s' is cut off or damaged after packet %llu: %s", capture->path,
			(unsigned long long)capture->number, why);
		return -EIO;
	}
	if (!got)
		return 0;
	packet->number = ++capture->number;
	if (packet->length < packet->captured)
		packet->length = packet->captured;
	return 1;
}

const char *capture_path(const struct capture *capture)
{
	return capture->path;
}

int capture_link(const struct capture *capture)
{
	return capture->ng ? capture_ng_link(capture->ng) : pcap_datalink(capture->pcap);
}

const char *capture_link_name(int link)
{
	const char *name = pcap_datalink_val_to_description(link);

	return name ? name : "unknown";
}

uint64_t capture_size(const struct capture *capture)
{
	return capture->stream.size;
}

uint64_t capture_position(const struct capture *capture)
{
	off_t position = capture->stream.fd < 0 ? 0 : lseek(capture->stream.fd, 0, SEEK_CUR);

	return position < 0 ? 0 : (uint64_t)position;
}

bool capture_compressed(const struct capture *capture)
{
	return capture->stream.compressed;
}
