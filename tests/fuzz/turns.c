/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two lists, looked through with poll(2).  What is freed while they are looked through goes afterwards. */
#include "tests/fuzz/turns.h"

#include <fcntl.h>
#include <poll.h>

#include "tests/fuzz/fuzz.h"

#define TURNS_MAX 100000

struct loop_fd {
	struct loop_fd *next;
	void (*ready)(void *context, bool readable, bool writable);
	void *context;
	int fd;
	short events;
	bool gone;
};

struct loop_timer {
	struct loop_timer *next;
	uint32_t (*fire)(void *context);
	void *context;
	bool runs;
	bool gone;
};

static struct loop_fd *fds;
static struct loop_timer *timers;

struct loop_fd *loop_fd_new(struct loop *loop, int fd, void (*ready)(void *context, bool readable, bool writable),
			    void *context)
{
	struct loop_fd *watched = calloc(1, sizeof(*watched));

	(void)loop;
	FUZZ_CHECK(watched && !fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)); /* as libuv does */
	*watched = (struct loop_fd){ .next = fds, .ready = ready, .context = context, .fd = fd };
	fds = watched;
	return watched;
}

void loop_fd_wait(struct loop_fd *watched, bool readable, bool writable)
{
	FUZZ_CHECK(!watched->gone);
	watched->events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

void loop_fd_free(struct loop_fd *watched)
{
	if (watched)
		watched->gone = true;
}

struct loop_timer *loop_timer_new(struct loop *loop, uint32_t (*fire)(void *context), void *context)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	(void)loop;
	FUZZ_CHECK(timer);
	*timer = (struct loop_timer){ .next = timers, .fire = fire, .context = context };
	timers = timer;
	return timer;
}

void loop_timer_start(struct loop_timer *timer, uint32_t ms)
{
	FUZZ_CHECK(!timer->gone && ms);
	timer->runs = true;
}

void loop_timer_stop(struct loop_timer *timer)
{
	FUZZ_CHECK(!timer->gone);
	timer->runs = false;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (timer)
		timer->gone = true;
}

static void sweep(void)
{
	struct loop_fd **fd = &fds, *old;
	struct loop_timer **timer = &timers, *stale;

	while ((old = *fd)) {
		if (!old->gone) {
			fd = &old->next;
			continue;
		}
		*fd = old->next;
		free(old);
	}
	while ((stale = *timer)) {
		if (!stale->gone) {
			timer = &stale->next;
			continue;
		}
		*timer = stale->next;
		free(stale);
	}
}

static bool turn(void)
{
	struct loop_fd *watched;
	bool any = false;

	for (watched = fds; watched; watched = watched->next) {
		struct pollfd one = { .fd = watched->fd, .events = watched->events };

		if (watched->gone || !watched->events || poll(&one, 1, 0) <= 0)
			continue;
		FUZZ_CHECK(!(one.revents & POLLNVAL));
		any = true;
		watched->ready(watched->context, one.revents & (POLLIN | POLLHUP | POLLERR),
			       one.revents & POLLOUT);
	}
	sweep();
	return any;
}

bool turns_settle(struct loop *loop)
{
	unsigned int turns = 0;

	(void)loop;
	while (turn())
		if (++turns == TURNS_MAX)
			return false;
	return true;
}

void turns_fire(void)
{
	struct loop_timer *timer;

	for (timer = timers; timer; timer = timer->next) {
		if (timer->gone || !timer->runs)
			continue;
		timer->runs = false;
		if (timer->fire(timer->context))
			timer->runs = !timer->gone;
	}
	sweep();
}

unsigned int turns_left(void)
{
	const struct loop_timer *timer;
	const struct loop_fd *watched;
	unsigned int left = 0;

	sweep();
	for (watched = fds; watched; watched = watched->next)
		left++;
	for (timer = timers; timer; timer = timer->next)
		left++;
	return left;
}
