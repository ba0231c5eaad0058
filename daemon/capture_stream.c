/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A regular file that is not compressed goes to libpcap as it is.  Everything else (gzip, pipes,
 * standard input) is read through zlib, which hands on plain bytes unchanged.
 */
#include "capture_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "log.h"

#define STREAM_BUFFER_BYTES (1U << 20)

static ssize_t read_unzipped(void *cookie, char *buffer, size_t size)
{
	int got = gzread(cookie, buffer, (unsigned int)(size < INT32_MAX ? size : INT32_MAX)), kind;

	if (got > 0)
		return got;
	gzerror(cookie, &kind);
	/* Z_BUF_ERROR: the compressed stream ends too early; what was read is good. */
	if (kind == Z_OK || kind == Z_STREAM_END || kind == Z_BUF_ERROR)
		return 0;
	if (kind != Z_ERRNO)
		errno = EIO; /* damaged */
	return -1;
}

static int close_unzipped(void *cookie)
{
	return gzclose_r(cookie) == Z_OK ? 0 : EOF;
}

static FILE *open_unzipped(int fd)
{
	static const cookie_io_functions_t functions = {
		.read = read_unzipped,
		.close = close_unzipped,
	};
	gzFile zipped = gzdopen(fd, "rb");
	FILE *file;

	if (!zipped) {
		close(fd);
		return NULL;
	}
	gzbuffer(zipped, STREAM_BUFFER_BYTES / 4);
	file = fopencookie(zipped, "rb", functions);
	if (!file)
		gzclose_r(zipped);
	return file;
}

/* A bad file is a bad argument; only a missing right is the reader's to solve elsewhere. */
static int refuse(int err, const char *path)
{
	log_err(err, "cannot read '%s'", path);
	return err == -EACCES || err == -EPERM ? -EACCES : -EINVAL;
}

int capture_stream_file(const char *path)
{
	bool standard_input = !strcmp(path, "-");
	int fd = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? refuse(-errno, path) : fd;
}

int capture_stream_open(const char *path, int fd, struct capture_stream *stream)
{
	unsigned char magic[2] = { 0 };
	struct stat status;

	memset(stream, 0, sizeof(*stream));
	if (fstat(fd, &status) || S_ISDIR(status.st_mode)) {
		close(fd);
		return refuse(-EISDIR, path);
	}
	stream->fd = -1;
	if (S_ISREG(status.st_mode)) {
		stream->size = (uint64_t)status.st_size;
		stream->fd = fd;
		stream->compressed = pread(fd, magic, 2, lseek(fd, 0, SEEK_CUR)) == 2 &&
				     magic[0] == 0x1f && magic[1] == 0x8b;
	}
	stream->file = stream->fd < 0 || stream->compressed ? open_unzipped(fd) : fdopen(fd, "rb");
	if (!stream->file)
		return refuse(-ENOMEM, path);
	setvbuf(stream->file, NULL, _IOFBF, STREAM_BUFFER_BYTES);
	return 0;
}
