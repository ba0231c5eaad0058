/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The XDP hook shared with other programs through libxdp's dispatcher.  Where the kernel refuses the
 * dispatcher (freplace), libxdp attaches plainly in silence: that is found out, undone and said.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <xdp/libxdp.h>

#include "tcpguard.skel.h"
#include "tcpguard_shared.skel.h"

#include "log.h"

#define INGRESS "tg_xdp_ingress"
#define LIBXDP_DIR PINS_BPFFS "/xdp" /* libxdp's own pins */
#define RUN_PRIORITY 10 /* before the default of 50: others see what we let pass */

/* One type serves for both objects: their maps, programs and constants are the same. */
#define RODATA(object) __typeof__(*((struct object *)NULL)->rodata)
#define SAME(member) \
	_Static_assert(offsetof(RODATA(tcpguard_bpf), member) == offsetof(RODATA(tcpguard_shared_bpf), member), \
		       "constants of the two objects")
SAME(tg_program);
SAME(tg_cookie_program);
_Static_assert(sizeof(((struct tcpguard_bpf *)NULL)->maps) ==
			       sizeof(((struct tcpguard_shared_bpf *)NULL)->maps) &&
		       sizeof(((struct tcpguard_bpf *)NULL)->progs) ==
			       sizeof(((struct tcpguard_shared_bpf *)NULL)->progs),
	       "maps and programs of the two objects");

struct tcpguard_bpf *share_open(void)
{
	struct tcpguard_bpf *programs = calloc(1, sizeof(*programs));
	int err;

	if (!programs)
		return NULL;
	err = tcpguard_bpf__create_skeleton(programs);
	if (!err) {
		programs->skeleton->data =
			(void *)tcpguard_shared_bpf__elf_bytes(&programs->skeleton->data_sz);
		err = bpf_object__open_skeleton(programs->skeleton, NULL);
	}
	if (!err)
		return programs;
	tcpguard_bpf__destroy(programs);
	errno = -err;
	return NULL;
}

/* A descriptor of ours among the programs of the interface. */
static struct xdp_program *find_ours(const struct xdp_multiprog *programs)
{
	struct xdp_program *program = NULL;

	while ((program = xdp_multiprog__next_prog(program, programs)))
		if (!strcmp(xdp_program__name(program), INGRESS))
			return program;
	return NULL;
}

/* libxdp wants rights that the service lacks; that there is no program at all everybody is told. */
static bool has_none(int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	return !bpf_xdp_query(ifindex, 0, &query) && query.attach_mode == XDP_ATTACHED_NONE;
}

int share_holds(unsigned int slot, const struct tg_iface *iface)
{
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex((int)iface->ifindex);
	int err = (int)libxdp_get_error(programs), held;

	(void)slot;
	if (err)
		return has_none((int)iface->ifindex) ? 0 : err;
	held = !xdp_multiprog__is_legacy(programs) && find_ours(programs);
	xdp_multiprog__close(programs);
	return held;
}

static bool in_dispatcher(unsigned int ifindex)
{
	const struct tg_iface iface = { .ifindex = ifindex };

	return share_holds(0, &iface) > 0;
}

static int say_refused(const struct job *job, int err)
{
	if (err == -EBUSY)
		return log_err_hint(err, "it must be loaded through libxdp, too; or remove it",
				    "cannot share '%s': the XDP program that is there does not share",
				    job->dev->name);
	log_err_hint(0, "attach without --share where no other XDP program runs",
		     "cannot share '%s': this kernel refuses libxdp's dispatcher (freplace)%s%s",
		     job->dev->name, err ? ": " : "", err ? strerror(-err) : "");
	return -EOPNOTSUPP;
}

static struct xdp_program *program_of(const struct job *job)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = job->shared->obj, .prog_name = INGRESS);
	struct xdp_program *program = xdp_program__create(&opts);

	if (libxdp_get_error(program))
		return NULL;
	xdp_program__set_run_prio(program, RUN_PRIORITY);
	xdp_program__set_chain_call_enabled(program, XDP_PASS, true);
	return program;
}

/* libxdp loads the object: it must not be loaded before. */
int share_attach(struct job *job)
{
	enum xdp_attach_mode modes[] = { XDP_MODE_NATIVE, XDP_MODE_SKB };
	struct xdp_program *program = program_of(job);
	bool had_dir = !access(LIBXDP_DIR, F_OK);
	size_t i = job->options->xdp == TG_XDP_GENERIC, last = job->options->xdp == TG_XDP_NATIVE ? 1 : 2;
	int err = -EOPNOTSUPP;

	if (!program)
		return log_err(-EIO, "cannot prepare the XDP program for sharing '%s'", job->dev->name);
	for (; i < last; i++) {
		err = xdp_program__attach(program, (int)job->dev->ifindex, modes[i], 0);
		if (!err || err == -EBUSY || err == -EPERM)
			break;
	}
	if (err) {
		err = say_refused(job, err);
	} else if (!in_dispatcher(job->dev->ifindex)) {
		xdp_program__detach(program, (int)job->dev->ifindex, modes[i], 0);
		err = say_refused(job, 0);
	} else {
		job->result->xdp = TG_XDP_SHARED;
	}
	xdp_program__close(program);
	if (err && !had_dir)
		rmdir(LIBXDP_DIR);
	return err;
}

int share_detach(const struct tg_iface *iface)
{
	struct xdp_multiprog *programs;
	struct xdp_program *ours;
	int err = 0;

	if (!netdev_exists(iface))
		return 0;
	programs = xdp_multiprog__get_from_ifindex((int)iface->ifindex);
	if (libxdp_get_error(programs))
		return 0; /* nothing is attached any more */
	ours = find_ours(programs);
	if (ours)
		err = xdp_program__detach(ours, (int)iface->ifindex,
					  xdp_multiprog__attach_mode(programs), 0);
	xdp_multiprog__close(programs);
	return err ? log_err(err, "cannot take the XDP program out of '%.*s'", TG_IFNAME_LEN,
			     iface->name) :
		     0;
}
