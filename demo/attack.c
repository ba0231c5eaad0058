// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends forged TCP segments over IPv4 through an AF_PACKET socket, bounded in number and in time.
 * For the demo and the network tests: it sends through veth interfaces only.  Prints the number of
 * segments the interface took.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "attack_plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t options[4]; /* MSS, on SYN */
	uint8_t payload[PAYLOAD_MAX];
} __attribute__((packed));

static uint64_t random_state = 0x9e3779b97f4a7c15ULL;

static uint32_t draw(const struct range *range)
{
	uint64_t span = (uint64_t)range->hi - range->lo + 1;

	if (span == 1)
		return range->lo;
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return range->lo + (uint32_t)((random_state >> 16) % span);
}

/* Only virtual cables: forged segments must not leave this machine. */
static bool is_veth(int fd, const char *ifname)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (char *)&info };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	return !ioctl(fd, SIOCETHTOOL, &request) && !strcmp(info.driver, "veth");
}

static uint32_t sum_words(const void *data, size_t length, uint32_t sum)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (length & 1)
		sum += (uint32_t)bytes[length - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Fills one frame and returns its length. */
static size_t build_frame(const struct plan *plan, struct frame *frame, uint32_t number)
{
	size_t options = plan->flags & SYN ? sizeof(frame->options) : 0;
	size_t tcp_length = sizeof(frame->tcp) + options + plan->payload;
	uint8_t *tcp = (uint8_t *)&frame->tcp;
	uint32_t walked = number * plan->step, sum;
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tos = plan->tos,
		.tot_len = htons((uint16_t)(sizeof(ip) + tcp_length)),
		.id = htons((uint16_t)number),
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = htonl(draw(&plan->src)),
		.daddr = htonl(plan->dst),
	};
	uint32_t ports = plan->dport.hi - plan->dport.lo + 1;
	uint32_t dport = plan->sweep ? plan->dport.lo + number % ports : draw(&plan->dport);
	uint32_t seq = plan->sweep ? plan->seq.lo + walked : draw(&plan->seq);
	struct tcphdr header = {
		.source = htons((uint16_t)draw(&plan->sport)),
		.dest = htons((uint16_t)dport),
		.seq = htonl(seq),
		.ack_seq = plan->flags & ACK ? htonl(draw(&plan->ack)) : 0,
		.window = htons((uint16_t)plan->window),
	};

	header.doff = (sizeof(header) + options) / 4;
	memcpy(&frame->ip, &ip, sizeof(ip));
	ip.check = fold(sum_words((uint8_t *)frame + sizeof(frame->eth), sizeof(ip), 0));
	memcpy(&frame->ip, &ip, sizeof(ip));
	memcpy(tcp, &header, sizeof(header));
	tcp[13] = plan->flags;
	if (options)
		memcpy(tcp + sizeof(header), "\x02\x04\x05\xb4", sizeof(frame->options));
	memset(tcp + sizeof(header) + options, 'A', plan->payload);

	sum = sum_words(&ip.saddr, sizeof(ip.saddr), IPPROTO_TCP + (uint32_t)tcp_length);
	sum = sum_words(&ip.daddr, sizeof(ip.daddr), sum);
	header.check = fold(sum_words(tcp, tcp_length, sum));
	memcpy(tcp + offsetof(struct tcphdr, check), &header.check, sizeof(header.check));
	return sizeof(frame->eth) + sizeof(ip) + tcp_length;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int open_socket(const struct plan *plan)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int bypass = 1, fd;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	to.sll_ifindex = (int)if_nametoindex(plan->ifname);
	if (!to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	if (!is_veth(fd, plan->ifname)) {
		close(fd);
		errno = EMEDIUMTYPE;
		return -1;
	}
	/* Without a queue: what the interface cannot take is an error here, not a surprise later. */
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass));
	return fd;
}

static uint32_t send_batch(int fd, struct mmsghdr *messages, uint32_t count)
{
	int sent = sendmmsg(fd, messages, count, 0);

	return sent > 0 ? (uint32_t)sent : 0;
}

static uint32_t attack(const struct plan *plan, int fd)
{
	static struct frame frames[BATCH];
	static struct mmsghdr messages[BATCH];
	static struct iovec vectors[BATCH];
	double began = now_s(), until = began + plan->seconds;
	uint32_t sent = 0;

	for (int i = 0; i < BATCH; i++) {
		memcpy(frames[i].eth.h_dest, plan->to_mac, ETH_ALEN);
		memcpy(frames[i].eth.h_source, "\x02\x00\x00\x00\xbb\xbb", ETH_ALEN);
		frames[i].eth.h_proto = htons(ETH_P_IP);
		vectors[i].iov_base = &frames[i];
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < plan->count && now_s() < until) {
		uint32_t batch = plan->count - sent < BATCH ? plan->count - sent : BATCH;
		double due = plan->rate ? began + (double)sent / plan->rate : 0;
		double early = due - now_s();

		if (early > 0) {
			usleep((useconds_t)(early * 1e6));
			continue;
		}
		for (uint32_t i = 0; i < batch; i++)
			vectors[i].iov_len = build_frame(plan, &frames[i], sent + i);
		sent += send_batch(fd, messages, batch);
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct plan plan = {
		.sport = { 1024, 65535 },
		.dport = { 80, 80 },
		.seq = { 0, UINT32_MAX },
		.ack = { 0, UINT32_MAX },
		.seconds = 10,
		.window = 64240,
	};
	int fd;

	parse_options(&plan, argc, argv);
	fd = open_socket(&plan);
	if (fd < 0) {
		fprintf(stderr, "attack: cannot send through '%s': %s\n", plan.ifname,
			errno == EMEDIUMTYPE ? "not a veth" : strerror(errno));
		return 1;
	}
	printf("%u\n", attack(&plan, fd));
	close(fd);
	return 0;
}
