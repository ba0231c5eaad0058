/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing captures: pcap with nanoseconds, the packets as they were read. */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>

#include <pcap/pcap.h>

#include "log.h"
#include "private_file.h"

#define SNAP_BYTES 262144

struct capture_writer {
	pcap_t *shape; /* link type and precision */
	pcap_dumper_t *dumper;
	const char *path;
	int link;
};

static int open_dumper(struct capture_writer *writer, FILE *file)
{
	if (writer->shape)
		writer->dumper = pcap_dump_fopen(writer->shape, file);
	if (writer->dumper)
		return 0;
	fclose(file);
	if (!writer->shape)
		return log_err(-ENOMEM, "cannot write '%s'", writer->path);
	log_err(0, "cannot write: %s", pcap_geterr(writer->shape));
	return -EINVAL;
}

int capture_create(struct capture_writer **out, const char *path, int link)
{
	FILE *file = private_file_open(path);

	*out = NULL;
	return file ? capture_create_file(out, path, file, link) : -EINVAL;
}

int capture_create_file(struct capture_writer **out, const char *path, FILE *file, int link)
{
	struct capture_writer *writer = calloc(1, sizeof(*writer));
	int err;

	*out = NULL;
	if (!writer) {
		fclose(file);
		return log_err(-ENOMEM, "cannot write '%s'", path);
	}
	writer->path = path;
	writer->link = link;
	writer->shape = pcap_open_dead_with_tstamp_precision(link, SNAP_BYTES,
							     PCAP_TSTAMP_PRECISION_NANO);
	err = open_dumper(writer, file);
	if (err) {
		capture_finish(writer);
		return err;
	}
	*out = writer;
	return 0;
}

void capture_write(struct capture_writer *writer, const struct capture_packet *packet)
{
	const struct pcap_pkthdr header = {
		.ts = { .tv_sec = packet->time.tv_sec, .tv_usec = packet->time.tv_nsec },
		.caplen = packet->captured,
		.len = packet->length,
	};

	pcap_dump((unsigned char *)writer->dumper, &header, packet->data);
}

int capture_writer_link(const struct capture_writer *writer)
{
	return writer->link;
}

int capture_finish(struct capture_writer *writer)
{
	int err = 0;

	if (!writer)
		return 0;
	if (writer->dumper) {
		if (pcap_dump_flush(writer->dumper) || ferror(pcap_dump_file(writer->dumper)))
			err = log_err(errno ? -errno : -EIO, "cannot write '%s'", writer->path);
		pcap_dump_close(writer->dumper);
	}
	if (writer->shape)
		pcap_close(writer->shape);
	free(writer);
	return err;
}
