/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 1: the words of the buckets were others; what is read here was the same. */
#include "layout_rows.h"

const struct layout layout_rows[] = {
	{ TG_LAYOUT_VERSION, TG_BUCKET_WAYS, sizeof(struct tg_slot), sizeof(struct tg_detail),
	  LAYOUT_WORDS(struct tg_slot), layout_read_own },
	{ 1, TG_BUCKET_WAYS, sizeof(struct tg_slot), sizeof(struct tg_detail),
	  LAYOUT_WORDS(struct tg_slot), layout_read_own },
};
const size_t layout_rows_count = sizeof(layout_rows) / sizeof(layout_rows[0]);
