/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Unix socket events are read from: where it is, who may make it, who may read. */
#ifndef TCPGUARD_EVENT_SOCKET_H
#define TCPGUARD_EVENT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define EVENT_SOCKET_DIR "/run/tcpguard"
#define EVENT_SOCKET_NAME "events.sock"
#define EVENT_SOCKET_GROUP "tcpguard" /* its members may read, if there is such a group */
#define EVENT_SOCKET_BYTES 108 /* of a path, as the kernel has it */

/* The path of the socket: what is given, or events.sock in it if that is a directory.  -EINVAL, said. */
int event_socket_path(const char *given, char path[EVENT_SOCKET_BYTES]);

/*
 * A listening descriptor, or -errno (said).  Makes the directory (0750); takes the place of a
 * socket nobody listens on; -EADDRINUSE if somebody does, -EEXIST if something else is there.
 */
int event_socket_listen(const char *path);

/* Closes it and removes the path. */
void event_socket_close(int fd, const char *path);

/* True if the peer is root, of our own user, or in the group; who is its user. */
bool event_socket_may_read(int fd, uid_t *who);

/* A connected descriptor, or -errno (said): -ENOENT when no daemon listens. */
int event_socket_connect(const char *path);

#endif
