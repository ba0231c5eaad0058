/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The version, which the Makefile knows. */
#ifndef TCPGUARD_VERSION_H
#define TCPGUARD_VERSION_H

#ifndef TCPGUARD_VERSION
#define TCPGUARD_VERSION "0.1.0"
#endif

#endif
