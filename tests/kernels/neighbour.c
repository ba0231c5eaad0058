// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaches neighbour.bpf.o through libxdp with a priority, for the test of shared hooks; answers each
 * line on stdin with the number of segments it has seen, and detaches at the end of stdin.
 *
 * usage: neighbour OBJECT IFACE PRIORITY
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <xdp/libxdp.h>

static int print_seen(struct xdp_program *program)
{
	int map = bpf_object__find_map_fd_by_name(xdp_program__bpf_obj(program), "neighbour_seen");
	unsigned long long seen;
	__u32 zero = 0;

	if (map < 0 || bpf_map_lookup_elem(map, &zero, &seen)) {
		fprintf(stderr, "neighbour: cannot read its counter: %s\n", strerror(errno));
		return -1;
	}
	printf("%llu\n", seen);
	return fflush(stdout);
}

static int serve(struct xdp_program *program, int ifindex)
{
	char line[16];
	int err;

	puts("attached");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (print_seen(program))
			break;
	err = xdp_program__detach(program, ifindex, XDP_MODE_NATIVE, 0);
	if (err)
		fprintf(stderr, "neighbour: cannot detach: %s\n", strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct xdp_program *program;
	int ifindex, err, status;

	ifindex = argc == 4 ? (int)if_nametoindex(argv[2]) : 0;
	if (!ifindex) {
		fprintf(stderr, "usage: neighbour OBJECT IFACE PRIORITY\n");
		return 2;
	}
	program = xdp_program__open_file(argv[1], "xdp", NULL);
	if (libxdp_get_error(program)) {
		fprintf(stderr, "neighbour: cannot open %s\n", argv[1]);
		return EXIT_FAILURE;
	}
	xdp_program__set_run_prio(program, (unsigned int)atoi(argv[3]));
	xdp_program__set_chain_call_enabled(program, XDP_PASS, true);
	err = xdp_program__attach(program, ifindex, XDP_MODE_NATIVE, 0);
	if (err)
		fprintf(stderr, "neighbour: cannot attach to %s: %s\n", argv[2], strerror(-err));
	status = err ? EXIT_FAILURE : serve(program, ifindex);
	xdp_program__close(program);
	return status;
}
