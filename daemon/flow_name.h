/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection as people name it: 192.0.2.1:40000-192.0.2.2:80, [2001:db8::1]:40000-[2001:db8::2]:80. */
#ifndef TCPGUARD_FLOW_NAME_H
#define TCPGUARD_FLOW_NAME_H

#include "tcpguard/flow.h"

/* The key, in zone 0, and which side was named first (may be NULL).  -EINVAL after command said why. */
int flow_name_parse(const char *command, const char *argument, struct tg_flow_key *key,
		    enum tg_side *first);

#endif
