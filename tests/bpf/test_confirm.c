/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modes with a way back, judged by the data path alone: nobody writes a word after the deadline is
 * set.  The millisecond at which an interface's or a service's mode goes back, and the one at which
 * the silence of the daemon ends enforcement.
 */
#include <stdlib.h>
#include <bpf/bpf.h>
#include <string.h>

#include "daemon/settings.h"
#include "tests/bpf/harness.h"

#define WAY_MS 3000
#define PORT 80 /* of guard_server, service 1 */

static struct tg_config *config(struct guard *guard)
{
	return settings_active(guard_settings(guard));
}

/* An ACK of no connection. */
static void expect(struct guard *guard, bool dropped)
{
	const struct segment stray = { FROM_CLIENT, .flags = ACK, .seq = 1, .ack = 1 };
	struct judgement got = EXPECT(guard, &stray, false, TG_DROP_NO_FLOW);

	assert_int_equal(got.dropped, dropped);
	assert_int_equal(got.outcome, dropped ? TG_OUTCOME_VERDICT : TG_OUTCOME_WOULD_DROP);
}

/* Enforces for WAY_MS from now, from monitor. */
static void try_enforce(struct guard *guard, struct tg_mode_setting *setting)
{
	uint64_t now_ms = guard_now_ms(guard);

	settings_set_mode(setting, TG_MODE_MONITOR);
	settings_try_mode(setting, TG_MODE_ENFORCE, now_ms + WAY_MS, now_ms);
}

static void make_service(struct guard *guard, uint16_t port)
{
	struct tg_ports *ports = calloc(1, sizeof(*ports));
	struct tg_service *service = &config(guard)->service[1];
	uint32_t active = guard_settings(guard)->active & 1;

	assert_non_null(ports);
	ports->service[port] = 1;
	assert_int_equal(bpf_map_update_elem(guard_map_fd(guard, "tg_ports"), &active, ports, BPF_ANY), 0);
	free(ports);
	strcpy(service->name, "web");
	service->has_mode = 1;
	config(guard)->services = 2;
}

static void an_interface_goes_back_when_its_time_is_over(void **state)
{
	expect(*state, true);
	try_enforce(*state, &config(*state)->iface[0]);
	expect(*state, true);
	guard_advance_ms(*state, WAY_MS);
	expect(*state, true); /* the last millisecond */
	guard_advance_ms(*state, 1);
	expect(*state, false);
	guard_advance_ms(*state, 1000000);
	expect(*state, false);
}

static void a_service_goes_back_when_its_time_is_over(void **state)
{
	make_service(*state, PORT);
	try_enforce(*state, &config(*state)->service[1].mode);
	guard_advance_ms(*state, WAY_MS);
	expect(*state, true);
	guard_advance_ms(*state, 1);
	expect(*state, false); /* its interface enforces all the time */
}

static void another_port_is_not_of_the_service(void **state)
{
	make_service(*state, PORT + 1);
	settings_set_mode(&config(*state)->service[1].mode, TG_MODE_MONITOR);
	expect(*state, true);
	config(*state)->service[1].has_mode = 0;
	expect(*state, true);
}

static void a_service_without_a_mode_has_its_interfaces(void **state)
{
	make_service(*state, PORT);
	config(*state)->service[1].has_mode = 0;
	settings_set_mode(&config(*state)->service[1].mode, TG_MODE_MONITOR);
	expect(*state, true);
	config(*state)->service[1].has_mode = 1;
	expect(*state, false);
}

static void confirmed_it_stays(void **state)
{
	struct tg_mode_setting *setting = &config(*state)->iface[0];

	try_enforce(*state, setting);
	guard_advance_ms(*state, WAY_MS);
	assert_true(settings_confirm(setting, guard_now_ms(*state)));
	assert_false(settings_confirm(setting, guard_now_ms(*state)));
	guard_advance_ms(*state, WAY_MS);
	expect(*state, true);
}

static void confirmed_too_late_it_has_gone_back(void **state)
{
	struct tg_mode_setting *setting = &config(*state)->iface[0];

	try_enforce(*state, setting);
	guard_advance_ms(*state, WAY_MS + 1);
	assert_false(settings_confirm(setting, guard_now_ms(*state)));
	assert_false(settings_revert(setting, guard_now_ms(*state)));
	expect(*state, false);
}

static void reverted_it_goes_back_at_once(void **state)
{
	struct tg_mode_setting *setting = &config(*state)->iface[0];

	try_enforce(*state, setting);
	assert_true(settings_revert(setting, guard_now_ms(*state)));
	expect(*state, false);
}

/* Enforce, enforce again: what is gone back to is what held before the first. */
static void a_second_try_keeps_the_first_way_back(void **state)
{
	struct tg_mode_setting *setting = &config(*state)->iface[0];

	try_enforce(*state, setting);
	guard_advance_ms(*state, 1000);
	settings_try_mode(setting, TG_MODE_ENFORCE, guard_now_ms(*state) + WAY_MS, guard_now_ms(*state));
	guard_advance_ms(*state, WAY_MS);
	expect(*state, true);
	guard_advance_ms(*state, 1);
	expect(*state, false);
}

static void a_try_after_the_deadline_begins_anew(void **state)
{
	struct tg_mode_setting *setting = &config(*state)->iface[0];

	try_enforce(*state, setting);
	guard_advance_ms(*state, WAY_MS + 1);
	settings_try_mode(setting, TG_MODE_ENFORCE, guard_now_ms(*state) + WAY_MS, guard_now_ms(*state));
	expect(*state, true);
	guard_advance_ms(*state, WAY_MS + 1);
	expect(*state, false);
}

static void a_silent_daemon_ends_enforcement_if_it_shall(void **state)
{
	struct tg_settings *settings = guard_settings(*state);

	settings->daemon_alive_ms = guard_now_ms(*state);
	guard_advance_ms(*state, 1000000);
	expect(*state, true); /* on_daemon_loss: keep */
	settings->daemon_alive_ms = guard_now_ms(*state);
	config(*state)->daemon_loss_ms = 10000;
	guard_advance_ms(*state, 10000);
	expect(*state, true);
	guard_advance_ms(*state, 1);
	expect(*state, false);
	settings->daemon_alive_ms = guard_now_ms(*state);
	expect(*state, true); /* it is back */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_interface_goes_back_when_its_time_is_over),
		TEST(a_service_goes_back_when_its_time_is_over),
		TEST(another_port_is_not_of_the_service),
		TEST(a_service_without_a_mode_has_its_interfaces),
		TEST(confirmed_it_stays),
		TEST(confirmed_too_late_it_has_gone_back),
		TEST(reverted_it_goes_back_at_once),
		TEST(a_second_try_keeps_the_first_way_back),
		TEST(a_try_after_the_deadline_begins_anew),
		TEST(a_silent_daemon_ends_enforcement_if_it_shall),
	};

	return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
