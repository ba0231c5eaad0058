/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps said as they stand and with the roles exchanged; see exchange.h. */
#include "tests/bpf/exchange.h"

int setup_between(void **state)
{
	const struct guard_options options = { .all_ingress = true };

	*state = guard_open(&options);
	return 0;
}

void say_as(struct guard *guard, struct step step, bool exchanged, size_t line)
{
	enum tg_tcp_state client = step.client;

	if (exchanged) {
		step.who = step.who == CLIENT ? SERVER : CLIENT;
		step.client = step.server;
		step.server = client;
	}
	guard_say(guard, &step, line);
}

void each_after(struct guard *guard, const struct step *beginning, size_t length,
		const struct step *steps, size_t count)
{
	size_t i, k;

	for (i = 0; i < 2 * count; i++) {
		guard_advance_ms(guard, FORGET_MS);
		for (k = 0; k < length; k++)
			say_as(guard, beginning[k], i >= count, k + 1);
		say_as(guard, steps[i % count], i >= count, i % count + 1);
	}
}
