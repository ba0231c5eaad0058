/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To be preloaded (LD_PRELOAD): whoever asks for the driver of a veth is told another name.  tcpguard then
 * answers SYNs by XDP_TX, as on a card; from a veth it does not, because there an answer arrives only if the
 * other end runs an XDP program, which the receivers' cables of peers.py and flood_peers.py do.
 */
#include <dlfcn.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

int ioctl(int fd, unsigned long request, ...);

int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int, unsigned long, ...);
	void *argument;
	va_list list;
	int result;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	*(void **)&next = dlsym(RTLD_NEXT, "ioctl");
	result = next(fd, request, argument);
	if (!result && request == SIOCETHTOOL) {
		struct ethtool_drvinfo *info = (void *)((struct ifreq *)argument)->ifr_data;

		if (info->cmd == ETHTOOL_GDRVINFO && !strcmp(info->driver, "veth"))
			strcpy(info->driver, "card");
	}
	return result;
}
