/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which format of the lists' image (TG_LIST_FORMAT) a program reads: the kernel does not know, so it is
 * noted when a program is loaded, under its tag, which is that of its instructions.  Programs of another
 * format read nothing from an image: who exchanges one of the two asks here before.
 */
#ifndef TCPGUARD_LIST_FORMAT_H
#define TCPGUARD_LIST_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "pins.h"

/* This version's egress program has been loaded, and pins are there.  0 or -errno (said). */
int list_format_note(int program);

/* False if it reads another format, or was loaded by a version that made no notes. */
bool list_format_is_read(int program, uint8_t format);

/* An attached interface whose programs do not read this version's format; NULL if there is none. */
const struct tg_iface *list_format_other(const struct pins *pins);

/* With the maps. */
void list_format_forget(void);

#endif
