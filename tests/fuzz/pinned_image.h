/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image of the lists that daemon/lists.c finds pinned although there is no kernel map: one at a time. */
#ifndef TESTS_FUZZ_PINNED_IMAGE_H
#define TESTS_FUZZ_PINNED_IMAGE_H

#include "daemon/pins.h"

/* Lines of zeroes. */
struct tg_list_line *pinned_image_new(uint32_t lines);
void pinned_image_free(void);

/* As pins_open() would give it, with the image's first line in force. */
struct pins pinned_image_pins(const struct tg_list_line *line);

#endif
