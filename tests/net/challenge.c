// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * challenge PPS: writes the flood threshold into the pinned settings, in both configurations: 1 has every
 * SYN challenged, 0 none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "tcpguard/config.h"

int main(int argc, char **argv)
{
	size_t size = (sizeof(struct tg_settings) + 4095) & ~(size_t)4095;
	int fd = bpf_obj_get("/sys/fs/bpf/tcpguard/v1/maps/tg_settings");
	struct tg_settings *settings;

	if (argc != 2 || fd < 0) {
		perror("challenge");
		return 1;
	}
	settings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (settings == MAP_FAILED) {
		perror("challenge: mmap");
		return 1;
	}
	settings->config[0].flood.start_pps = (__u32)atoi(argv[1]);
	settings->config[1].flood.start_pps = (__u32)atoi(argv[1]);
	return 0;
}
