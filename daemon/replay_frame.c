/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Link headers, lengths and what a short snap length took away; see replay_frame.h. */
#include "replay_frame.h"

#include <arpa/inet.h>
#include <string.h>

#include <pcap/pcap.h>

#include "bpf/headers.h"
#include "bpf/packet.h"
#include "tcpguard/flow.h"

#define ETHERNET_BYTES 14
#define HEADERS_MAX 192 /* Ethernet, two tags, IP and TCP with all options, or an ICMP error */
#define IP_LENGTH_MAX 65535U
/* Kinds of TCP options, RFC 9293 3.2 and RFC 7323 2.2. */
#define OPTION_EOL 0
#define OPTION_NOP 1
#define OPTION_WSCALE 3
#define PIECE_BYTES 49152U /* payload of a piece: any number that fits */
#define LENGTH_MAX (1U << 20) /* no system builds a longer packet: Linux' GSO_MAX_SIZE is 524280 */

/* --- link types ----------------------------------------------------------------------------------- */

struct link_row {
	int link;
	uint32_t header;
	/* The EtherType of what follows the header, which is all there. */
	uint16_t (*type)(const uint8_t *data, uint32_t header);
};

static uint16_t be16_at(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

static void put_be16(uint8_t *data, uint32_t value)
{
	data[0] = (uint8_t)(value >> 8);
	data[1] = (uint8_t)value;
}

static uint16_t type_at_end(const uint8_t *data, uint32_t header)
{
	return be16_at(data + header - 2);
}

static uint16_t type_at_start(const uint8_t *data, uint32_t header)
{
	(void)header;
	return be16_at(data);
}

/* The address family of the system that captured, in its byte order or (loop) in network order. */
static uint16_t type_of_family(const uint8_t *data, uint32_t header)
{
	(void)header;
	switch (data[0] | data[1] ? data[1] << 8 | data[0] : data[2] << 8 | data[3]) {
	case 2:
		return TG_ETHERTYPE_IPV4;
	case 10: /* Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return TG_ETHERTYPE_IPV6;
	default:
		return 0;
	}
}

static uint16_t type_of_version(const uint8_t *data, uint32_t header)
{
	return data[header] >> 4 == 6 ? TG_ETHERTYPE_IPV6 : TG_ETHERTYPE_IPV4;
}

static const struct link_row links[] = {
	{ DLT_EN10MB, ETHERNET_BYTES, type_at_end },
	{ DLT_LINUX_SLL, 16, type_at_end },
	{ DLT_LINUX_SLL2, 20, type_at_start },
	{ DLT_RAW, 0, type_of_version },
	{ DLT_IPV4, 0, type_of_version },
	{ DLT_IPV6, 0, type_of_version },
	{ DLT_NULL, 4, type_of_family },
	{ DLT_LOOP, 4, type_of_family },
	{ DLT_C_HDLC, 4, type_at_end },
};

static const struct link_row *find_link(int link)
{
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].link == link)
			return &links[i];
	return NULL;
}

const char *replay_frame_refusal(int link)
{
	if (find_link(link))
		return NULL;
	switch (link) {
	case DLT_IEEE802_11:
	case DLT_IEEE802_11_RADIO:
	case DLT_IEEE802_11_RADIO_AVS:
	case DLT_PRISM_HEADER:
	case DLT_PPI:
		return "802.11 frames are mostly encrypted: capture on the interface without monitor mode";
	default:
		return "Ethernet, Linux cooked, raw IP and loopback captures can be replayed";
	}
}

/* --- building ------------------------------------------------------------------------------------- */

/* The IP header, behind at most two VLAN tags, as the data path finds it. */
static void find_ip(struct replay_frame *frame)
{
	uint32_t at = ETHERNET_BYTES;
	uint16_t type = be16_at(frame->bytes + 12);
	int tag;

	for (tag = 0; tag < 2; tag++) {
		if ((type != TG_ETHERTYPE_VLAN && type != TG_ETHERTYPE_QINQ &&
		     type != TG_ETHERTYPE_QINQ_OLD) ||
		    at + 4 > frame->size)
			break;
		type = be16_at(frame->bytes + at + 2);
		at += 4;
	}
	if (type == TG_ETHERTYPE_IPV4 && at + sizeof(struct tg_ipv4) <= frame->size)
		frame->version = 4;
	else if (type == TG_ETHERTYPE_IPV6 && at + sizeof(struct tg_ipv6) <= frame->size)
		frame->version = 6;
	frame->ip_at = frame->version ? at : 0;
}

/* The TCP header right behind IPv4, IPv6, or the one header that BIG TCP puts in between. */
static void find_tcp(struct replay_frame *frame)
{
	const uint8_t *ip = frame->bytes + frame->ip_at;
	uint32_t header = sizeof(struct tg_ipv6);

	if (frame->version == 4) {
		header = (ip[0] & 0x0fU) * 4;
		if (ip[9] != TG_PROTO_TCP || header < sizeof(struct tg_ipv4) ||
		    be16_at(ip + 6) & TG_IPV4_FRAGMENT_OFFSET)
			return;
	} else if (ip[6] == TG_PROTO_HOPOPTS && frame->ip_at + header + 8 <= frame->size &&
		   ip[header] == TG_PROTO_TCP) {
		header += (ip[header + 1] + 1U) * 8;
	} else if (ip[6] != TG_PROTO_TCP) {
		return;
	}
	if (frame->ip_at + header + sizeof(struct tg_tcp) <= frame->size)
		frame->tcp_at = frame->ip_at + header;
}

/* How much of the packet can hold headers. */
static uint32_t wanted_bytes(const struct replay_frame *frame)
{
	return frame->version == 6 && frame->bytes[frame->ip_at + 6] != TG_PROTO_TCP ?
		       REPLAY_FRAME_MAX :
		       HEADERS_MAX;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Copies what follows the link header, up to limit bytes of the frame. */
static void copy_packet(struct replay_frame *frame, const struct capture_packet *packet,
			uint32_t skip, uint32_t limit)
{
	uint32_t size = smaller(packet->captured - skip, limit - ETHERNET_BYTES);

	memcpy(frame->bytes + ETHERNET_BYTES, packet->data + skip, size);
	frame->size = ETHERNET_BYTES + size;
}

/* Of the bytes before the option list was cut off: where the first incomplete option begins. */
static uint32_t options_known(const uint8_t *options, uint32_t have, bool *ended, bool *scaled)
{
	uint32_t at = 0;

	while (at < have) {
		uint8_t kind = options[at];

		if (kind == OPTION_EOL) {
			*ended = true;
			return at;
		}
		if (kind == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= have)
			return at;
		if (options[at + 1] < 2) {
			*ended = true;
			return at;
		}
		if (at + options[at + 1] > have)
			return kind == OPTION_WSCALE ? at : at + options[at + 1];
		if (kind == OPTION_WSCALE)
			*scaled = true;
		at += options[at + 1];
	}
	return at;
}

static void fill_options(struct replay_frame *frame)
{
	uint8_t *tcp = frame->bytes + frame->tcp_at, *options = tcp + sizeof(struct tg_tcp);
	uint32_t wanted = (tcp[12] >> 4) * 4U, have = frame->size - frame->tcp_at, known;
	bool ended = false, scaled = false;

	if (have >= wanted || frame->tcp_at + wanted > frame->length)
		return;
	wanted -= sizeof(struct tg_tcp);
	have -= sizeof(struct tg_tcp);
	known = options_known(options, have, &ended, &scaled);
	memset(options + have, 0, wanted - have);
	if ((tcp[13] & TG_SYN) && !ended && !scaled && known + 3 <= wanted) {
		options[known] = OPTION_WSCALE;
		options[known + 1] = 3;
		options[known + 2] = TG_WSCALE_MAX;
	}
	frame->size = frame->tcp_at + sizeof(struct tg_tcp) + wanted;
	frame->options_filled = true;
}

/* An IP length of 0 means "as long as the buffer": here the buffer is not the whole packet. */
static void fill_length(struct replay_frame *frame)
{
	uint8_t *ip = frame->bytes + frame->ip_at;
	uint8_t *field = ip + (frame->version == 4 ? 2 : 4);
	uint32_t before = frame->ip_at + (frame->version == 4 ? 0 : sizeof(struct tg_ipv6));
	uint32_t length = frame->length - before;

	if (frame->size >= frame->length || be16_at(field))
		return;
	if (length <= IP_LENGTH_MAX) {
		put_be16(field, length);
	} else if (frame->tcp_at) {
		uint32_t header = frame->tcp_at + (frame->bytes[frame->tcp_at + 12] >> 4) * 4U;

		frame->pieces = (frame->length - header + PIECE_BYTES - 1) / PIECE_BYTES;
		frame->flags = frame->bytes[frame->tcp_at + 13];
	}
	frame->length_filled = true;
}

static void begin(struct replay_frame *frame)
{
	frame->size = frame->length = frame->ip_at = frame->tcp_at = 0;
	frame->version = frame->flags = 0;
	frame->headers_cut = frame->options_filled = frame->length_filled = false;
	frame->pieces = 1;
}

bool replay_frame_build(struct replay_frame *frame, const struct capture_packet *packet)
{
	const struct link_row *row = find_link(packet->link);

	begin(frame);
	/* Of a header of no bytes, the type is told by the first byte of the packet. */
	if (!row || packet->captured < row->header + !row->header) {
		frame->headers_cut = !row || packet->captured < packet->length;
		return false;
	}
	if (row->link == DLT_EN10MB) {
		memcpy(frame->bytes, packet->data, ETHERNET_BYTES);
	} else {
		memset(frame->bytes, 0, ETHERNET_BYTES - 2);
		put_be16(frame->bytes + 12, row->type(packet->data, row->header));
	}
	frame->length = smaller(packet->length, LENGTH_MAX) - row->header + ETHERNET_BYTES;
	copy_packet(frame, packet, row->header, HEADERS_MAX);
	find_ip(frame);
	if (wanted_bytes(frame) > HEADERS_MAX)
		copy_packet(frame, packet, row->header, REPLAY_FRAME_MAX);
	if (frame->ip_at)
		find_tcp(frame);
	if (frame->tcp_at)
		fill_options(frame);
	if (frame->ip_at)
		fill_length(frame);
	frame->headers_cut = frame->size < frame->length && frame->size < wanted_bytes(frame);
	/* The TC program cannot be run on a bare Ethernet header; a byte more is no IP header either. */
	if (frame->size == ETHERNET_BYTES)
		frame->bytes[frame->size++] = 0;
	return true;
}

void replay_frame_piece(struct replay_frame *frame, uint32_t i)
{
	uint8_t *ip = frame->bytes + frame->ip_at, *tcp = frame->bytes + frame->tcp_at;
	uint32_t header = (tcp[12] >> 4) * 4U, seq, payload;

	payload = smaller(frame->length - frame->tcp_at - header - i * PIECE_BYTES, PIECE_BYTES);
	if (frame->version == 4)
		put_be16(ip + 2, frame->tcp_at - frame->ip_at + header + payload);
	else
		put_be16(ip + 4, frame->tcp_at - frame->ip_at - sizeof(struct tg_ipv6) + header + payload);
	/* The FIN is behind the last byte. */
	tcp[13] = i + 1 == frame->pieces ? frame->flags : frame->flags & (uint8_t)~TG_FIN;
	if (i) {
		memcpy(&seq, tcp + 4, sizeof(seq));
		seq = htonl(ntohl(seq) + PIECE_BYTES);
		memcpy(tcp + 4, &seq, sizeof(seq));
	}
}

bool replay_frame_source(const struct replay_frame *frame, __be32 address[4])
{
	const uint8_t *ip = frame->bytes + frame->ip_at;

	if (!frame->ip_at)
		return false;
	if (frame->version == 6) {
		memcpy(address, ip + 8, 16);
		return true;
	}
	address[0] = address[1] = 0;
	address[2] = htonl(0xffff);
	memcpy(&address[3], ip + 12, 4);
	return true;
}
