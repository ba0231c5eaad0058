/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard status [IFACE]`: what is attached, and how the rest is doing. */
#include "command.h"
#include "datapath.h"
#include "netdev.h"
#include "options.h"
#include "output.h"
#include "snapshot.h"

/* What is no link, too. */
static void look_at_hooks(struct snapshot *s)
{
	uint32_t i;

	for (i = 0; i < s->iface_count; i++) {
		struct snapshot_iface *iface = &s->iface[i];

		iface->xdp_link = datapath_xdp_state(iface->slot, &iface->iface);
		iface->tc_link = datapath_tc_state(iface->slot, &iface->iface);
		iface->vanished = !netdev_exists(&iface->iface) &&
				  (iface->xdp_link == PINS_LINK_GONE || iface->tc_link == PINS_LINK_GONE);
	}
}

static int show(const struct pins *pins, const struct global_options *global, int argc, char **argv)
{
	struct snapshot *s = NULL;
	struct output out;
	int err, attached = 0;

	err = output_open(&out, global, false);
	if (!err)
		err = snapshot_take(pins, &s);
	if (!err)
		err = snapshot_select(pins, s, argc, argv);
	if (!err) {
		look_at_hooks(s);
		attached = s->iface_count > 0;
		out.functions->status(&out, s);
		err = output_close(&out);
	}
	snapshot_free(s);
	if (err)
		return command_exit_code(err);
	return attached ? EXIT_OK : EXIT_NOT_ATTACHED;
}

static int run_status(const struct global_options *global, const void *options, int argc,
		      char **argv)
{
	struct pins pins;
	int err, code;

	(void)options;
	if (argc > 1 && options_no_words(argc - 1, argv + 1))
		return EXIT_USAGE;
	err = pins_open(&pins, false);
	if (err)
		return command_exit_code(err);
	code = show(&pins, global, argc, argv);
	pins_close(&pins);
	return code;
}

const struct command command_status = {
	.name = "status",
	.arguments = "[IFACE]",
	.summary = "Shows attached interfaces, modes, hooks, the daemon and the table's memory.",
	.details = "Exit code 3 when nothing is attached.",
	.run = run_status,
};
