// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same programs for an interface that is shared with others through libxdp's dispatcher.  Newer
 * kernels (6.12.y and 7.2 were seen to) refuse an extension that may change packets where what it extends does not, even in code
 * that is never reached: these do not answer SYNs.
 */
#define TG_SHARES_XDP 1
#include "tcpguard.bpf.c"
