/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a configuration file, from somebody whose word counts. */
#ifndef TCPGUARD_CONFIG_TEXT_H
#define TCPGUARD_CONFIG_TEXT_H

#include <stddef.h>

/*
 * The whole file, to be freed.  NULL, said: it cannot be read, is too large or too deeply nested to be
 * one, or everybody may write to it and so decide what is dropped.
 */
unsigned char *config_text_read(const char *path, size_t *size);

#endif
