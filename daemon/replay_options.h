/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options `replay` and `explain --pcap` share: how the packets are judged. */
#ifndef TCPGUARD_REPLAY_OPTIONS_H
#define TCPGUARD_REPLAY_OPTIONS_H

#include "datapath.h"
#include "options.h"
#include "replay.h"

int replay_option_mode(const char *name, const char *argument, void *out);
int replay_option_profile(const char *name, const char *argument, void *out);
int replay_option_local(const char *name, const char *argument, void *out);
int replay_option_max_flows(const char *name, const char *argument, void *out);

/* True if one of the prefixes holds the address. */
bool replay_local_has(const struct replay_local *local, const __be32 address[4]);

/* For a command's table of rows; type has a member `replay`. */
#define REPLAY_OPTION_ROWS(type) \
	{ 0, "local", "CIDR[,CIDR]", "the host's own addresses: what they send is judged at egress", \
	  replay_option_local, offsetof(type, replay.local) }, \
	{ 0, "learn", NULL, "adopt connections that began before the capture", options_set_true, \
	  offsetof(type, replay.learn) }, \
	{ 0, "profile", "host|gateway|oneway", "default: host with --local, else gateway", \
	  replay_option_profile, offsetof(type, replay.profile) }, \
	{ 0, "strict", NULL, "drop what is doubtful, too: fragments, old data, inexact RST", \
	  options_set_true, offsetof(type, replay.strict) }, \
	{ 0, "mode", "enforce|monitor", "default: enforce; monitor: follow what would be dropped, too", \
	  replay_option_mode, offsetof(type, replay.mode) }, \
	{ 0, "max-flows", "N", "size of the flow table (by the size of the captures)", \
	  replay_option_max_flows, offsetof(type, replay.max_flows) } \

#define REPLAY_OPTION_DEFAULTS \
	{ \
		.profile = DATAPATH_UNSET, .mode = TG_MODE_ENFORCE \
	}

#endif
