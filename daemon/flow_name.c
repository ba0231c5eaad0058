/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two endpoints with a dash between them. */
#include "flow_name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/key.h"
#include "log.h"
#include "options.h"

/* "192.0.2.1:80" or "[2001:db8::1]:80", all of the text. */
static int parse_endpoint(char *text, __be32 address[4], __be16 *port)
{
	char *colon = strrchr(text, ':'), *name = text;
	size_t length;
	uint32_t number;

	if (!colon || parse_u32(colon + 1, 0, UINT16_MAX, &number))
		return -EINVAL;
	*colon = '\0';
	*port = htons((uint16_t)number);
	length = strlen(text);
	memset(address, 0, 4 * sizeof(*address));
	if (text[0] == '[' && length > 2 && text[length - 1] == ']') {
		text[length - 1] = '\0';
		name++;
		return inet_pton(AF_INET6, name, address) == 1 ? 0 : -EINVAL;
	}
	address[2] = htonl(0xffff);
	return inet_pton(AF_INET, name, &address[3]) == 1 ? 0 : -EINVAL;
}

int flow_name_parse(const char *command, const char *argument, struct tg_flow_key *key,
		    enum tg_side *first)
{
	struct tg_packet packet = { .ipv4 = false };
	char text[128], *dash;
	enum tg_side side;

	if ((size_t)snprintf(text, sizeof(text), "%s", argument) < sizeof(text)) {
		dash = strchr(text, '-');
		if (dash) {
			*dash = '\0';
			if (!parse_endpoint(text, packet.saddr, &packet.sport) &&
			    !parse_endpoint(dash + 1, packet.daddr, &packet.dport)) {
				side = tg_packet_side(&packet);
				tg_key_from_packet(&packet, side, 0, key);
				if (first)
					*first = side;
				return 0;
			}
		}
	}
	log_err_hint(0, "say 192.0.2.1:40000-192.0.2.2:80 or [2001:db8::1]:40000-[2001:db8::2]:80",
		     "%s: '%s' names no connection", command, argument);
	return -EINVAL;
}
