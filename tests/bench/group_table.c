/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table as a whole: one ageing pass, memory, and what the translated program calls. */
#include "tests/bench/guard.h"
#include "tests/bench/kernel_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "daemon/ager.h"

#define FLOWS (1 << 20)

/* --- ageing ---------------------------------------------------------------------------------------- */

struct ageing {
	struct program_object object;
	struct guard *guard;
	struct ager *ager;
	uint64_t passes; /* that saw every entry */
};

/* "n times" is one pass here: the row is per pass. */
static int64_t run_sweep(struct variant *variant, uint32_t n)
{
	struct ageing *ageing = variant->context;
	uint64_t began = thread_cpu_ns();
	const struct ager_pass *pass;
	uint64_t seen = 0;
	int class;

	(void)n;
	ager_sweep(ageing->ager, guard_settings(ageing->guard), guard_now_ms(ageing->guard));
	began = thread_cpu_ns() - began;
	pass = ager_last_pass(ageing->ager);
	for (class = 0; class < AGER_CLASS_MAX; class ++)
		seen += pass->seen[class];
	if (seen >= FLOWS * 0.999)
		ageing->passes++;
	return (int64_t)began;
}

static uint64_t sweep_hits(struct variant *variant)
{
	return ((struct ageing *)variant->context)->passes;
}

struct hash_ageing {
	struct program_object object;
	struct kernel_maps *maps;
};

static int64_t run_hash_ageing(struct variant *variant, uint32_t n)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint64_t began = thread_cpu_ns();
	int err = bpf_prog_test_run_opts(variant->program, &opts);

	(void)n;
	return err ? err : (int64_t)(thread_cpu_ns() - began);
}

static uint64_t hash_hits(struct variant *variant)
{
	return program_driver_hits(variant) / FLOWS;
}

void group_ageing(struct bench *bench)
{
	struct kernel_maps *maps = kernel_maps_open(FLOWS);
	struct guard *guard = guard_open_bench(FLOWS);
	struct ageing ageing = { .guard = guard };
	struct variant v[2] = {};
	size_t i;

	ageing.ager = guard ? ager_new(guard_table(guard), 2 * FLOWS) : NULL; /* no pressure */
	if (!maps || !ageing.ager || guard_fill(guard, FLOWS) < 0 || kernel_maps_fill(maps, FLOWS)) {
		group_failed(bench, "ageing", "cannot be set up");
		goto out;
	}
	snprintf(v[0].name, sizeof(v[0].name), "tcpguard's sweep, one pass");
	v[0].run = run_sweep;
	v[0].hits = sweep_hits;
	v[0].context = &ageing;
	kernel_maps_variant(maps, "bench_age", "for_each on kernel HASH, one pass", &v[1]);
	v[1].run = run_hash_ageing;
	v[1].hits = hash_hits;
	for (i = 0; i < 2; i++) {
		v[i].flows = FLOWS;
		v[i].repeat = 1;
	}
	measure(bench, "ageing", v, 2);
out:
	ager_free(ageing.ager);
	guard_close(guard);
	kernel_maps_close(maps);
}

/* --- memory ---------------------------------------------------------------------------------------- */

static void add_bytes(struct bench *bench, const char *name, uint64_t bytes)
{
	double per_flow = (double)bytes / FLOWS;

	row_add(bench, "memory", name, FLOWS, "bytes a flow", &per_flow, 1);
}

static uint64_t guard_map_bytes(const struct guard *guard, const char *name)
{
	return map_bytes(bpf_object__find_map_fd_by_name(guard_object(guard), name));
}

void group_memory(struct bench *bench)
{
	struct kernel_maps *maps = kernel_maps_open(FLOWS);
	struct guard *guard = guard_open_bench(FLOWS);
	uint64_t hot, words, details;

	if (!maps || !guard) {
		group_failed(bench, "memory", "cannot be set up");
	} else {
		hot = guard_map_bytes(guard, "tg_flows");
		words = guard_map_bytes(guard, "tg_buckets");
		details = guard_map_bytes(guard, "tg_details");
		add_bytes(bench, "tcpguard, hot table", hot + words);
		add_bytes(bench, "tcpguard, all", hot + words + details);
		add_bytes(bench, "kernel HASH, 16-byte key, 128-byte value",
			  kernel_maps_bytes(maps, "bench_hash"));
		add_bytes(bench, "kernel LRU_HASH, the same", kernel_maps_bytes(maps, "bench_lru"));
	}
	guard_close(guard);
	kernel_maps_close(maps);
}

/* --- calls ----------------------------------------------------------------------------------------- */

#define ENTRY "tg_xdp_ingress"
#define LONG_WAY "tg_xdp_judge" /* which an established segment never takes */
#define LISTS_WAY "tg_xdp_fast" /* which it takes where there are lists */
#define FUNCTIONS_MAX 64

/* The translated program: what the kernel runs, look-ups inlined. */
struct translated {
	struct bpf_insn *insns;
	uint32_t count;
	struct bpf_func_info functions[FUNCTIONS_MAX];
	uint32_t function_count;
	struct btf *btf;
};

static int read_translated(int fd, struct translated *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	program->count = info.xlated_prog_len / sizeof(struct bpf_insn);
	program->function_count = info.nr_func_info;
	program->insns = calloc(program->count, sizeof(struct bpf_insn));
	program->btf = btf__load_from_kernel_by_id(info.btf_id);
	if (!program->insns || !program->btf || info.nr_func_info > FUNCTIONS_MAX ||
	    info.func_info_rec_size != sizeof(program->functions[0]))
		return -EINVAL;
	memset(&info, 0, sizeof(info));
	info.xlated_prog_len = program->count * (__u32)sizeof(struct bpf_insn);
	info.xlated_prog_insns = (__u64)(uintptr_t)program->insns;
	info.nr_func_info = program->function_count;
	info.func_info_rec_size = sizeof(program->functions[0]);
	info.func_info = (__u64)(uintptr_t)program->functions;
	return bpf_obj_get_info_by_fd(fd, &info, &size) ? -errno : 0;
}

/* Number of the function of that name, or function_count. */
static uint32_t find_function(const struct translated *program, const char *name)
{
	uint32_t i;

	for (i = 0; i < program->function_count; i++) {
		const struct btf_type *type =
			btf__type_by_id(program->btf, program->functions[i].type_id);

		if (!strcmp(btf__name_by_offset(program->btf, type->name_off), name))
			break;
	}
	return i;
}

/*
 * The short way is all of the entry function but its calls of the long way and of the one with lists.
 * Other calls in it, or -ENOENT: it has not exactly one way to each.
 */
static int count_calls(const struct translated *program)
{
	uint32_t entry = find_function(program, ENTRY), long_way = find_function(program, LONG_WAY);
	uint32_t lists_way = find_function(program, LISTS_WAY), at, end;
	int calls = 0, exits[2] = { 0, 0 };

	if (entry == program->function_count || long_way == program->function_count ||
	    lists_way == program->function_count)
		return -ENOENT;
	end = entry + 1 < program->function_count ? program->functions[entry + 1].insn_off :
						    program->count;
	for (at = program->functions[entry].insn_off; at < end; at++) {
		const struct bpf_insn *insn = &program->insns[at];

		if (insn->code != (BPF_JMP | BPF_CALL))
			continue;
		/* The kernel has replaced the distance by the function's number. */
		if (insn->src_reg == BPF_PSEUDO_CALL && (uint32_t)insn->imm == long_way)
			exits[0]++;
		else if (insn->src_reg == BPF_PSEUDO_CALL && (uint32_t)insn->imm == lists_way)
			exits[1]++;
		else
			calls++;
	}
	return exits[0] == 1 && exits[1] == 1 ? calls : -ENOENT;
}

/* An established segment is judged where it comes in: what is executed is whatever the entry calls. */
void group_calls(struct bench *bench)
{
	struct guard *guard = guard_open_shipped(1024);
	const struct bpf_program *ingress =
		guard ? bpf_object__find_program_by_name(guard_object(guard), ENTRY) : NULL;
	struct translated program = {};
	double calls;
	int executed;

	if (!ingress || read_translated(bpf_program__fd(ingress), &program)) {
		group_failed(bench, "calls", "cannot read the translated program");
	} else {
		executed = count_calls(&program);
		if (executed < 0) {
			group_failed(bench, "calls", "no short way in " ENTRY);
		} else {
			calls = executed;
			row_add(bench, "calls", "calls, shipped, ACK", 1, "calls", &calls, 1);
		}
	}
	free(program.insns);
	btf__free(program.btf);
	guard_close(guard);
}
