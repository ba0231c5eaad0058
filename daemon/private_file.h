/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files written for their owner alone: captures. */
#ifndef TCPGUARD_PRIVATE_FILE_H
#define TCPGUARD_PRIVATE_FILE_H

#include <stdio.h>

/*
 * Empty, mode 0600 whatever it was before; "-" is standard output, and a pipe of one's own or a device is
 * written to as it is.  NULL, said, for a symbolic link, a file or pipe of somebody else's, or a file with
 * further names.
 */
FILE *private_file_open(const char *path);

#endif
