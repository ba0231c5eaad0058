/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "options.h"

#define ADDRESS_VARIABLE "NOTIFY_SOCKET"
#define STATE_BYTES 512

/* "/run/..." or "@name", the abstract kind. */
static int read_address(const char *text, struct sockaddr_un *address, socklen_t *bytes)
{
	size_t length = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || length >= sizeof(address->sun_path))
		return -EINVAL;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, text, length);
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	*bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

static int send_state(const char *where, const char *state)
{
	struct sockaddr_un address;
	socklen_t bytes;
	int fd, err;

	err = read_address(where, &address, &bytes);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, bytes) < 0)
		err = -errno;
	close(fd);
	return err;
}

void service_notify(const char *format, ...)
{
	static bool said;
	const char *where = getenv(ADDRESS_VARIABLE);
	char state[STATE_BYTES];
	va_list arguments;
	int err;

	if (!where)
		return;
	va_start(arguments, format);
	vsnprintf(state, sizeof(state), format, arguments);
	va_end(arguments);
	err = send_state(where, state);
	if (err && !said)
		log_err(err, "cannot tell the service manager at %s", where);
	said = said || err;
}

uint32_t service_watchdog_ms(void)
{
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint32_t us = UINT32_MAX, whose; /* over an hour is as good as an hour */

	/* Meant for another process, which passed its environment on. */
	if (pid && (parse_u32(pid, 1, UINT32_MAX, &whose) || whose != (uint32_t)getpid()))
		return 0;
	if (!interval || parse_u32(interval, 1, UINT32_MAX, &us) == -EINVAL || !strcmp(interval, "0"))
		return 0;
	return us < 1000 ? 1 : us / 1000;
}

void service_forget(void)
{
	unsetenv(ADDRESS_VARIABLE);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}
