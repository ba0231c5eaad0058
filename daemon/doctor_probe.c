/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running kernel can, found out by asking it: programs of two instructions are loaded and
 * thrown away, nothing is attached to an interface.  Versions prove little, since distributions
 * backport.
 */
#include "doctor.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

/* Younger than the headers of libbpf 1.1. */
#define ATTACH_TCX_EGRESS ((enum bpf_attach_type)47)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RETURN(number) \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = (number) }, \
	{ \
		.code = BPF_JMP | BPF_EXIT \
	}

/* A return value that every program type used here allows. */
static const struct bpf_insn nothing[] = { RETURN(0) };

static const struct bpf_insn exchange[] = {
	{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8 },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1 },
	{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_1, .off = -8, .imm = BPF_CMPXCHG },
	RETURN(0),
};

static bool is_refusal(int err)
{
	return err == -EPERM || err == -EACCES;
}

/* Closes what the kernel gave. */
static enum doctor_answer answer(int fd)
{
	if (fd < 0)
		return is_refusal(-errno) ? DOCTOR_UNKNOWN : DOCTOR_NO;
	close(fd);
	return DOCTOR_YES;
}

static int load(enum bpf_prog_type type, const struct bpf_insn *code, size_t count,
		const struct bpf_prog_load_opts *options)
{
	return bpf_prog_load(type, "tg_probe", "GPL", code, count, options);
}

/* False without the right to load; answers two questions with one program. */
static bool probe_load(struct doctor_kernel *kernel)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = load(BPF_PROG_TYPE_XDP, nothing, COUNT(nothing), NULL);

	if (fd < 0) {
		kernel->xdp = is_refusal(-errno) ? DOCTOR_UNKNOWN : DOCTOR_NO;
		return false;
	}
	kernel->xdp = DOCTOR_YES;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		kernel->jit = info.jited_prog_len ? DOCTOR_YES : DOCTOR_NO;
	close(fd);
	return true;
}

static enum doctor_answer probe_frags(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS);

	return answer(load(BPF_PROG_TYPE_XDP, nothing, COUNT(nothing), &options));
}

static enum doctor_answer probe_map(enum bpf_map_type type, __u32 key, __u32 value, __u32 entries,
				    __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);

	return answer(bpf_map_create(type, "tg_probe", key, value, entries, &options));
}

/* The question itself needs CAP_NET_ADMIN; a kernel without tcx does not know the attach type. */
static enum doctor_answer probe_tcx(void)
{
	__u32 count = 0, loopback = if_nametoindex("lo");

	if (!loopback)
		return DOCTOR_UNKNOWN;
	if (!bpf_prog_query((int)loopback, ATTACH_TCX_EGRESS, 0, NULL, NULL, &count))
		return DOCTOR_YES;
	return is_refusal(-errno) ? DOCTOR_UNKNOWN : DOCTOR_NO;
}

static enum doctor_answer probe_iterator(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_ITER);
	int type = libbpf_find_vmlinux_btf_id("tcp", BPF_TRACE_ITER);

	if (type <= 0)
		return DOCTOR_NO;
	options.attach_btf_id = (__u32)type;
	return answer(load(BPF_PROG_TYPE_TRACING, nothing, COUNT(nothing), &options));
}

static enum doctor_answer probe_helper(enum bpf_prog_type type, enum bpf_func_id helper)
{
	int known = libbpf_probe_bpf_helper(type, helper, NULL);

	return known < 0 ? DOCTOR_UNKNOWN : known ? DOCTOR_YES :
						    DOCTOR_NO;
}

static enum doctor_answer probe_kfunc(const char *name)
{
	struct btf *types = btf__load_vmlinux_btf();
	enum doctor_answer known;

	if (!types)
		return DOCTOR_UNKNOWN;
	known = btf__find_by_name_kind(types, name, BTF_KIND_FUNC) > 0 ? DOCTOR_YES : DOCTOR_NO;
	btf__free(types);
	return known;
}

/* --- replacing a function, as libxdp's dispatcher does -------------------------------------------- */

/* int main(struct xdp_md *) { return replaced(); }  int replaced(struct xdp_md *) { return 0; } */
static const struct bpf_insn dispatcher[] = {
	{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 1 },
	{ .code = BPF_JMP | BPF_EXIT },
	RETURN(0),
};
#define REPLACED_AT 2

struct dispatcher_types {
	struct btf *btf;
	int main;
	int replaced;
};

static int describe_dispatcher(struct dispatcher_types *types)
{
	struct btf *btf = btf__new_empty();
	int number, context, pointer, prototype;

	types->btf = btf;
	if (!btf)
		return -errno;
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	context = btf__add_struct(btf, "xdp_md", 0);
	pointer = btf__add_ptr(btf, context);
	prototype = btf__add_func_proto(btf, number);
	if (number < 0 || context < 0 || pointer < 0 || prototype < 0 ||
	    btf__add_func_param(btf, "ctx", pointer))
		return -ENOMEM;
	types->main = btf__add_func(btf, "tg_probe_main", BTF_FUNC_STATIC, prototype);
	types->replaced = btf__add_func(btf, "tg_probe_slot", BTF_FUNC_GLOBAL, prototype);
	if (types->main < 0 || types->replaced < 0)
		return -ENOMEM;
	return btf__load_into_kernel(btf);
}

static int load_dispatcher(const struct dispatcher_types *types)
{
	const struct bpf_func_info functions[] = {
		{ .insn_off = 0, .type_id = (__u32)types->main },
		{ .insn_off = REPLACED_AT, .type_id = (__u32)types->replaced },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_btf_fd = (__u32)btf__fd(types->btf),
		    .func_info = functions, .func_info_cnt = COUNT(functions),
		    .func_info_rec_size = sizeof(functions[0]));

	return load(BPF_PROG_TYPE_XDP, dispatcher, COUNT(dispatcher), &options);
}

/* Puts a program in the place of a function of the dispatcher, which is attached nowhere. */
static enum doctor_answer replace_function(const struct dispatcher_types *types, int target)
{
	const struct bpf_func_info function = { .type_id = (__u32)types->replaced };
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_btf_fd = (__u32)btf__fd(types->btf),
		    .func_info = &function, .func_info_cnt = 1,
		    .func_info_rec_size = sizeof(function),
		    .attach_prog_fd = (__u32)target, .attach_btf_id = (__u32)types->replaced);
	int program = load(BPF_PROG_TYPE_EXT, nothing, COUNT(nothing), &options);
	int link;

	if (program < 0)
		return DOCTOR_NO;
	link = bpf_raw_tracepoint_open(NULL, program);
	close(program);
	if (link < 0)
		return DOCTOR_NO;
	close(link);
	return DOCTOR_YES;
}

static enum doctor_answer probe_freplace(void)
{
	enum doctor_answer known = DOCTOR_UNKNOWN;
	struct dispatcher_types types = { 0 };
	int target;

	if (!describe_dispatcher(&types)) {
		target = load_dispatcher(&types);
		if (target >= 0) {
			known = replace_function(&types, target);
			close(target);
		}
	}
	btf__free(types.btf);
	return known;
}

/* -------------------------------------------------------------------------------------------------- */

static unsigned int tick_rate(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || !tick.tv_nsec)
		return 0;
	return (unsigned int)((1000000000 + tick.tv_nsec / 2) / tick.tv_nsec);
}

void doctor_read_kernel(struct doctor_kernel *kernel)
{
	struct utsname names;

	memset(kernel, 0, sizeof(*kernel));
	if (!uname(&names))
		snprintf(kernel->release, sizeof(kernel->release), "%s", names.release);
	kernel->syscall = syscall(SYS_bpf, -1, NULL, 0) == 0 || errno != ENOSYS;
	kernel->btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	kernel->hz = tick_rate();
	kernel->may_load = kernel->syscall && probe_load(kernel);
	kernel->tcx = probe_tcx();
	if (!kernel->may_load)
		return;
	kernel->sched_cls = answer(load(BPF_PROG_TYPE_SCHED_CLS, nothing, COUNT(nothing), NULL));
	kernel->atomics = answer(load(BPF_PROG_TYPE_XDP, exchange, COUNT(exchange), NULL));
	kernel->frags = probe_frags();
	kernel->mmapable = probe_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE);
	kernel->ringbuf = probe_map(BPF_MAP_TYPE_RINGBUF, 0, 0, (__u32)sysconf(_SC_PAGESIZE), 0);
	kernel->iter_tcp = probe_iterator();
	kernel->freplace = probe_freplace();
	kernel->cookies = probe_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_tcp_gen_syncookie);
	kernel->raw_cookies = probe_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_tcp_raw_gen_syncookie_ipv4);
	kernel->assign_reqsk = probe_kfunc("bpf_sk_assign_tcp_reqsk");
	kernel->memcg = probe_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns);
}
