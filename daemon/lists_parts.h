/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of lists.h share: lists.c reads images, lists_exchange.c makes and places them. */
#ifndef TCPGUARD_LISTS_PARTS_H
#define TCPGUARD_LISTS_PARTS_H

#include "lists.h"

#define LISTS_PATH_BYTES 64

/* An image that is mapped. */
struct lists_mapping {
	struct tg_list_line *line; /* NULL: there is none */
	size_t bytes;
};

/* Where the image of a slot is pinned; path has LISTS_PATH_BYTES. */
const char *lists_image_path(char *path, uint32_t slot);

/* 0 or -errno in silence.  To be unmapped with the other, which accepts what could not be mapped. */
int lists_map_image(int fd, uint32_t lines, struct lists_mapping *mapping);
void lists_unmap_image(struct lists_mapping *mapping);

#endif
