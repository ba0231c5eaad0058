/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program at TC ingress that SYN cookies need: an object of its own, loaded only then. */
#include "datapath_parts.h"

#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cookie_accept.skel.h"

#include "cookie.h"
#include "log.h"

void accept_release(struct job *job)
{
	if (job->accept)
		cookie_accept_bpf__destroy(job->accept);
	job->accept = NULL;
}

/* Errors are not said: there is another kind of cookie, or none. */
int accept_load(struct job *job)
{
	int err;

	accept_release(job);
	if (!cookie_needs_ingress(&job->cookie))
		return 0;
	job->accept = cookie_accept_bpf__open();
	if (!job->accept)
		return -errno;
	*(struct tg_cookie_program *)&job->accept->rodata->tg_cookie_program = job->cookie;
	err = bpf_map__reuse_fd(job->accept->maps.tg_cookies, job->pins.fd[PINS_COOKIES]);
	if (!err)
		err = cookie_accept_bpf__load(job->accept);
	if (err)
		accept_release(job);
	return err;
}

int accept_program(const struct job *job)
{
	return job->accept ? bpf_program__fd(job->accept->progs.tg_tc_ingress) : -1;
}
