/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "options.h"

#define UNIX_PREFIX "unix:"
#define SOCKET_FLAGS (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

static int parse_path(const char *path, struct listener_address *out)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&out->address;
	size_t length = strlen(path);

	/* A relative path would be one in the daemon's directory, which is /. */
	if (path[0] != '/' || length >= sizeof(address->sun_path))
		return -EINVAL;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, length);
	out->bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	return 0;
}

/* Numbers only: no name is looked up. */
static int parse_host(const char *host, uint16_t port, bool brackets, struct listener_address *out)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&out->address;
	struct sockaddr_in *four = (struct sockaddr_in *)&out->address;

	if (brackets) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		out->bytes = sizeof(*six);
		return inet_pton(AF_INET6, host, &six->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	out->bytes = sizeof(*four);
	return inet_pton(AF_INET, host, &four->sin_addr) == 1 ? 0 : -EINVAL;
}

int listener_parse(const char *text, struct listener_address *out)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	bool brackets = text[0] == '[';
	size_t length;
	uint32_t port;

	memset(out, 0, sizeof(*out));
	if (!strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)))
		return parse_path(text + strlen(UNIX_PREFIX), out);
	if (!colon || parse_u32(colon + 1, 1, UINT16_MAX, &port))
		return -EINVAL;
	length = (size_t)(colon - text);
	if (brackets) {
		if (length < 2 || colon[-1] != ']')
			return -EINVAL;
		text++;
		length -= 2;
	}
	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	return parse_host(host, (uint16_t)port, brackets, out);
}

/* Only a socket that nobody holds any more refuses; one that is busy does not. */
static bool is_stale(const struct listener_address *address)
{
	int fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)&address->address, address->bytes) &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static const char *path_of(const struct listener_address *address)
{
	return ((const struct sockaddr_un *)&address->address)->sun_path;
}

/* What stands in the way at the path, if it may go. */
static int make_room(const struct listener_address *address)
{
	const char *path = path_of(address);
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (!is_stale(address))
		return -EADDRINUSE;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

static int bind_to(struct listener *listener)
{
	const struct sockaddr *address = (const struct sockaddr *)&listener->address.address;
	bool local = address->sa_family == AF_UNIX;
	mode_t mask = 0;
	struct stat st;
	int err;

	if (local) {
		err = make_room(&listener->address);
		if (err)
			return err;
		mask = umask(0117); /* 0660 from its first moment */
	}
	err = bind(listener->fd, address, listener->address.bytes) ? -errno : 0;
	if (!local)
		return err;
	umask(mask);
	if (err || lstat(path_of(&listener->address), &st))
		return err ? err : -errno;
	listener->dev = st.st_dev;
	listener->ino = st.st_ino;
	return 0;
}

int listener_open(struct listener *listener, const struct listener_address *address)
{
	const int yes = 1;
	int err = 0;

	memset(listener, 0, sizeof(*listener));
	listener->address = *address;
	listener->fd = socket(address->address.ss_family, SOCKET_FLAGS, 0);
	if (listener->fd < 0)
		return -errno;
	/* Connections of the daemon before us may still be in TIME_WAIT. */
	if (address->address.ss_family != AF_UNIX &&
	    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)))
		err = -errno;
	if (!err)
		err = bind_to(listener);
	if (!err && listen(listener->fd, SOMAXCONN))
		err = -errno;
	if (err)
		listener_close(listener);
	return err;
}

void listener_close(struct listener *listener)
{
	struct stat st;

	if (listener->ino && !lstat(path_of(&listener->address), &st) &&
	    st.st_dev == listener->dev && st.st_ino == listener->ino)
		unlink(path_of(&listener->address));
	listener->ino = 0;
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}
