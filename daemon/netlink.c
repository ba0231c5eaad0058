/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink by hand: a few questions do not need a library. */
#include "netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_BYTES 65536
#define PATIENCE_S 5 /* the kernel answers at once; only a lost answer takes longer */

void netlink_begin(struct netlink_question *question, uint16_t type, uint16_t flags,
		   const void *family_header, size_t bytes)
{
	memset(question, 0, sizeof(*question));
	question->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(bytes);
	question->header.nlmsg_type = type;
	question->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	memcpy(NLMSG_DATA(&question->header), family_header, bytes);
}

void netlink_add(struct netlink_question *question, uint16_t type, const void *value, size_t bytes)
{
	size_t at = NLMSG_ALIGN(question->header.nlmsg_len);
	struct nlattr *attribute = (struct nlattr *)((char *)question + at);

	if (at + NLA_HDRLEN + NLA_ALIGN(bytes) > sizeof(*question))
		return; /* the kernel will miss it and say so */
	attribute->nla_type = type;
	attribute->nla_len = (uint16_t)(NLA_HDRLEN + bytes);
	memcpy((char *)attribute + NLA_HDRLEN, value, bytes);
	question->header.nlmsg_len = (uint32_t)(at + NLA_HDRLEN + NLA_ALIGN(bytes));
}

static int open_socket(int protocol)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* The messages of one datagram; *more stays true until the last of the dump, or the one. */
static int visit_all(const char *buffer, size_t got, netlink_visitor visit, void *context,
		     bool *more)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
	unsigned int left = (unsigned int)got;
	int err;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		if (message->nlmsg_type == NLMSG_DONE) {
			*more = false;
			return 0;
		}
		if (message->nlmsg_type == NLMSG_ERROR) {
			*more = false;
			return ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
		}
		err = visit(message, context);
		if (err)
			return err;
		*more = message->nlmsg_flags & NLM_F_MULTI;
	}
	return 0;
}

static int read_answers(int fd, char *buffer, netlink_visitor visit, void *context)
{
	bool more = true;
	int err = 0;

	while (more && !err) {
		ssize_t got = recv(fd, buffer, ANSWER_BYTES, 0);

		if (got < 0)
			return -errno;
		err = visit_all(buffer, (size_t)got, visit, context, &more);
	}
	return err;
}

int netlink_ask(int protocol, struct netlink_question *question, netlink_visitor visit,
		void *context)
{
	int fd = open_socket(protocol), err = 0;
	char *buffer;

	if (fd < 0)
		return fd;
	buffer = malloc(ANSWER_BYTES);
	if (!buffer)
		err = -ENOMEM;
	else if (send(fd, question, question->header.nlmsg_len, 0) < 0)
		err = -errno;
	else
		err = read_answers(fd, buffer, visit, context);
	free(buffer);
	close(fd);
	return err;
}

struct netlink_attributes netlink_attributes(const struct nlmsghdr *message, size_t family_header)
{
	size_t header = NLMSG_HDRLEN + NLMSG_ALIGN(family_header);
	struct netlink_attributes all = { .start = (const char *)message + header };

	if (message->nlmsg_len > header)
		all.bytes = message->nlmsg_len - header;
	return all;
}

const struct nlattr *netlink_next(struct netlink_attributes all, const struct nlattr *former)
{
	size_t at = 0;
	const struct nlattr *attribute;

	if (former)
		at = (size_t)((const char *)former - (const char *)all.start) + NLA_ALIGN(former->nla_len);
	if (at + NLA_HDRLEN > all.bytes)
		return NULL;
	attribute = (const struct nlattr *)((const char *)all.start + at);
	if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > all.bytes - at)
		return NULL;
	return attribute;
}

const struct nlattr *netlink_find(struct netlink_attributes all, uint16_t type)
{
	const struct nlattr *attribute = NULL;

	while ((attribute = netlink_next(all, attribute)))
		if ((attribute->nla_type & NLA_TYPE_MASK) == type)
			return attribute;
	return NULL;
}

size_t netlink_bytes(const struct nlattr *attribute)
{
	return attribute->nla_len - (size_t)NLA_HDRLEN;
}

const void *netlink_value(const struct nlattr *attribute)
{
	return (const char *)attribute + NLA_HDRLEN;
}

struct netlink_attributes netlink_nested(const struct nlattr *attribute)
{
	struct netlink_attributes all = { 0 };

	if (attribute) {
		all.start = netlink_value(attribute);
		all.bytes = netlink_bytes(attribute);
	}
	return all;
}

static void copy_value(struct netlink_attributes all, uint16_t type, void *out, size_t bytes)
{
	const struct nlattr *attribute = netlink_find(all, type);

	memset(out, 0, bytes);
	if (attribute && netlink_bytes(attribute) >= bytes)
		memcpy(out, netlink_value(attribute), bytes);
}

uint32_t netlink_u32(struct netlink_attributes all, uint16_t type)
{
	uint32_t value;

	copy_value(all, type, &value, sizeof(value));
	return value;
}

uint64_t netlink_u64(struct netlink_attributes all, uint16_t type)
{
	uint64_t value;

	copy_value(all, type, &value, sizeof(value));
	return value;
}

void netlink_text(struct netlink_attributes all, uint16_t type, char *text, size_t bytes)
{
	const struct nlattr *attribute = netlink_find(all, type);
	size_t length = 0;

	if (attribute) {
		length = strnlen(netlink_value(attribute), netlink_bytes(attribute));
		if (length >= bytes)
			length = bytes - 1;
		memcpy(text, netlink_value(attribute), length);
	}
	text[length] = '\0';
}
