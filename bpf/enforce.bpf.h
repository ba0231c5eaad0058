/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When is a verdict DROP carried out?
 */
#ifndef TG_BPF_ENFORCE_H
#define TG_BPF_ENFORCE_H

#include "maps.bpf.h"
#include "packet.h"

/* No sign of life from the daemon for as long as the configuration allows. */
TG_INLINE bool tg_daemon_lost(const struct tg_settings *settings, const struct tg_config *config,
			      __u64 now_ms)
{
	return TG_UNLIKELY(config->daemon_loss_ms) &&
	       now_ms > settings->daemon_alive_ms + config->daemon_loss_ms;
}

TG_INLINE bool tg_mode_enforces(const struct tg_settings *settings, const struct tg_config *config,
				enum tg_mode mode, const struct tg_packet *pkt, __u64 now_ms)
{
	return mode == TG_MODE_ENFORCE && !settings->bypass && !pkt->own &&
	       !tg_daemon_lost(settings, config, now_ms);
}

/* By the interface's mode: what is known before the packet is parsed. */
TG_INLINE void tg_set_enforced(const struct tg_settings *settings, const struct tg_config *config,
			       __u64 now_ms, struct tg_packet *pkt)
{
	__u32 slot = tg_program.iface_slot & (TG_IFACES_MAX - 1);

	pkt->relaxed = settings->iface[slot].relaxed | config->relaxed;
	pkt->enforced = tg_mode_enforces(settings, config, tg_mode_at(&config->iface[slot], now_ms),
					 pkt, now_ms);
}

/* As an index: the verifier of Linux 6.12 knows no bound for a swapped number. */
TG_INLINE __u32 tg_port_index(__be16 port)
{
	__u32 index = bpf_ntohs(port);

	TG_OPAQUE(index);
	return index & 0xffff;
}

/*
 * The service of the local port: the one a packet from outside goes to and one of ours comes from; a
 * router cannot tell which end is local, so either port may name it.
 */
TG_INLINE __u8 tg_service_of(__u32 config_index, const struct tg_packet *pkt)
{
	const struct tg_ports *ports;
	__u8 service;

	config_index &= 1;
	ports = bpf_map_lookup_elem(&tg_ports, &config_index);
	if (!ports)
		return 0;
	service = ports->service[tg_port_index(pkt->own ? pkt->sport : pkt->dport)];
	if (!service && tg_program.profile != TG_PROFILE_HOST)
		service = ports->service[tg_port_index(pkt->own ? pkt->dport : pkt->sport)];
	return service & (TG_SERVICES_MAX - 1);
}

/* A service's own mode goes before its interface's. */
TG_INLINE void tg_apply_service(const struct tg_settings *settings, __u32 config_index, __u64 now_ms,
				struct tg_packet *pkt)
{
	const struct tg_config *config = &settings->config[config_index & 1];
	const struct tg_service *service;

	pkt->service = tg_service_of(config_index, pkt);
	service = &config->service[pkt->service & (TG_SERVICES_MAX - 1)];
	if (!pkt->service)
		return;
	if (service->loose_window)
		pkt->relaxed |= 1U << TG_CLASS_WINDOW;
	if (service->has_mode)
		pkt->enforced = tg_mode_enforces(settings, config,
						 tg_mode_at(&service->mode, now_ms), pkt, now_ms);
}

TG_INLINE bool tg_enforce(enum tg_verdict verdict, const struct tg_packet *pkt)
{
	return TG_UNLIKELY(tg_verdict_drops(verdict)) && tg_carried_out(pkt, verdict);
}

#endif
