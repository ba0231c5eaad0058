/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet parser on any bytes: the first byte says how the interface was configured, the rest is
 * the frame, whose memory ends where it does.  What comes out must be what a segment can be.
 */
#include "tests/fuzz/fuzz.h"

#include "bpf/parse_packet.h"
#include "tcpguard/verdict.h"

#define FRAME_BYTES_MAX 4096
#define IP_BYTES_MAX 65535U

static void check_segment(const struct tg_packet *pkt)
{
	__u32 counted = !!(pkt->flags & TG_SYN) + !!(pkt->flags & TG_FIN);

	FUZZ_CHECK(!(pkt->flags & ~(TG_FIN | TG_SYN | TG_RST | TG_PSH | TG_ACK | TG_URG)));
	FUZZ_CHECK(!(pkt->options &
		     ~(TG_OPT_WSCALE | TG_OPT_TIMESTAMPS | TG_OPT_SACK | TG_OPT_MSS | TG_OPT_SACK_PERMITTED |
		       TG_OPT_SIGNED)));
	FUZZ_CHECK((pkt->options & TG_OPT_MSS) || !pkt->mss);
	FUZZ_CHECK(pkt->wscale <= TG_WSCALE_MAX);
	FUZZ_CHECK((pkt->options & TG_OPT_WSCALE) || !pkt->wscale);
	FUZZ_CHECK((pkt->options & TG_OPT_TIMESTAMPS) || !pkt->tsval);
	FUZZ_CHECK((pkt->options & TG_OPT_SACK) || !pkt->sack_right);
	FUZZ_CHECK(pkt->payload <= IP_BYTES_MAX);
	FUZZ_CHECK(pkt->payload <= pkt->bytes);
	FUZZ_CHECK(pkt->end == pkt->seq + pkt->payload + counted);
	FUZZ_CHECK(pkt->bytes <= IP_BYTES_MAX + sizeof(struct tg_ipv6));
}

/* An IPv4 address is written as ::ffff:a.b.c.d, and nothing else is. */
static void check_addresses(const struct tg_packet *pkt)
{
	const __be32 mapped[3] = { 0, 0, bpf_htonl(0xffff) };

	if (!pkt->ipv4)
		return;
	FUZZ_CHECK(!memcmp(pkt->saddr, mapped, sizeof(mapped)));
	FUZZ_CHECK(!memcmp(pkt->daddr, mapped, sizeof(mapped)));
}

/* What the parser itself may decide: all but the last three are about the bytes alone. */
static bool parser_may_say(enum tg_verdict verdict)
{
	switch (verdict) {
	case TG_DROP_BAD_HDR:
	case TG_DROP_TINY_FRAG:
	case TG_DROP_BAD_CSUM:
	case TG_DROP_EXT_DEPTH:
	case TG_PASS_EXT_DEPTH:
	case TG_DROP_FRAG:
	case TG_PASS_FRAG:
	case TG_PASS_NOT_TCP:
		return true;
	default:
		return false;
	}
}

static void check_verdict(enum tg_verdict verdict, const struct tg_program *program)
{
	if (!parser_may_say(verdict))
		FUZZ_FAIL("the parser said %d", verdict);
	FUZZ_CHECK(verdict != TG_DROP_BAD_CSUM || program->verify_csum);
	FUZZ_CHECK(program->strict || (verdict != TG_DROP_FRAG && verdict != TG_DROP_EXT_DEPTH));
	FUZZ_CHECK(!program->strict || (verdict != TG_PASS_FRAG && verdict != TG_PASS_EXT_DEPTH));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t how = fuzz_u8(&input);
	struct tg_program program = {
		.no_link_header = how & 1,
		.strict = how >> 1 & 1,
		.verify_csum = how >> 2 & 1,
	};
	struct tg_packet pkt = { .segments = 1 };
	size_t length = FRAME_BYTES_MAX;
	uint8_t *frame = fuzz_take(&input, &length);
	enum tg_verdict verdict =
		tg_parse(frame, frame + length, &program, program.verify_csum, &pkt);

	if (verdict) {
		check_verdict(verdict, &program);
	} else {
		if (pkt.jumbo && !pkt.icmp_error) {
			/*
			 * The payload is as long as the buffer says; with padding it may be longer
			 * than sent.
			 */
			tg_jumbo_payload(&pkt, (__u32)length);
			FUZZ_CHECK(pkt.payload <= length);
			pkt.bytes = (__u32)length;
		}
		if (!pkt.icmp_error)
			check_segment(&pkt);
		check_addresses(&pkt);
	}
	fuzz_touch(&pkt, sizeof(pkt));
	free(frame);
	return 0;
}
