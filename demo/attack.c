// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends forged TCP segments over IPv4 through an AF_PACKET socket, bounded in number and in time.
 * For the demo and the network tests: it sends through veth interfaces only.  Prints the number of
 * segments the interface took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define PAYLOAD_MAX 1400
#define COUNT_MAX 20000000
#define SECONDS_MAX 60

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20

static const struct kind {
	const char *name;
	uint8_t flags;
} kinds[] = {
	{ "syn", SYN },
	{ "synack", SYN | ACK },
	{ "ack", ACK },
	{ "data", ACK | PSH },
	{ "fin", FIN | ACK },
	{ "rst", RST },
	{ "rstack", RST | ACK },
	{ "null", 0 },
	{ "xmas", FIN | PSH | URG },
	{ "synfin", SYN | FIN },
	{ "finscan", FIN },
};

/* A number that is drawn from lo..hi for each segment. */
struct range {
	uint32_t lo;
	uint32_t hi;
};

struct plan {
	uint8_t flags;
	const char *ifname;
	uint8_t to_mac[ETH_ALEN];
	struct range src, sport, dport, seq, ack;
	uint32_t dst;
	uint32_t count;
	uint32_t rate; /* segments a second, 0: as fast as it goes */
	uint32_t seconds;
	uint32_t payload;
	uint32_t window;
	uint8_t tos; /* tells the observer behind tcpguard whose segment it is */
	bool sweep; /* walk dport and seq through their ranges instead of drawing them */
	uint32_t step;
};

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

static void usage(void)
{
	fputs("usage: attack KIND -i IFACE -m MAC -s ADDR[/LEN] -d ADDR -n COUNT [options]\n"
	      "  KIND: syn synack ack data fin rst rstack null xmas synfin finscan\n"
	      "  -S, -D LO[-HI]  source and destination port (default 1024-65535, 80)\n"
	      "  -q, -a LO[-HI]  sequence and acknowledgement number (default: any)\n"
	      "  -l BYTES payload  -w WINDOW  -T TOS  -r RATE a second  -t SECONDS at most (10)\n"
	      "  -x STEP  walk destination port and sequence number instead of drawing them\n",
	      stderr);
	exit(2);
}

static uint32_t parse_number(const char *text, uint32_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *text < '0' || *text > '9' || *end || value > max) {
		fprintf(stderr, "attack: '%s' is not a number up to %u\n", text, max);
		usage();
	}
	return (uint32_t)value;
}

static struct range parse_range(char *text, uint32_t max)
{
	char *dash = strchr(text, '-');
	struct range range;

	if (dash)
		*dash = '\0';
	range.lo = parse_number(text, max);
	range.hi = dash ? parse_number(dash + 1, max) : range.lo;
	if (range.hi < range.lo)
		usage();
	return range;
}

static struct range parse_prefix(char *text)
{
	char *slash = strchr(text, '/');
	uint32_t length = 32, mask;
	struct range range;
	struct in_addr addr;

	if (slash) {
		*slash = '\0';
		length = parse_number(slash + 1, 32);
	}
	if (inet_pton(AF_INET, text, &addr) != 1)
		usage();
	mask = length ? ~0U << (32 - length) : 0;
	range.lo = ntohl(addr.s_addr) & mask;
	range.hi = range.lo | ~mask;
	return range;
}

static void parse_mac(const char *text, uint8_t *mac)
{
	int used = 0;

	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
		   &mac[4], &mac[5], &used) != ETH_ALEN ||
	    text[used])
		usage();
}

static uint8_t parse_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(name, kinds[i].name))
			return kinds[i].flags;
	}
	usage();
	return 0;
}

static void parse_options(struct plan *plan, int argc, char **argv)
{
	struct in_addr addr;
	int option;

	if (argc < 2)
		usage();
	plan->flags = parse_kind(argv[1]);
	optind = 2;
	while ((option = getopt(argc, argv, "i:m:s:d:n:S:D:q:a:l:w:T:r:t:x:")) != -1) {
		switch (option) {
		case 'i':
			plan->ifname = optarg;
			break;
		case 'm':
			parse_mac(optarg, plan->to_mac);
			break;
		case 's':
			plan->src = parse_prefix(optarg);
			break;
		case 'd':
			if (inet_pton(AF_INET, optarg, &addr) != 1)
				usage();
			plan->dst = ntohl(addr.s_addr);
			break;
		case 'n':
			plan->count = parse_number(optarg, COUNT_MAX);
			break;
		case 'S':
			plan->sport = parse_range(optarg, UINT16_MAX);
			break;
		case 'D':
			plan->dport = parse_range(optarg, UINT16_MAX);
			break;
		case 'q':
			plan->seq = parse_range(optarg, UINT32_MAX);
			break;
		case 'a':
			plan->ack = parse_range(optarg, UINT32_MAX);
			break;
		case 'l':
			plan->payload = parse_number(optarg, PAYLOAD_MAX);
			break;
		case 'w':
			plan->window = parse_number(optarg, UINT16_MAX);
			break;
		case 'T':
			plan->tos = (uint8_t)parse_number(optarg, UINT8_MAX);
			break;
		case 'r':
			plan->rate = parse_number(optarg, UINT32_MAX);
			break;
		case 't':
			plan->seconds = parse_number(optarg, SECONDS_MAX);
			break;
		case 'x':
			plan->sweep = true;
			plan->step = parse_number(optarg, UINT32_MAX);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !plan->ifname || !plan->dst || !plan->count || !plan->src.hi)
		usage();
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
