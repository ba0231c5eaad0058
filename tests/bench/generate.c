/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generate MODE PACKETS ROUNDS FLOWS PEER...: sends live frames to each peer in turn, round after round,
 * and says what a packet cost in all: this thread and ksoftirqd of its processor, generator included.
 * PEER is NAME,NETNS,INTERFACE,MAC: where to send from, and whom to.  JSON on stdout; see peers.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/bench/bench.h"
#include "tests/bench/driver.h"
#include "tests/bench/generator.skel.h"
#include "tests/bench/live.h"

#define PEERS_MAX 16
#define OUTSIDE (1ULL << 26)
#define SERVER 0xc6120001U
#define CLIENT 0x0a000000U

struct peer {
	struct live_target target;
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

static int send_frames(struct generator_bpf *skel, const struct live_sender *sender,
		       struct peer *peer, uint32_t packets, double *ns)
{
	struct live_cost cost;
	int err;

	memcpy(skel->bss->generator.mac, peer->target.mac, sizeof(peer->target.mac));
	live_cost_begin(sender, &cost);
	err = live_send(sender, &peer->target, packets);
	if (err)
		return err;
	*ns = (double)live_cost_end(sender, &cost) / packets;
	peer->sent += packets;
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
		json_array_append_new(array, json_pack("{s:s, s:f, s:f, s:f, s:I}", "peer", peers[i].target.name,
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
static int run(struct generator_bpf *skel, const struct live_sender *sender, struct peer *peers,
	       int count, uint32_t packets, unsigned int rounds, bool warm_up)
{
	unsigned int round;
	int i;

	for (round = 0; round < rounds; round++) {
		uint64_t start = skel->bss->bench.counter;

		for (i = 0; i < count; i++) {
			double unused;

			skel->bss->bench.counter = start;
			if (warm_up && send_frames(skel, sender, &peers[i], packets / 16, &unused))
				return 1;
			if (send_frames(skel, sender, &peers[i], packets, &peers[i].ns[round]))
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
	struct live_sender sender;
	unsigned int rounds;
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
		if (live_target_read(&peers[i - 5].target, argv[i]))
			return 2;
	skel = generator_bpf__open_and_load();
	if (!skel || live_sender_init(&sender, bpf_program__fd(skel->progs.bench_generate), frame,
				      sizeof(frame)))
		return 1;
	set_generator(skel, mode, strtoull(argv[4], NULL, 10));
	failed = run(skel, &sender, peers, argc - 5, (uint32_t)atoi(argv[2]), rounds, !mode->handshake);
	if (!failed)
		print_peers(peers, argc - 5, rounds);
	generator_bpf__destroy(skel);
	return failed;
}
