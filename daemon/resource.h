/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to do about an error that means "not enough of it". */
#ifndef TCPGUARD_RESOURCE_H
#define TCPGUARD_RESOURCE_H

/* The remedy to print behind err (a negative errno); NULL if it is about something else. */
const char *resource_remedy(int err);

#endif
