/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of command.h as a script that a shell reads.  One file for each shell. */
#ifndef TCPGUARD_OUTPUT_COMPLETION_H
#define TCPGUARD_OUTPUT_COMPLETION_H

/* Where a script finds the interfaces of its own network namespace. */
#define COMPLETION_INTERFACES "/sys/class/net"

void output_completion_bash(void);
void output_completion_zsh(void);
void output_completion_fish(void);

#endif
