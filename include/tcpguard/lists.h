/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block and allow lists as the data path reads them: an immutable image, built by user space and
 * exchanged whole.  This header of an image is part of the configuration, so that a flip of the
 * configuration is a flip of the lists.
 */
#ifndef TCPGUARD_LISTS_H
#define TCPGUARD_LISTS_H

#include "types.h"

struct tg_list_image {
	__u32 prefixes; /* in all; 0: there are no lists, nothing is looked up */
	__u32 reserved[15];
};

#endif
