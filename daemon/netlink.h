/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One question over netlink, its answers one by one.  No policy, no message on errors. */
#ifndef TCPGUARD_NETLINK_H
#define TCPGUARD_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#define NETLINK_QUESTION_BYTES 128

/* A question under construction. */
struct netlink_question {
	struct nlmsghdr header __attribute__((aligned(4)));
	char room[NETLINK_QUESTION_BYTES];
};

/* A run of attributes. */
struct netlink_attributes {
	const void *start;
	size_t bytes;
};

/* 0, or -errno to end with it. */
typedef int (*netlink_visitor)(const struct nlmsghdr *message, void *context);

/* flags: NLM_F_DUMP, NLM_F_ACK or 0; family_header follows the netlink header. */
void netlink_begin(struct netlink_question *question, uint16_t type, uint16_t flags,
		   const void *family_header, size_t bytes);
void netlink_add(struct netlink_question *question, uint16_t type, const void *value, size_t bytes);

/*
 * Asks, and visits every answer: all of a dump, else the one.  0 or -errno: the socket's, the
 * kernel's, or the visitor's.
 */
int netlink_ask(int protocol, struct netlink_question *question, netlink_visitor visit,
		void *context);

/* The attributes behind a family header of so many bytes. */
struct netlink_attributes netlink_attributes(const struct nlmsghdr *message, size_t family_header);

/* The first of that type, or NULL; a truncated one is no attribute. */
const struct nlattr *netlink_find(struct netlink_attributes all, uint16_t type);
/* Walks: the one after former, the first if that is NULL; NULL at the end. */
const struct nlattr *netlink_next(struct netlink_attributes all, const struct nlattr *former);

size_t netlink_bytes(const struct nlattr *attribute);
const void *netlink_value(const struct nlattr *attribute);
struct netlink_attributes netlink_nested(const struct nlattr *attribute);

/* Values of absent or short attributes are 0 and "". */
uint32_t netlink_u32(struct netlink_attributes all, uint16_t type);
uint64_t netlink_u64(struct netlink_attributes all, uint16_t type);
void netlink_text(struct netlink_attributes all, uint16_t type, char *text, size_t bytes);

#endif
