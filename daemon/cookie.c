/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kind of SYN cookie can be used here, and changing the secret. */
#include "cookie.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "log.h"
#include "pins_path.h"

#define STEP_MS 1000 /* of the wall clock */

/* Younger than the headers of libbpf 1.1 need be. */
#define HELPER_TCP_CHECK_SYNCOOKIE ((enum bpf_func_id)100)
#define HELPER_TCP_GEN_SYNCOOKIE ((enum bpf_func_id)110)
#define HELPER_SKC_TO_TCP_SOCK ((enum bpf_func_id)137)
#define HELPER_CHECK_MTU ((enum bpf_func_id)163)
#define HELPER_XDP_STORE_BYTES ((enum bpf_func_id)190)

#define KERNEL_HANDS_OVER "bpf_sk_assign_tcp_reqsk"

/* What is not there decides; what could not be looked at does not. */
static void note_passing(int *err)
{
	if (pins_path_passing(-errno))
		*err = -errno;
}

/* The index-th number of a file below /proc/sys/net, or 0: this namespace's, not another mount's. */
static uint32_t read_sysctl(const char *name, unsigned int index, int *err)
{
	char path[96], text[128] = "", *at = text, *end;
	unsigned long long value = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		note_passing(err);
		return 0;
	}
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return 0;
	do {
		value = strtoull(at, &end, 10);
		if (end == at)
			return 0;
		at = end;
	} while (index--);
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static bool helpers_exist(void)
{
	static const enum bpf_func_id helpers[] = {
		HELPER_TCP_CHECK_SYNCOOKIE,
		HELPER_TCP_GEN_SYNCOOKIE,
		HELPER_SKC_TO_TCP_SOCK,
		HELPER_CHECK_MTU,
		HELPER_XDP_STORE_BYTES,
	};
	size_t i;

	for (i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helpers[i], NULL) != 1)
			return false;
	return true;
}

static bool kernel_hands_over(int *err)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool yes = btf && btf__find_by_name_kind(btf, KERNEL_HANDS_OVER, BTF_KIND_FUNC) > 0;

	if (!btf)
		note_passing(err);
	btf__free(btf);
	return yes;
}

static enum tg_cookie_kind best_kind(const struct netdev *dev, enum tg_profile profile, int *err)
{
	/* 0: the kernel takes no cookie whatsoever, not even one it is handed. */
	if (profile != TG_PROFILE_HOST || dev->no_link_header ||
	    !read_sysctl("ipv4/tcp_syncookies", 0, err) || !helpers_exist())
		return TG_COOKIE_NONE;
	return kernel_hands_over(err) ? TG_COOKIE_OWN : TG_COOKIE_LISTENER;
}

static uint8_t stack_options(int *err)
{
	return (uint8_t)((read_sysctl("ipv4/tcp_timestamps", 0, err) ? TG_COOKIE_TIMESTAMPS : 0) |
			 (read_sysctl("ipv4/tcp_window_scaling", 0, err) ? TG_COOKIE_WSCALE : 0) |
			 (read_sysctl("ipv4/tcp_sack", 0, err) ? TG_COOKIE_SACK : 0) |
			 (read_sysctl("ipv4/tcp_ecn", 0, err) ? TG_COOKIE_ECN : 0));
}

int cookie_plan(const struct netdev *dev, enum tg_profile profile, bool generic,
		uint32_t jiffies_mult, struct tg_cookie_program *plan)
{
	int err = 0;
	uint32_t receive = read_sysctl("ipv4/tcp_rmem", 2, &err);
	uint32_t ceiling = read_sysctl("core/rmem_max", 0, &err);

	memset(plan, 0, sizeof(*plan));
	plan->kind = (__u8)best_kind(dev, profile, &err);
	plan->options = stack_options(&err);
	plan->veth = !generic && !strcmp(dev->driver, "veth");
	plan->no_link_header = dev->no_link_header;
	plan->receive_max = receive > ceiling ? receive : ceiling;
	plan->jiffies_mult = jiffies_mult;
	memcpy(plan->mac, dev->mac, sizeof(plan->mac));
	return err ? log_err(err, "cannot find out which SYN cookies '%s' can use", dev->name) : 0;
}

void cookie_degrade(struct tg_cookie_program *plan)
{
	plan->kind = plan->kind == TG_COOKIE_OWN && !plan->veth ? TG_COOKIE_LISTENER :
								  TG_COOKIE_NONE;
}

bool cookie_needs_ingress(const struct tg_cookie_program *plan)
{
	return plan->kind == TG_COOKIE_OWN || (plan->kind && plan->veth);
}

static int draw(void *bytes, size_t size)
{
	ssize_t got = getrandom(bytes, size, 0);

	if (got < 0)
		return -errno;
	return got == (ssize_t)size ? 0 : -EIO;
}

int cookie_fill(struct tg_cookies *cookies)
{
	int err;

	memset(cookies, 0, sizeof(*cookies));
	err = draw(cookies->secret, sizeof(cookies->secret));
	return err ? err : draw(&cookies->timestamp_base, sizeof(cookies->timestamp_base));
}

static uint64_t wall_offset_ms(uint64_t now_ms)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 - now_ms;
}

void cookie_set_wall_clock(struct tg_cookies *cookies, uint64_t now_ms)
{
	TG_WRITE_ONCE(cookies->wall_offset_ms, wall_offset_ms(now_ms));
}

bool cookie_follow_wall_clock(struct tg_cookies *cookies, uint64_t now_ms)
{
	int64_t step_ms = (int64_t)(wall_offset_ms(now_ms) - TG_READ_ONCE(cookies->wall_offset_ms));

	if (step_ms >= -STEP_MS && step_ms <= STEP_MS)
		return false;
	cookie_set_wall_clock(cookies, now_ms);
	return true;
}

void cookie_change_secret(struct tg_cookies *cookies, const struct tg_cookie_secret *secret,
			  uint64_t now_ms)
{
	__u32 fresh = (cookies->newest & 1) ^ 1;

	/* Nobody uses the other one while it is written. */
	TG_WRITE_ONCE(cookies->former_until_ms, 0);
	__sync_synchronize();
	cookies->secret[fresh] = *secret;
	__sync_synchronize();
	/* Before the index: a cookie just sent is good at every moment. */
	TG_WRITE_ONCE(cookies->former_until_ms, now_ms + 2 * TG_COOKIE_LIFE_MS);
	TG_WRITE_ONCE(cookies->newest, fresh);
	TG_WRITE_ONCE(cookies->rotated_at_s, (uint64_t)time(NULL));
}
