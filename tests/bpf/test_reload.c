/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reload is seen whole.  Two configurations that differ in two settings are exchanged all the
 * time while packets are judged: each packet must be treated by one of them, never by half of each.
 *
 *   one: port 80 is of a service in monitor, the interface enforces      the stray passes
 *   two: port 80 is of no service, the interface monitors                the stray passes
 *   a mix of them: no service, the interface enforces                    the stray is dropped
 */
#include <bpf/bpf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/settings.h"
#include "tests/bpf/harness.h"

#define EXCHANGES 300 /* each waits for a grace period, about 17 ms */
#define PORT 80
#define SERVICE 1

struct run {
	struct guard *guard;
	struct pins pins; /* of the guard's maps: just what a transaction touches */
	bool done;
};

static void fill_one(struct settings_change *change)
{
	struct tg_service *service = &change->config.service[SERVICE];

	settings_set_mode(&change->config.iface[0], TG_MODE_ENFORCE);
	memset(service, 0, sizeof(*service));
	strcpy(service->name, "web");
	settings_set_mode(&service->mode, TG_MODE_MONITOR);
	service->has_mode = 1;
	change->config.services = SERVICE + 1;
	change->ports.service[PORT] = SERVICE;
}

static void fill_two(struct settings_change *change)
{
	settings_set_mode(&change->config.iface[0], TG_MODE_MONITOR);
	memset(&change->config.service[SERVICE], 0, sizeof(change->config.service[SERVICE]));
	change->config.services = 0;
	change->ports.service[PORT] = 0;
}

static void *exchange(void *argument)
{
	struct run *run = argument;
	struct settings_change change;
	int i;

	for (i = 0; i < EXCHANGES; i++) {
		settings_begin(&run->pins, &change);
		if (i & 1)
			fill_two(&change);
		else
			fill_one(&change);
		settings_commit(&run->pins, &change);
	}
	__atomic_store_n(&run->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void open_run(struct run *run, struct guard *guard)
{
	const size_t bytes = 2 * sizeof(struct tg_ports);
	struct settings_change change;

	memset(run, 0, sizeof(*run));
	run->guard = guard;
	run->pins.settings = guard_settings(guard);
	run->pins.ports = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, guard_map_fd(guard, "tg_ports"), 0);
	assert_ptr_not_equal(run->pins.ports, MAP_FAILED);
	settings_begin(&run->pins, &change);
	fill_two(&change);
	settings_commit(&run->pins, &change);
}

static void a_packet_sees_the_old_or_the_new_configuration(void **state)
{
	const struct segment stray = { FROM_CLIENT, .flags = ACK, .seq = 1, .ack = 1 };
	uint64_t judged = 0, generation;
	struct run run;
	pthread_t thread;

	open_run(&run, *state);
	generation = settings_active(run.pins.settings)->generation;
	assert_int_equal(pthread_create(&thread, NULL, exchange, &run), 0);
	while (!__atomic_load_n(&run.done, __ATOMIC_ACQUIRE) || judged < 1000) {
		struct judgement got = EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);

		assert_int_equal(got.outcome, TG_OUTCOME_WOULD_DROP);
		judged++;
	}
	pthread_join(thread, NULL);
	assert_int_equal(settings_active(run.pins.settings)->generation, generation + EXCHANGES);
	munmap(run.pins.ports, 2 * sizeof(struct tg_ports));
}

/* What the test above would see: that the mix is dropped is no assumption. */
static void a_mix_would_be_noticed(void **state)
{
	const struct segment stray = { FROM_CLIENT, .flags = ACK, .seq = 1, .ack = 1 };
	struct run run;

	open_run(&run, *state);
	settings_set_mode(&settings_active(run.pins.settings)->iface[0], TG_MODE_ENFORCE);
	assert_int_equal(EXPECT(*state, &stray, false, TG_DROP_NO_FLOW).outcome, TG_OUTCOME_VERDICT);
	munmap(run.pins.ports, 2 * sizeof(struct tg_ports));
}

/* An exchange of tables, a reload during it, and its end. */
static void verdicts_that_wait_go_on_to(void **state)
{
	const struct segment stray = { FROM_CLIENT, .flags = ACK, .seq = 1, .ack = 1 };
	const uint32_t configured = 1U << TG_CLASS_WINDOW; /* loose_window */
	struct settings_change change;
	struct tg_config *active;
	struct run run;
	int again;

	open_run(&run, *state);
	settings_set_mode(&settings_active(run.pins.settings)->iface[0], TG_MODE_ENFORCE);
	for (again = 0; again < 2; again++)
		settings_wait(settings_active(run.pins.settings));
	assert_int_equal(EXPECT(*state, &stray, false, TG_DROP_NO_FLOW).outcome, TG_OUTCOME_WOULD_DROP);
	settings_begin(&run.pins, &change);
	change.config.relaxed = configured;
	settings_keep_waiting(settings_active(run.pins.settings), &change.config);
	settings_commit(&run.pins, &change);
	active = settings_active(run.pins.settings);
	assert_int_equal(EXPECT(*state, &stray, false, TG_DROP_NO_FLOW).outcome, TG_OUTCOME_WOULD_DROP);
	assert_int_equal(settings_relaxed(active), configured);
	for (again = 0; again < 2; again++) {
		settings_resume(active);
		assert_int_equal(active->relaxed, configured);
	}
	assert_int_equal(EXPECT(*state, &stray, false, TG_DROP_NO_FLOW).outcome, TG_OUTCOME_VERDICT);
	munmap(run.pins.ports, 2 * sizeof(struct tg_ports));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_packet_sees_the_old_or_the_new_configuration),
		TEST(a_mix_would_be_noticed),
		TEST(verdicts_that_wait_go_on_to),
	};

	return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
