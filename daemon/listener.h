/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket that listens where the operator said: on an address and port, or at a path. */
#ifndef TCPGUARD_LISTENER_H
#define TCPGUARD_LISTENER_H

#include <sys/socket.h>
#include <sys/types.h>

struct listener_address {
	struct sockaddr_storage address;
	socklen_t bytes;
};

struct listener {
	int fd; /* -1: none */
	struct listener_address address;
	dev_t dev; /* of the file of a Unix socket, to remove no other */
	ino_t ino;
};

/* "127.0.0.1:9844", "[::1]:9844" or "unix:/run/..."; 0 or -EINVAL in silence. */
int listener_parse(const char *text, struct listener_address *out);

/*
 * Listens, without blocking.  A Unix socket is made with mode 0660; one left behind by a process
 * that died is replaced.  -EADDRINUSE when somebody listens there, -EEXIST when the path is no
 * socket; in silence.
 */
int listener_open(struct listener *listener, const struct listener_address *address);

/* Removes the file of a Unix socket if it is ours still; the descriptor is closed unless it is -1. */
void listener_close(struct listener *listener);

#endif
