/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard enforce|monitor [IFACE...]`: one word of the settings map an interface. */
#include <stdio.h>

#include "command.h"
#include "log.h"
#include "names.h"
#include "netdev.h"
#include "output.h"
#include "pins.h"
#include "settings.h"

/* The slots meant: those named, or all; how many, or -ENODEV (said). */
static int find_slots(const struct pins *pins, int argc, char **argv, uint32_t slots[TG_IFACES_MAX])
{
	int word, slot, count = 0;

	for (word = 0; word < argc && count < TG_IFACES_MAX; word++) {
		slot = pins_iface_slot(pins, argv[word]);
		if (slot < 0) {
			log_err_hint(0, "'tcpguard attach' does that", "'%s' is not attached",
				     argv[word]);
			return slot;
		}
		slots[count++] = (uint32_t)slot;
	}
	for (slot = 0; slot < TG_IFACES_MAX && !argc; slot++)
		if (pins->ifaces[slot].ifindex)
			slots[count++] = (uint32_t)slot;
	return count;
}

static int report(const struct global_options *global, const struct pins *pins, enum tg_mode mode,
		  const uint32_t *slots, int count)
{
	struct tg_iface ifaces[TG_IFACES_MAX];
	const char *names[TG_IFACES_MAX];
	char text[64 + TG_IFACES_MAX * (TG_IFNAME_LEN + 1)];
	const struct output_field fields[] = {
		{ .name = "mode", .kind = OUTPUT_STRING, .string = names_mode(mode) },
		{ .name = "interfaces",
		  .kind = OUTPUT_STRINGS,
		  .number = (uint64_t)count,
		  .strings = names },
		{ .name = NULL },
	};
	const struct output_answer answer = {
		.schema = "tcpguard.mode/1",
		.text = text,
		.fields = fields,
	};
	const char *doing = mode == TG_MODE_ENFORCE ? "enforcing" :
						      "monitoring, nothing is dropped,";
	struct output out;
	size_t length;
	int i;

	length = (size_t)snprintf(text, sizeof(text), "%s on", doing);
	for (i = 0; i < count; i++) {
		ifaces[i] = pins->ifaces[slots[i]];
		netdev_refresh_name(&ifaces[i]);
		names[i] = ifaces[i].name;
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %.*s",
					   TG_IFNAME_LEN, names[i]);
	}
	if (output_open(&out, global, false))
		return EXIT_USAGE;
	out.functions->answer(&out, &answer);
	return command_exit_code(output_close(&out));
}

static int set_mode(const struct global_options *global, enum tg_mode mode, int argc, char **argv)
{
	uint32_t slots[TG_IFACES_MAX];
	struct pins pins;
	int err, count, i, code;

	err = pins_open(&pins, true);
	if (err)
		return command_exit_code(err);
	count = find_slots(&pins, argc, argv, slots);
	for (i = 0; i < count; i++)
		settings_set_mode(&settings_active(pins.settings)->iface[slots[i]], mode);
	if (count > 0) {
		code = report(global, &pins, mode, slots, count);
	} else {
		if (!count)
			log_err_hint(0, "attach with 'tcpguard attach IFACE'",
				     "no interface is attached");
		code = EXIT_NOT_ATTACHED;
	}
	pins_close(&pins);
	return code;
}

static int run_enforce(const struct global_options *global, const void *options, int argc,
		       char **argv)
{
	(void)options;
	return set_mode(global, TG_MODE_ENFORCE, argc, argv);
}

static int run_monitor(const struct global_options *global, const void *options, int argc,
		       char **argv)
{
	(void)options;
	return set_mode(global, TG_MODE_MONITOR, argc, argv);
}

const struct command command_enforce = {
	.name = "enforce",
	.arguments = "[IFACE...]",
	.summary = "Drops what belongs to no connection, on these interfaces or on all.",
	.run = run_enforce,
};

const struct command command_monitor = {
	.name = "monitor",
	.arguments = "[IFACE...]",
	.summary = "Drops nothing and counts what would be dropped, on these interfaces or on all.",
	.run = run_monitor,
};
