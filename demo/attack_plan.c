// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of attack. */
#include "attack_plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 20000000
#define SECONDS_MAX 60

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

void parse_options(struct plan *plan, int argc, char **argv)
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
