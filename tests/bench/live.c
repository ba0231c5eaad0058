/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/bench/bench.h"

#define BATCH 64

int live_target_read(struct live_target *target, const char *text)
{
	unsigned int mac[6], i;

	memset(target, 0, sizeof(*target));
	if (sscanf(text, "%31[^,],%63[^,],%31[^,],%x:%x:%x:%x:%x:%x", target->name, target->netns,
		   target->interface, &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 9) {
		fprintf(stderr, "'%s' is not NAME,NETNS,INTERFACE,MAC\n", text);
		return -1;
	}
	for (i = 0; i < 6; i++)
		target->mac[i] = (unsigned char)mac[i];
	return 0;
}

static int ksoftirqd_pid(int cpu)
{
	char wanted[32], path[300], name[64];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int pid = -1;

	snprintf(wanted, sizeof(wanted), "ksoftirqd/%d\n", cpu);
	while (proc && pid < 0 && (entry = readdir(proc))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (file && fgets(name, sizeof(name), file) && !strcmp(name, wanted))
			pid = atoi(entry->d_name);
		if (file)
			fclose(file);
	}
	if (proc)
		closedir(proc);
	return pid;
}

static uint64_t schedstat_ns(int pid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	if (file)
		fclose(file);
	return ns;
}

/* Packets still queued are the run's too: until ksoftirqd has nothing more to do, or others keep it busy. */
static uint64_t settled_ns(int pid)
{
	uint64_t before, now = schedstat_ns(pid);
	int tries = 50;

	do {
		before = now;
		usleep(2000);
		now = schedstat_ns(pid);
	} while (now != before && --tries);
	return now;
}

int live_sender_init(struct live_sender *sender, int program, const void *frame, size_t size)
{
	int here = sched_getcpu();
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(here, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		return -errno;
	sender->program = program;
	sender->softirq = ksoftirqd_pid(here);
	sender->frame = frame;
	sender->size = size;
	return 0;
}

static int enter(const char *path)
{
	int netns = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (netns < 0 || setns(netns, CLONE_NEWNET)) {
		err = -errno;
		fprintf(stderr, "cannot enter %s: %s\n", path, strerror(errno));
	}
	if (netns >= 0)
		close(netns);
	return err;
}

int live_send(const struct live_sender *sender, const struct live_target *target, uint32_t packets)
{
	struct xdp_md context = { .data_end = (__u32)sender->size };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = sender->frame,
		    .data_size_in = (__u32)sender->size, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = (int)packets,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	int err = enter(target->netns);

	if (err)
		return err;
	context.ingress_ifindex = if_nametoindex(target->interface);
	err = bpf_prog_test_run_opts(sender->program, &opts);
	if (err)
		fprintf(stderr, "sending to %s: %s\n", target->name, strerror(-err));
	return err;
}

void live_cost_begin(const struct live_sender *sender, struct live_cost *cost)
{
	cost->softirq_ns = settled_ns(sender->softirq);
	cost->thread_ns = thread_cpu_ns();
}

uint64_t live_cost_end(const struct live_sender *sender, const struct live_cost *cost)
{
	uint64_t thread_ns = thread_cpu_ns() - cost->thread_ns;

	return thread_ns + settled_ns(sender->softirq) - cost->softirq_ns;
}
