/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses by getifaddrs(3), gateways by rtnetlink, the ssh peer by the environment. */
#include "list_guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "log.h"

#define ANCESTORS 32 /* processes looked at for the ssh session */
#define ENVIRONMENT_BYTES 65536
#define NETLINK_BYTES 32768

struct precious {
	struct prefix address;
	char what[48]; /* "the address of eth0" */
};

struct list_guard {
	struct precious *precious;
	size_t count;
};

static int add(struct list_guard *guard, struct prefix address, const char *what, const char *name)
{
	struct precious *grown =
		reallocarray(guard->precious, guard->count + 1, sizeof(*guard->precious));

	if (!grown)
		return -ENOMEM;
	guard->precious = grown;
	grown[guard->count].address = address;
	snprintf(grown[guard->count].what, sizeof(grown->what), "%s%s", what, name);
	guard->count++;
	return 0;
}

static int add_own_addresses(struct list_guard *guard)
{
	struct ifaddrs *all, *one;
	int err = 0;

	if (getifaddrs(&all))
		return log_err(-errno, "cannot list this host's addresses");
	for (one = all; one && !err; one = one->ifa_next) {
		const void *address = one->ifa_addr;

		if (address && one->ifa_addr->sa_family == AF_INET)
			err = add(guard,
				  prefix_of_ipv4(&((const struct sockaddr_in *)address)->sin_addr),
				  "the address of ", one->ifa_name);
		else if (address && one->ifa_addr->sa_family == AF_INET6)
			err = add(guard,
				  prefix_of_ipv6(&((const struct sockaddr_in6 *)address)->sin6_addr),
				  "the address of ", one->ifa_name);
	}
	freeifaddrs(all);
	return err;
}

static int add_gateway(struct list_guard *guard, const void *address, size_t bytes)
{
	if (bytes == 4)
		return add(guard, prefix_of_ipv4(address), "the default gateway", "");
	return bytes == 16 ? add(guard, prefix_of_ipv6(address), "the default gateway", "") : 0;
}

/* RTA_GATEWAY and RTA_VIA, of a route or of one hop of a multipath route. */
static int add_gateways_of(struct list_guard *guard, struct rtattr *attribute, int left)
{
	int err = 0;

	for (; RTA_OK(attribute, left) && !err; attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == RTA_GATEWAY) {
			err = add_gateway(guard, RTA_DATA(attribute), RTA_PAYLOAD(attribute));
		} else if (attribute->rta_type == RTA_VIA) {
			const struct rtvia *via = RTA_DATA(attribute);

			err = add_gateway(guard, via->rtvia_addr,
					  RTA_PAYLOAD(attribute) - sizeof(via->rtvia_family));
		} else if (attribute->rta_type == RTA_MULTIPATH) {
			struct rtnexthop *hop = RTA_DATA(attribute);
			int hops = (int)RTA_PAYLOAD(attribute);

			for (; RTNH_OK(hop, hops) && !err; hop = RTNH_NEXT(hop)) {
				err = add_gateways_of(guard, RTNH_DATA(hop),
						      hop->rtnh_len - (int)RTNH_LENGTH(0));
				hops -= RTNH_ALIGN(hop->rtnh_len);
			}
		}
	}
	return err;
}

/* 1: the dump goes on, 0: it is complete, or -errno. */
static int read_routes(struct list_guard *guard, struct nlmsghdr *message, size_t left)
{
	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		const struct rtmsg *route = NLMSG_DATA(message);
		int err = 0;

		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		if (message->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
		if (message->nlmsg_type == RTM_NEWROUTE && !route->rtm_dst_len &&
		    !(route->rtm_flags & RTM_F_CLONED))
			err = add_gateways_of(guard, RTM_RTA(route), (int)RTM_PAYLOAD(message));
		if (err)
			return err;
	}
	return 1;
}

static int ask_for_routes(struct list_guard *guard, int fd)
{
	const struct {
		struct nlmsghdr header;
		struct rtmsg route;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_GETROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.route = { .rtm_family = AF_UNSPEC },
	};
	char *buffer = malloc(NETLINK_BYTES);
	int more = 1;

	if (!buffer)
		return -ENOMEM;
	if (send(fd, &request, sizeof(request), 0) < 0)
		more = -errno;
	while (more > 0) {
		ssize_t got = recv(fd, buffer, NETLINK_BYTES, 0);

		if (got < 0 && errno == EINTR)
			continue;
		more = got < 0 ? -errno : read_routes(guard, (void *)buffer, (size_t)got);
	}
	free(buffer);
	return more;
}

static int add_default_gateways(struct list_guard *guard)
{
	int fd, err;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return log_err(-errno, "cannot ask for the default gateways");
	err = ask_for_routes(guard, fd);
	close(fd);
	return err ? log_err(err, "cannot list the default gateways") : 0;
}

/* "198.51.100.7 51532 203.0.113.10 22" */
static int add_ssh_peer(struct list_guard *guard, const char *connection)
{
	char text[64], why[PREFIX_WHY_BYTES];
	size_t length = strcspn(connection, " %"); /* a link-local address has its interface behind % */
	struct prefix peer;

	if (!length || length >= sizeof(text))
		return 0;
	memcpy(text, connection, length);
	text[length] = '\0';
	if (prefix_parse(text, &peer, why))
		return 0;
	return add(guard, peer, "the other end of this ssh session", "");
}

static pid_t parent_of(pid_t pid)
{
	char path[32], line[512];
	FILE *file;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* The name in parentheses may hold anything. */
	if (fgets(line, sizeof(line), file) && strrchr(line, ')') &&
	    sscanf(strrchr(line, ')'), ") %*c %d", &parent) != 1)
		parent = 0;
	fclose(file);
	return parent;
}

/* Adds what one process says of its ssh session, if it does.  Unreadable: it says nothing. */
static int ask_process(struct list_guard *guard, pid_t pid, char *buffer)
{
	static const char name[] = "SSH_CONNECTION=";
	char path[40];
	size_t bytes, at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	bytes = fread(buffer, 1, ENVIRONMENT_BYTES - 1, file);
	fclose(file);
	buffer[bytes] = '\0';
	for (at = 0; at < bytes; at += strlen(buffer + at) + 1)
		if (!strncmp(buffer + at, name, strlen(name)))
			return add_ssh_peer(guard, buffer + at + strlen(name));
	return 0;
}

/* sudo and su take the variable away: whoever called them still has it. */
static int add_ssh_peers(struct list_guard *guard)
{
	char *buffer = malloc(ENVIRONMENT_BYTES);
	pid_t pid = getpid();
	int i, err = 0;

	if (!buffer)
		return -ENOMEM;
	for (i = 0; i < ANCESTORS && pid > 1 && !err; i++) {
		err = ask_process(guard, pid, buffer);
		pid = parent_of(pid);
	}
	free(buffer);
	return err;
}

int list_guard_open(struct list_guard **out)
{
	struct list_guard *guard = calloc(1, sizeof(*guard));
	int err;

	*out = NULL;
	if (!guard)
		return log_err(-ENOMEM, "cannot list what must not be blocked");
	err = add_own_addresses(guard);
	if (!err)
		err = add_default_gateways(guard);
	if (!err)
		err = add_ssh_peers(guard);
	if (err)
		list_guard_close(guard);
	else
		*out = guard;
	return err;
}

void list_guard_close(struct list_guard *guard)
{
	if (guard)
		free(guard->precious);
	free(guard);
}

bool list_guard_refuses(const struct list_guard *guard, const struct prefix *prefix, char *why)
{
	unsigned int widest = prefix->ipv4 ? LIST_GUARD_WIDEST_IPV4 : LIST_GUARD_WIDEST_IPV6;
	char text[PREFIX_TEXT_BYTES], address[PREFIX_TEXT_BYTES];
	size_t i;

	if (prefix_bits(prefix) < widest) {
		snprintf(why, PREFIX_WHY_BYTES, "%s is wider than /%u", prefix_text(text, prefix),
			 widest);
		return true;
	}
	for (i = 0; i < guard->count; i++) {
		const struct precious *precious = &guard->precious[i];

		if (!prefix_covers(prefix, &precious->address))
			continue;
		prefix_text(address, &precious->address);
		snprintf(why, PREFIX_WHY_BYTES, "%s would block %s%s%s", prefix_text(text, prefix),
			 precious->what, prefix->length < 128 ? ", " : "",
			 prefix->length < 128 ? address : "");
		return true;
	}
	return false;
}
