/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests with threads share where they are built with ThreadSanitizer (tests/tests.mk): every
 * volatile access may yield the CPU, so that two cores are enough to meet in the middle.  Include it
 * in one file of a program.
 */
#ifndef TESTS_RACES_H
#define TESTS_RACES_H

#include <sched.h>

#include "tests/unit/unit.h"

#ifdef __SANITIZE_THREAD__
static _Thread_local uint64_t yield_seed;
static bool yields; /* written by every thread, always true; not looked at before they have ended */

__attribute__((no_sanitize("thread"))) static void maybe_yield(void)
{
	yields = true;
	if (!yield_seed) /* another order in each thread */
		yield_seed = (uintptr_t)&yield_seed;
	if (!random_below(&yield_seed, 16))
		sched_yield();
}

/*
 * gcc --param tsan-distinguish-volatile=1 calls these before each volatile access.  A volatile read
 * acquires what a compare-and-swap released, as it does on the CPUs we run on.
 */
void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define VOLATILE_HOOKS(size) \
	void __tsan_volatile_read##size(void *address); \
	void __tsan_volatile_write##size(void *address); \
	__attribute__((no_sanitize("thread"))) void __tsan_volatile_read##size(void *address) \
	{ \
		maybe_yield(); \
		__tsan_acquire(address); \
	} \
	__attribute__((no_sanitize("thread"))) void __tsan_volatile_write##size(void *address) \
	{ \
		__tsan_release(address); \
		maybe_yield(); \
	}

VOLATILE_HOOKS(1)
VOLATILE_HOOKS(2)
VOLATILE_HOOKS(4)
VOLATILE_HOOKS(8)

/* And between what was read and the swap that relies on it (-Wl,--wrap). */
__u32 __real___tsan_atomic32_compare_exchange_val(volatile __u32 *at, __u32 expected, __u32 value,
						  int order, int fail_order);
__u32 __wrap___tsan_atomic32_compare_exchange_val(volatile __u32 *at, __u32 expected, __u32 value,
						  int order, int fail_order);
__u32 __wrap___tsan_atomic32_compare_exchange_val(volatile __u32 *at, __u32 expected, __u32 value,
						  int order, int fail_order)
{
	maybe_yield();
	return __real___tsan_atomic32_compare_exchange_val(at, expected, value, order, fail_order);
}
#endif

/* The last case: a race that the sanitizer sees in those before ends the program with its exit code. */
static void threads_are_watched_by_the_sanitizer(void **state)
{
	(void)state;
#ifdef __SANITIZE_THREAD__
	assert_true(yields);
#else
	print_message("built without ThreadSanitizer: gcc's is not there, or does not run on this kernel\n");
	skip();
#endif
}

#endif
