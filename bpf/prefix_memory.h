/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of an image of the lists outside the kernel: a mapping of the pinned map, or a test's own.
 * Its twin inside the kernel is in lists.bpf.h.
 */
#ifndef TG_BPF_PREFIX_MEMORY_H
#define TG_BPF_PREFIX_MEMORY_H

#include "tcpguard/lists.h"

struct tg_image {
	const struct tg_list_line *line;
	__u32 lines;
};

TG_INLINE const struct tg_list_line *tg_image_line(const struct tg_image *image, __u32 number)
{
	return number < image->lines ? &image->line[number] : NULL;
}

#endif
