/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A binary heap, the worst first. */
#include "top_heap.h"

static void swap(struct top_heap_entry *a, struct top_heap_entry *b)
{
	struct top_heap_entry kept = *a;

	*a = *b;
	*b = kept;
}

static void rise(struct top_heap *heap, size_t at)
{
	while (at && heap->entry[at].score < heap->entry[(at - 1) / 2].score) {
		swap(&heap->entry[at], &heap->entry[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

static void sink(struct top_heap *heap, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < heap->count && heap->entry[child + 1].score < heap->entry[child].score)
			child++;
		if (child >= heap->count || heap->entry[at].score <= heap->entry[child].score)
			return;
		swap(&heap->entry[at], &heap->entry[child]);
		at = child;
	}
}

bool top_heap_offer(struct top_heap *heap, double score, uint32_t *row)
{
	if (heap->count < heap->room) {
		*row = (uint32_t)heap->count;
		heap->entry[heap->count] = (struct top_heap_entry){ .score = score, .row = *row };
		rise(heap, heap->count++);
		return true;
	}
	if (!heap->count || score <= heap->entry[0].score)
		return false;
	*row = heap->entry[0].row;
	heap->entry[0].score = score;
	sink(heap, 0);
	return true;
}
