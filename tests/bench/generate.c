/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generate MODE PACKETS ROUNDS FLOWS PEER...: sends live frames to each peer in turn, round after round,
 * and says what a packet cost in all: this thread and ksoftirqd of its processor, generator included.
 * PEER is NAME,NETNS,INTERFACE,MAC: where to send from, and whom to.  JSON on stdout; see peers.py.
 */
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
#include <jansson.h>

#include "tests/bench/bench.h"
#include "tests/bench/driver.h"
#include "tests/bench/generator.skel.h"

#define BATCH 64
#define PEERS_MAX 16
#define OUTSIDE (1ULL << 26)
#define SERVER 0xc6120001U
#define CLIENT 0x0a000000U

struct peer {
	char name[32], netns[64], interface[32];
	unsigned char mac[6];
	double ns[BENCH_ROUNDS_MAX];
	uint64_t sent;
};

static const struct mode {
	const char *name;
	uint32_t seq, ack;
	uint8_t flags;
	bool handshake, sequential, outside;
} modes[] = {
	{ "handshake", .handshake = true },
	{ "established", .seq = 1001, .ack = 5001, .flags = 0x10 },
	{ "hot", .seq = 1001, .ack = 5001, .flags = 0x10 },
	{ "stray", .seq = 1, .ack = 1, .flags = 0x10, .outside = true },
	{ "beyond", .seq = 0x60000000, .ack = 5001, .flags = 0x10 },
	{ "syn", .seq = 1000, .flags = 0x02, .sequential = true, .outside = true },
};

static uint8_t frame[64] = {
	[12] = 0x08, [14] = 0x45, [17] = 40, [22] = 64, [23] = 6, [46] = 0x50, [48] = 0xff, [49] = 0xff
};

static uint32_t sum_words(size_t from, size_t to)
{
	uint32_t sum = 0;

	for (; from < to; from += 2)
		sum += (uint32_t)frame[from] << 8 | frame[from + 1];
	return sum;
}

static void set_generator(struct generator_bpf *skel, const struct mode *mode, uint64_t flows)
{
	uint32_t server = (SERVER >> 16) + (SERVER & 0xffff);

	skel->bss->generator.seq = mode->seq;
	skel->bss->generator.ack = mode->ack;
	skel->bss->generator.flags = mode->flags;
	skel->bss->generator.handshake = mode->handshake;
	skel->bss->generator.ip_sum = sum_words(14, 34) + server;
	/* protocol, length, server's port, data offset, window */
	skel->bss->generator.tcp_sum = server + 6 + 20 + 80 + 0x5000 + 0xffff;
	skel->bss->bench.mask = flows - 1;
	skel->bss->bench.sequential = mode->sequential;
	skel->bss->bench.offset = mode->outside ? OUTSIDE : 0;
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

static int send_frames(struct generator_bpf *skel, struct peer *peer, uint32_t packets, int softirq,
		       double *ns)
{
	struct xdp_md context = { .data_end = sizeof(frame) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = (int)packets,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	int netns = open(peer->netns, O_RDONLY | O_CLOEXEC), err;
	uint64_t began, kernel;

	if (netns < 0 || setns(netns, CLONE_NEWNET)) {
		fprintf(stderr, "generate: cannot enter %s: %s\n", peer->netns, strerror(errno));
		return -1;
	}
	close(netns);
	context.ingress_ifindex = if_nametoindex(peer->interface);
	memcpy(skel->bss->generator.mac, peer->mac, sizeof(peer->mac));
	kernel = settled_ns(softirq);
	began = thread_cpu_ns();
	err = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.bench_generate), &opts);
	began = thread_cpu_ns() - began;
	if (err) {
		fprintf(stderr, "generate: %s: %s\n", peer->name, strerror(-err));
		return err;
	}
	*ns = (double)(began + settled_ns(softirq) - kernel) / packets;
	peer->sent += packets;
	return 0;
}

static int read_peer(struct peer *peer, const char *text)
{
	unsigned int mac[6], i;

	memset(peer, 0, sizeof(*peer));
	if (sscanf(text, "%31[^,],%63[^,],%31[^,],%x:%x:%x:%x:%x:%x", peer->name, peer->netns,
		   peer->interface, &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 9)
		return -1;
	for (i = 0; i < 6; i++)
		peer->mac[i] = (unsigned char)mac[i];
	return 0;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_peers(struct peer *peers, int count, unsigned int rounds)
{
	json_t *array = json_array();
	int i;

	for (i = 0; i < count; i++) {
		qsort(peers[i].ns, rounds, sizeof(double), ascending);
		json_array_append_new(array, json_pack("{s:s, s:f, s:f, s:f, s:I}", "peer", peers[i].name,
						       "min", peers[i].ns[0], "median",
						       peers[i].ns[rounds / 2], "max",
						       peers[i].ns[rounds - 1], "sent",
						       (json_int_t)peers[i].sent));
	}
	json_dumpf(array, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(array);
}

/* Every peer starts from the same flow: what one has seen, all have. */
static int run(struct generator_bpf *skel, struct peer *peers, int count, uint32_t packets,
	       unsigned int rounds, bool warm_up)
{
	int softirq = ksoftirqd_pid(sched_getcpu()), i;
	unsigned int round;

	for (round = 0; round < rounds; round++) {
		uint64_t start = skel->bss->bench.counter;

		for (i = 0; i < count; i++) {
			double unused;

			skel->bss->bench.counter = start;
			if (warm_up && send_frames(skel, &peers[i], packets / 16, softirq, &unused))
				return 1;
			if (send_frames(skel, &peers[i], packets, softirq, &peers[i].ns[round]))
				return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct peer peers[PEERS_MAX];
	const struct mode *mode = modes, *end = modes + sizeof(modes) / sizeof(modes[0]);
	struct generator_bpf *skel;
	unsigned int rounds;
	cpu_set_t cpu;
	int i, failed;

	if (argc < 6 || argc - 5 > PEERS_MAX) {
		fprintf(stderr, "usage: generate MODE PACKETS ROUNDS FLOWS NAME,NETNS,INTERFACE,MAC...\n");
		return 2;
	}
	while (mode < end && strcmp(mode->name, argv[1]))
		mode++;
	rounds = (unsigned int)atoi(argv[3]);
	if (mode == end || !rounds || rounds > BENCH_ROUNDS_MAX)
		return 2;
	for (i = 5; i < argc; i++)
		if (read_peer(&peers[i - 5], argv[i]))
			return 2;
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		return 1;
	skel = generator_bpf__open_and_load();
	if (!skel)
		return 1;
	set_generator(skel, mode, strtoull(argv[4], NULL, 10));
	failed = run(skel, peers, argc - 5, (uint32_t)atoi(argv[2]), rounds, !mode->handshake);
	if (!failed)
		print_peers(peers, argc - 5, rounds);
	generator_bpf__destroy(skel);
	return failed;
}
