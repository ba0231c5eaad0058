/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts and stops the daemon from a command.  What the daemon does: cmd_daemon.c. */
#ifndef TCPGUARD_DAEMON_START_H
#define TCPGUARD_DAEMON_START_H

#define DAEMON_NAME "tcpguard" /* to ps, and to who wants to end it */

/*
 * Starts a daemon unless one runs and waits until it is ready; errors are said.  words: of its command
 * line, one a line, for where systemd does not start it; may be NULL or "".
 */
int daemon_start(const char *words);

/* The same through systemd, in silence; -ENOENT where it does not manage us, -EIO if it fails. */
int daemon_start_unit(void);

/*
 * Asks the daemon of our bpffs, if one runs, to end and waits until it has.  It is who holds the lock, whatever
 * pid the settings name.  Errors are said.
 */
int daemon_stop(void);

#endif
