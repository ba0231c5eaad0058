/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an error that has been reported to the exit code scripts see. */
#include "command.h"

#include <errno.h>

int command_exit_code(int err)
{
	switch (err < 0 ? -err : err) {
	case 0:
		return EXIT_OK;
	case EINVAL:
	case ERANGE:
		return EXIT_USAGE;
	case ENOENT:
	case ENODEV:
		return EXIT_NOT_ATTACHED;
	case EPERM:
	case EACCES:
		return EXIT_PERMISSION;
	case EOPNOTSUPP:
	case ENOSYS:
	case ENOMEM: /* and not enough descriptors: nothing is wrong with tcpguard or with the command */
	case EMFILE:
	case ENFILE:
		return EXIT_CANNOT;
	case EBADMSG:
		return EXIT_CONFIG;
	case EBUSY:
	case EEXIST:
	case EADDRINUSE:
	case EUSERS:
		return EXIT_BUSY;
	case EINTR:
		return EXIT_INTERRUPTED;
	default:
		return EXIT_INTERNAL;
	}
}
