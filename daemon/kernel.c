/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tries the features without which the programs cannot be loaded, so that their lack is named. */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "log.h"

#define TYPES_OF_KERNEL "/sys/kernel/btf/vmlinux"

/* Younger than some kernel headers. */
#define ATOMIC (BPF_STX | BPF_DW | 0xc0)
#define COMPARE_AND_EXCHANGE (0xf0 | 0x01)

const char *kernel_name(char *buffer, unsigned long size)
{
	struct utsname name;

	snprintf(buffer, size, "Linux %s", uname(&name) ? "(unknown)" : name.release);
	return buffer;
}

/*
 * Compare-and-exchange (5.12), by a program of nothing else.  The global functions with pointer
 * arguments that the programs consist of came with the same release, and have no shorter test.
 */
static int try_atomics(void)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_0, .off = -8 },
		{ .code = ATOMIC, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_0, .off = -8, .imm = COMPARE_AND_EXCHANGE },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "tg_try_atomics", "GPL", program,
			       sizeof(program) / sizeof(program[0]), NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int say_lacking(const char *what)
{
	char name[96];

	log_err_hint(0, "Linux " KERNEL_MINIMUM " or later has it",
		     "cannot attach: this kernel (%s) has no %s", kernel_name(name, sizeof(name)), what);
	return -EOPNOTSUPP;
}

int kernel_check(void)
{
	if (access(TYPES_OF_KERNEL, R_OK))
		return say_lacking("description of its types, " TYPES_OF_KERNEL " (CONFIG_DEBUG_INFO_BTF)");
	/* Other errors are for the programs themselves to meet: rights, memory, lockdown. */
	if (try_atomics() == -EINVAL)
		return say_lacking("compare-and-exchange in BPF programs");
	return 0;
}
