/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change of the settings: taken from the configuration in force, made where nobody else can write, and in
 * force whole or not at all.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/settings.h"
#include "tests/unit/unit.h"

static struct tg_settings shared;
static struct tg_ports shared_ports[2];

static struct pins pinned(void)
{
	memset(&shared, 0, sizeof(shared));
	memset(shared_ports, 0, sizeof(shared_ports));
	shared.config[0].generation = 7;
	shared.config[0].services = 3;
	strcpy(shared.config[0].service[2].name, "web");
	shared_ports[0].service[80] = 2;
	return (struct pins){ .settings = &shared, .ports = shared_ports };
}

/* As the service's user can, at any moment. */
static void scribble(void)
{
	memset(shared.config, 0xff, sizeof(shared.config));
	memset(shared_ports, 0xff, sizeof(shared_ports));
}

static void a_commit_puts_the_change_in_force(void **state)
{
	struct pins pins = pinned();
	struct settings_change change;

	(void)state;
	settings_begin(&pins, &change);
	change.config.services = 4;
	strcpy(change.config.service[3].name, "ssh");
	change.ports.service[22] = 3;
	assert_int_equal(shared.active, 0);
	assert_int_equal(shared.config[0].services, 3);
	assert_int_equal(shared.config[1].services, 0);
	settings_commit(&pins, &change);
	assert_int_equal(shared.active, 1);
	assert_int_equal(shared.config[1].generation, 8);
	assert_int_equal(shared.config[1].services, 4);
	assert_string_equal(shared.config[1].service[2].name, "web");
	assert_string_equal(shared.config[1].service[3].name, "ssh");
	assert_int_equal(shared_ports[1].service[80], 2);
	assert_int_equal(shared_ports[1].service[22], 3);
	assert_int_equal(shared.config[0].services, 3);
}

static void nobody_else_can_write_to_a_change(void **state)
{
	struct pins pins = pinned();
	struct settings_change change;

	(void)state;
	settings_begin(&pins, &change);
	scribble();
	assert_int_equal(change.config.services, 3);
	assert_string_equal(change.config.service[2].name, "web");
	assert_string_equal(change.config.service[3].name, "");
	assert_int_equal(change.ports.service[80], 2);
	assert_int_equal(change.ports.service[81], 0);
	settings_commit(&pins, &change);
	assert_int_equal(settings_active(&shared)->services, 3);
	assert_int_equal(settings_active(&shared)->generation, 8);
	assert_string_equal(settings_active(&shared)->service[3].name, "");
	assert_int_equal(shared_ports[1].service[81], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_puts_the_change_in_force),
		cmocka_unit_test(nobody_else_can_write_to_a_change),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
