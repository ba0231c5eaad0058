/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the socket iterator, inserts and updates flows.
 *
 * Writing while the data path writes.  A new flow is claimed, filled and published like any other.
 * A flow that is live is raised field by field (compare-and-swap, as the data path does).  One that
 * cannot be this socket's, or was adopted with wide bounds, is overwritten in place, numbers first
 * and facts last: whoever passes meanwhile is judged by old facts, and the interface does not
 * enforce yet (datapath.c).  A new generation instead would mark it SUSPECT under load.
 */
#include "seed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "seed.skel.h"

#include "bpf/flow_view.h"
#include "log.h"
#include "resource.h"
#include "seed_flow.h"

#define RECORDS_AT_ONCE 512
#define PORTS 65536
#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

struct seed {
	struct seed_bpf *skeleton;
	struct bpf_link *link;
};

/* One pass. */
struct pass {
	const struct pins *pins;
	struct tg_hash_key hash;
	__u16 zone;
	__u32 now_ms;
	struct seed_counts *counts;
	__u8 listens[PORTS / 8]; /* the iterator tells listeners first */
};

/* libbpf says ESRCH where the kernel's own type information is missing, and more that helps nobody. */
static int say_load_error(int err)
{
	if (access(KERNEL_BTF, R_OK)) {
		log_err_hint(0, "a kernel built with CONFIG_DEBUG_INFO_BTF has it",
			     "cannot attach: this kernel has no type information (" KERNEL_BTF ")");
		return -EOPNOTSUPP;
	}
	return log_err_hint(err, resource_remedy(err) ? resource_remedy(err) : "--no-seed attaches without",
			    "cannot load the socket iterator (iter/tcp)");
}

int seed_open(struct seed **out)
{
	struct seed *seed = calloc(1, sizeof(*seed));
	int err;

	*out = NULL;
	if (!seed)
		return log_err(-ENOMEM, "cannot seed from sockets");
	seed->skeleton = seed_bpf__open_and_load();
	if (!seed->skeleton) {
		err = say_load_error(-errno);
		goto fail;
	}
	seed->link = bpf_program__attach_iter(seed->skeleton->progs.tg_seed, NULL);
	if (!seed->link) {
		err = log_err_hint(-errno, "--no-seed attaches without",
				   "cannot start the socket iterator (iter/tcp)");
		goto fail;
	}
	*out = seed;
	return 0;

fail:
	seed_close(seed);
	return err;
}

void seed_close(struct seed *seed)
{
	if (!seed)
		return;
	bpf_link__destroy(seed->link);
	seed_bpf__destroy(seed->skeleton);
	free(seed);
}

static void fill_flow(const struct pass *pass, const struct tg_ref *ref, const struct seed_flow *flow)
{
	struct tg_detail *detail = tg_detail_at(&pass->pins->table, ref->number);
	int side;

	memset(detail, 0, sizeof(*detail));
	detail->key = flow->key;
	detail->created_ms = pass->now_ms;
	for (side = 0; side < TG_SIDE_MAX; side++) {
		detail->isn[side] = flow->isn[side];
		detail->count[side].last_ms = pass->now_ms;
		ref->slot->half[side] = flow->half[side];
	}
	ref->slot->stamp_ms = pass->now_ms;
	tg_flow_publish(ref);
}

/* Facts once seen are never taken back here: the packet that follows the record may have set them. */
static void raise_half(struct tg_half *have, const struct tg_half *want)
{
	if (!(want->facts & TG_FACT_SYN))
		return;
	tg_raise(&have->end, want->end, false);
	tg_raise_window(&have->maxwin, want->maxwin);
	if (want->facts & TG_FACT_HASACK) {
		tg_raise(&have->ack, want->ack, false);
		tg_raise(&have->right, want->right, false);
	}
	tg_add_facts(have, want->facts & TG_FACT_MASK);
}

static void overwrite_half(struct tg_half *have, const struct tg_half *want)
{
	TG_WRITE_ONCE(have->end, want->end);
	TG_WRITE_ONCE(have->ack, want->ack);
	TG_WRITE_ONCE(have->right, want->right);
	TG_WRITE_ONCE(have->maxwin, want->maxwin);
	__sync_synchronize();
	TG_WRITE_ONCE(have->facts, want->facts);
}

/* The claim's flags say how the flow came to be; whoever swaps it at this moment wins. */
static void name_origin(struct tg_ref *ref, const struct seed_flow *flow)
{
	__u32 flags = tg_claim_flags(flow->opener, TG_ORIGIN_SEED);
	__u32 claim = ref->claim & ~(TG_CLAIM_ORIGIN_MASK | TG_CLAIM_OPENER_HI | TG_CLAIM_SUSPECT);

	__sync_val_compare_and_swap(&ref->slot->claim, ref->claim, claim | flags);
}

static void update_flow(const struct pass *pass, struct tg_ref *ref, const struct seed_flow *flow)
{
	struct tg_detail *detail = tg_detail_at(&pass->pins->table, ref->number);
	/* This pass began, and read the socket, after the flow's last segment. */
	bool silent = tg_seq_after(pass->now_ms, TG_READ_ONCE(ref->slot->stamp_ms));
	int side;

	if (memcmp(&detail->key, &flow->key, sizeof(flow->key)) != 0)
		return; /* another flow has this tag: PASS_COLLISION */
	if (seed_flow_agrees(flow, ref->slot->half) &&
	    !(silent && seed_flow_is_former(flow, ref->slot->half))) {
		for (side = 0; side < TG_SIDE_MAX; side++)
			raise_half(&ref->slot->half[side], &flow->half[side]);
		return;
	}
	for (side = 0; side < TG_SIDE_MAX; side++) {
		TG_WRITE_ONCE(detail->isn[side], flow->isn[side]);
		overwrite_half(&ref->slot->half[side], &flow->half[side]);
	}
	TG_WRITE_ONCE(ref->slot->stamp_ms, pass->now_ms);
	name_origin(ref, flow);
}

static void seed_record(struct pass *pass, const struct tg_seed_record *record)
{
	__u16 port = ntohs(record->local_port);
	struct tg_ref ref = { 0 };
	struct seed_flow flow;
	int found;

	if (record->state == TG_SOCKET_LISTEN)
		pass->listens[port / 8] |= 1 << port % 8;
	if (!seed_flow_from_record(record, pass->zone, pass->listens[port / 8] >> port % 8 & 1, &flow))
		return;
	found = tg_flow_claim(&pass->pins->table, tg_tag_of_key(&pass->hash, &flow.key),
			      tg_claim_flags(flow.opener, TG_ORIGIN_SEED), pass->now_ms, &ref);
	if (found == TG_FOUND_BUSY)
		return; /* the data path is opening it; the next pass meets it live */
	if (!ref.slot) {
		pass->counts->no_room++;
		return;
	}
	if (found == TG_FOUND_LIVE)
		update_flow(pass, &ref, &flow);
	else
		fill_flow(pass, &ref, &flow);
	pass->counts->sockets++;
}

/* The kernel hands out whole records, but read() may be asked again in the middle of one. */
static int read_records(int fd, struct pass *pass)
{
	struct tg_seed_record records[RECORDS_AT_ONCE];
	size_t held = 0, i;

	for (;;) {
		ssize_t got = read(fd, (char *)records + held, sizeof(records) - held);

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return log_err(-errno, "cannot read the socket iterator");
		if (!got)
			return 0;
		held += (size_t)got;
		for (i = 0; (i + 1) * sizeof(records[0]) <= held; i++)
			seed_record(pass, &records[i]);
		held -= i * sizeof(records[0]);
		memmove(records, &records[i], held);
	}
}

int seed_pass(struct seed *seed, const struct pins *pins, __u16 zone, struct seed_counts *counts)
{
	struct pass *pass = calloc(1, sizeof(*pass));
	uint64_t now_ms;
	int fd, err;

	*counts = (struct seed_counts){ 0 };
	if (!pass)
		return log_err(-ENOMEM, "cannot seed from sockets");
	err = pins_now_ms(pins, &now_ms);
	if (err)
		goto out;
	pass->pins = pins;
	pass->zone = zone;
	pass->now_ms = (__u32)now_ms;
	pass->counts = counts;
	tg_hash_key_for_zone(pins->info.coefficient, zone, &pass->hash);

	fd = bpf_iter_create(bpf_link__fd(seed->link));
	if (fd < 0) {
		err = log_err(-errno, "cannot read the socket iterator");
		goto out;
	}
	err = read_records(fd, pass);
	close(fd);
	if (counts->no_room)
		TG_WRITE_ONCE(pins->settings->refused_ms, pass->now_ms);
out:
	free(pass);
	return err;
}
