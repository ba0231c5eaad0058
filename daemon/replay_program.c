/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading for replay: the same object, other constants, no pins. */
#include "replay_program.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "tcpguard.skel.h"

#include "log.h"
#include "privilege.h"

#define XDP_SECTION "xdp.frags"
#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

/* As datapath_load.c: the flag is ours to set, kernels before 5.18 do not know it. */
static struct tcpguard_bpf *open_object(const struct tg_program *constants, bool egress, bool frags)
{
	static int handler;
	struct tcpguard_bpf *object;

	if (!handler)
		handler = libbpf_register_prog_handler(XDP_SECTION, BPF_PROG_TYPE_XDP, BPF_XDP, NULL);
	object = handler < 0 ? NULL : tcpguard_bpf__open();
	if (!object)
		return NULL;
	if (frags)
		bpf_program__set_flags(object->progs.tg_xdp_ingress, BPF_F_XDP_HAS_FRAGS);
	bpf_program__set_autoload(object->progs.tg_clock, false);
	bpf_program__set_autoload(object->progs.tg_tc_egress, egress);
	*(struct tg_program *)&object->rodata->tg_program = *constants;
	bpf_map__set_max_entries(object->maps.tg_flows, constants->buckets);
	bpf_map__set_max_entries(object->maps.tg_details, constants->buckets * TG_BUCKET_WAYS);
	bpf_map__set_max_entries(object->maps.tg_buckets, constants->buckets);
	return object;
}

static int say_load_error(int err)
{
	char buffer[96];
	const char *remedy = privilege_remedy(err, buffer, sizeof(buffer));
	const char *missing = privilege_missing();

	/* Without it the verifier refuses arithmetic on packet pointers that it allows otherwise. */
	if (missing && (remedy || !strcmp(missing, "CAP_PERFMON"))) {
		log_err_hint(0, "run it as root", "cannot load the programs: missing capability %s",
			     missing);
		return -EPERM;
	}
	if (remedy || err == -ENOMEM) {
		log_err_hint(err, remedy ? remedy : "a smaller --max-flows needs less",
			     "cannot load the programs");
		return err;
	}
	log_err_hint(0, "'tcpguard -v' shows what the kernel says",
		     "this kernel cannot load the programs: error %d", -err);
	return -EOPNOTSUPP;
}

static int load_object(struct replay_program *program, const struct tg_program *constants,
		       bool egress)
{
	bool frags = true;
	int err;

	for (;;) {
		program->object = open_object(constants, egress, frags);
		if (!program->object) {
			log_err(errno ? -errno : -EIO, "cannot open the BPF object");
			return -EIO;
		}
		err = tcpguard_bpf__load(program->object);
		if (!err)
			return 0;
		tcpguard_bpf__destroy(program->object);
		program->object = NULL;
		if (!frags || (err != -EINVAL && err != -E2BIG))
			return say_load_error(err);
		frags = false;
	}
}

static void *map_memory(const struct bpf_map *map, size_t size)
{
	void *memory = mmap(NULL, whole_pages(size), PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_memory(const void *memory, size_t size)
{
	if (memory)
		munmap((void *)memory, whole_pages(size));
}

static size_t buckets_bytes(const struct tg_table *table)
{
	return (size_t)table->buckets * sizeof(struct tg_bucket);
}

static size_t details_bytes(const struct tg_table *table)
{
	return (size_t)table->buckets * TG_BUCKET_WAYS * sizeof(struct tg_detail);
}

static size_t words_bytes(const struct tg_table *table)
{
	return (size_t)table->buckets * sizeof(__u64);
}

static int map_everything(struct replay_program *program)
{
	struct tcpguard_bpf *object = program->object;
	struct tg_table *table = &program->table;

	program->settings = map_memory(object->maps.tg_settings, sizeof(*program->settings));
	program->ports = map_memory(object->maps.tg_ports, 2 * sizeof(*program->ports));
	program->result = map_memory(object->maps.tg_result, sizeof(*program->result));
	table->bucket = map_memory(object->maps.tg_flows, buckets_bytes(table));
	table->detail = map_memory(object->maps.tg_details, details_bytes(table));
	table->word = map_memory(object->maps.tg_buckets, words_bytes(table));
	if (!program->settings || !program->ports || !program->result || !table->bucket || !table->detail ||
	    !table->word)
		return log_err(-errno, "cannot map the flow table");
	table->timeouts = &program->settings->config[0].timeouts;
	return 0;
}

int replay_program_load(struct replay_program *program, const struct tg_program *constants,
			bool egress)
{
	int err;

	memset(program, 0, sizeof(*program));
	program->ingress = program->egress = -1;
	program->table.buckets = constants->buckets;
	err = load_object(program, constants, egress);
	if (!err)
		err = map_everything(program);
	if (err) {
		replay_program_unload(program);
		return err;
	}
	program->ingress = bpf_program__fd(program->object->progs.tg_xdp_ingress);
	if (egress)
		program->egress = bpf_program__fd(program->object->progs.tg_tc_egress);
	return 0;
}

void replay_program_unload(struct replay_program *program)
{
	unmap_memory(program->settings, sizeof(*program->settings));
	unmap_memory(program->ports, 2 * sizeof(*program->ports));
	unmap_memory(program->result, sizeof(*program->result));
	unmap_memory(program->table.bucket, buckets_bytes(&program->table));
	unmap_memory(program->table.detail, details_bytes(&program->table));
	unmap_memory(program->table.word, words_bytes(&program->table));
	if (program->object)
		tcpguard_bpf__destroy(program->object);
	memset(program, 0, sizeof(*program));
}

int replay_program_run(const struct replay_program *program, const void *frame, uint32_t size,
		       bool egress)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size);

	return bpf_prog_test_run_opts(egress ? program->egress : program->ingress, &opts);
}
