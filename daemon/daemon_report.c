/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon tells: readers of events, Prometheus, the service manager. */
#include <errno.h>
#include <unistd.h>

#include "daemon.h"
#include "event_socket.h"
#include "log.h"
#include "names.h"
#include "privilege.h"
#include "service.h"

void daemon_report_pass(struct daemon_state *state, const struct ager_pass *pass)
{
	daemon_metrics_add_pass(state->metrics, pass, state->pass_cpu_ns);
	state->pass_cpu_ns = 0;
	if (pass->evicted)
		log_info("the flow table is short of room: %llu flows given up early",
			 (unsigned long long)pass->evicted);
	if (pass->adopt)
		log_info("the flow table has had room for long: whom it had none for is adopted for %u s",
			 TG_LEARN_DEFAULT_MS / 1000);
	if (pass->unrefused)
		log_info("unknown connections are dropped again in %llu buckets of the flow table",
			 (unsigned long long)pass->unrefused);
	if (pass->recovered)
		log_info("%llu slots taken back from a process that died",
			 (unsigned long long)pass->recovered);
}

/* From within the loop: a signal that comes now is heard. */
void daemon_report_ready(struct daemon_state *state)
{
	uint32_t fd = state->ready_fd;

	state->ready = true;
	state->attached = daemon_count_attached(state);
	service_notify("READY=1\nSTATUS=%u interface%s attached", state->attached,
		       state->attached == 1 ? "" : "s");
	if (!fd)
		return;
	/* Nobody listening any more is no reason not to run. */
	if (write((int)fd, "\n", 1) != 1)
		log_info("daemon: nobody waits at descriptor %u", fd);
	close((int)fd);
}

/* The same loop ages the table: while this is told, that is done. */
void daemon_report_alive(struct daemon_state *state)
{
	uint32_t attached = daemon_count_attached(state);

	if (service_watchdog_ms())
		service_notify("WATCHDOG=1");
	if (attached != state->attached)
		service_notify("STATUS=%u interface%s attached", attached, attached == 1 ? "" : "s");
	state->attached = attached;
}

void daemon_report_guard(void *context, const char *iface, const struct guard_change *change)
{
	const char *class = names_class(guard_tg_class(change->class));
	struct daemon_state *state = context;

	if (change->relaxed) {
		daemon_metrics_add_trip(state->metrics, guard_tg_class(change->class));
		events_say(state->events, TG_EVENT_GUARD,
			   "%s: class %s stepped back to monitor: %llu drops hit %llu live connections, "
			   "%llu packets passed",
			   iface, class, (unsigned long long)change->drops,
			   (unsigned long long)change->flows, (unsigned long long)change->passed);
	} else {
		events_say(state->events, TG_EVENT_GUARD, "%s: class %s is enforced again", iface, class);
	}
	event_server_publish(state->server);
}

void daemon_report_freed(void *context, const struct ager_freed *freed)
{
	struct daemon_state *state = context;

	daemon_metrics_add_freed(state->metrics, freed);
	if (state->freed_wanted)
		events_say_freed(state->events, freed);
}

static void set_freed_wanted(void *context, bool yes)
{
	struct daemon_state *state = context;

	state->freed_wanted = yes;
}

int daemon_begin_reports(struct loop *loop, void *context)
{
	struct daemon_state *state = context;
	const char *given = state->options->socket;
	char path[EVENT_SOCKET_BYTES];
	int err;

	state->loop = loop;
	daemon_listen(state);
	err = event_socket_path(given ? given : EVENT_SOCKET_DIR "/" EVENT_SOCKET_NAME, path);
	if (!err)
		err = event_server_new(&state->server, loop, state->events, path, set_freed_wanted,
				       state);
	if (err && given)
		return err;
	if (err)
		log_info("daemon: going on without 'tcpguard events'");
	events_say(state->events, TG_EVENT_DAEMON, "started, pid %d", (int)getpid());
	/* Sockets are made, and given to their group.  Root's needs the fourth for the service's pins. */
	return privilege_keep(PRIVILEGE_BIT(CAP_BPF) | PRIVILEGE_BIT(CAP_NET_ADMIN) |
			      PRIVILEGE_BIT(CAP_PERFMON) | PRIVILEGE_BIT(CAP_DAC_OVERRIDE));
}

void daemon_end_reports(void *context)
{
	struct daemon_state *state = context;

	events_say(state->events, TG_EVENT_DAEMON, "ended, pid %d", (int)getpid());
	event_server_publish(state->server);
	event_server_free(state->server);
	state->server = NULL;
	daemon_metrics_listen(state->metrics, state->loop, NULL);
	state->loop = NULL;
}
