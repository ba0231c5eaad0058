/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of the process and of its control group, by the error they show in. */
#include "resource.h"

#include <errno.h>
#include <stddef.h>

const char *resource_remedy(int err)
{
	switch (-err) {
	case EMFILE:
		return "raise the limit on open files ('ulimit -n', LimitNOFILE=): 64 are enough";
	case ENFILE:
		return "raise the system's limit on open files (sysctl fs.file-max)";
	case ENOMEM:
		return "a smaller --max-flows needs less, or raise the limit on memory ('ulimit -v', "
		       "MemoryMax=)";
	default:
		return NULL;
	}
}
