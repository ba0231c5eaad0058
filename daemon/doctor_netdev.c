/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the facts about an interface mean: one function a check, in the order they are shown. */
#include "doctor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What native XDP needs of a page besides the frame. */
#define XDP_HEADROOM 256
#define SKB_SHARED_INFO 320 /* of 64-bit machines, aligned */
#define LINK_HEADERS (14 + 2 * 4) /* Ethernet and two VLAN tags */

/* Everything a check may look at. */
struct patient {
	const struct doctor_kernel *kernel;
	const struct doctor_host *host;
	const struct doctor_iface *iface;
	const char *name;
	const char *word; /* the same in a command */
	struct doctor_report *report;
};

unsigned int doctor_one_page_mtu(unsigned int page_bytes)
{
	return page_bytes - XDP_HEADROOM - SKB_SHARED_INFO - LINK_HEADERS;
}

#define SAY(severity, ...) doctor_find(p->report, check, p->name, severity, __VA_ARGS__)

static void judge_link(const struct patient *p, const char *check)
{
	const struct doctor_iface *iface = p->iface;

	if (!iface->type_known)
		SAY(DOCTOR_BLOCKS, "link type %u is not understood: Ethernet and interfaces "
				   "without a link header are",
		    iface->dev.link_type);
	else if (!iface->up)
		doctor_mend(SAY(DOCTOR_NOTE, "the interface is down"), "ip link set dev %s up",
			    p->word);
	else
		SAY(DOCTOR_OK, "up, %s", iface->dev.no_link_header ? "no link header" : "Ethernet");
}

/* Where in a stack of interfaces this one is. */
static void judge_place(const struct patient *p, const char *check)
{
	const struct doctor_iface *iface = p->iface;
	char word[FORMAT_WORD_BYTES];

	if (!strcmp(iface->master_kind, "bond") || !strcmp(iface->master_kind, "team"))
		doctor_mend(SAY(DOCTOR_WARNING,
				"a port of %s: its connections may use the other ports as well. "
				"Attach to %s",
				iface->master, iface->master),
			    "tcpguard attach %s", format_word(word, sizeof(word), iface->master));
	else if (!strcmp(iface->master_kind, "bridge"))
		SAY(DOCTOR_OK, "a port of the bridge %s: what it forwards is seen, too", iface->master);
	else if (!strcmp(iface->kind, "vlan"))
		doctor_mend(SAY(DOCTOR_NOTE,
				"a VLAN has generic XDP only; %s sees the same packets, tags are "
				"understood",
				iface->lower[0] ? iface->lower : "the interface below"),
			    "tcpguard attach %s",
			    iface->lower[0] ? format_word(word, sizeof(word), iface->lower) : "IFACE");
	else if (!strcmp(iface->kind, "bridge"))
		SAY(DOCTOR_NOTE,
		    "a bridge has generic XDP only, and sees what is for this machine");
	else
		SAY(DOCTOR_OK, "%s%snot part of another interface", iface->kind,
		    iface->kind[0] ? ", " : "");
}

static void judge_driver(const struct patient *p, const char *check)
{
	const struct doctor_iface *iface = p->iface;
	const char *driver = iface->dev.driver[0] ? iface->dev.driver : "unknown";
	const char *source = "";

	if (iface->native_by_name)
		source = " (judged by its name: this kernel does not tell)";
	if (iface->native == DOCTOR_YES)
		SAY(DOCTOR_OK, "driver %s, native XDP%s%s", driver,
		    iface->multi_buffer == DOCTOR_YES ? ", frames of several pages" : "", source);
	else if (iface->native == DOCTOR_NO)
		SAY(DOCTOR_NOTE, "driver %s has no native XDP%s: attach takes generic XDP, which "
				 "is slower",
		    driver,
		    source);
	else
		SAY(DOCTOR_UNCHECKED, "whether driver %s has native XDP: neither it nor the kernel "
				      "tells",
		    driver);
}

static void judge_mtu(const struct patient *p, const char *check)
{
	unsigned int most = doctor_one_page_mtu((unsigned int)sysconf(_SC_PAGESIZE));
	const struct doctor_iface *iface = p->iface;
	bool several_unknown = iface->multi_buffer == DOCTOR_UNKNOWN;
	bool several = iface->multi_buffer == DOCTOR_YES && p->kernel->frags != DOCTOR_NO;

	/* tun hands frames that fit into no page to generic XDP, one by one. */
	if (iface->native != DOCTOR_YES || iface->dev.mtu <= most || !strcmp(iface->dev.driver, "tun"))
		SAY(DOCTOR_OK, "MTU %u", iface->dev.mtu);
	else if (several)
		SAY(DOCTOR_OK, "MTU %u: frames of several pages carry it", iface->dev.mtu);
	else
		doctor_mend(SAY(DOCTOR_WARNING,
				"MTU %u: under native XDP a frame must fit into one page, or %s "
				"refuses and attach takes generic XDP",
				iface->dev.mtu, several_unknown ? "the driver probably" : "the driver"),
			    "ip link set dev %s mtu %u", p->word, most);
}

static void judge_lro(const struct patient *p, const char *check)
{
	if (p->iface->feature[DOCTOR_LRO] == DOCTOR_YES)
		doctor_mend(SAY(DOCTOR_WARNING,
				"LRO is on: segments arrive merged, and many drivers refuse native "
				"XDP meanwhile"),
			    "ethtool -K %s lro off", p->word);
	else if (p->iface->feature[DOCTOR_LRO] == DOCTOR_UNKNOWN)
		SAY(DOCTOR_UNCHECKED, "LRO: the kernel does not tell the interface's features");
	else
		SAY(DOCTOR_OK, "LRO is off");
}

static void judge_gro(const struct patient *p, const char *check)
{
	const enum doctor_answer *feature = p->iface->feature;

	if (feature[DOCTOR_GRO_HW] == DOCTOR_YES)
		doctor_mend(SAY(DOCTOR_WARNING,
				"GRO in hardware is on: segments arrive merged, and many drivers "
				"refuse native XDP meanwhile"),
			    "ethtool -K %s rx-gro-hw off", p->word);
	else if (feature[DOCTOR_GRO] == DOCTOR_YES && p->iface->native == DOCTOR_NO)
		doctor_mend(SAY(DOCTOR_NOTE,
				"generic XDP runs behind GRO and copies what it has merged; "
				"without GRO it need not"),
			    "ethtool -K %s gro off", p->word);
	else
		SAY(DOCTOR_OK, "no GRO that matters to XDP");
}

static void judge_queues(const struct patient *p, const char *check)
{
	const struct doctor_iface *iface = p->iface;
	const char *unit = iface->channels_combined ? "combined" : "rx";
	unsigned int wanted = iface->cpus < iface->channels_max ? iface->cpus : iface->channels_max;

	if (iface->peer_known == DOCTOR_YES && iface->peer_tx > iface->channels)
		doctor_mend(SAY(DOCTOR_WARNING,
				"%u receive queue%s, but the other end (%s) has %u transmit "
				"queues: veth refuses native XDP, attach takes generic XDP",
				iface->channels, iface->channels == 1 ? "" : "s", iface->peer,
				iface->peer_tx),
			    "ethtool -L %s rx %u", p->word, iface->peer_tx);
	else if (iface->peer_known == DOCTOR_NO)
		SAY(DOCTOR_UNCHECKED,
		    "%u receive queue%s; the other end is in another network namespace, where "
		    "native XDP wants no more transmit queues",
		    iface->channels, iface->channels == 1 ? "" : "s");
	else if (!strcmp(iface->dev.driver, "ena") && iface->channels > iface->channels_max / 2)
		doctor_mend(SAY(DOCTOR_WARNING,
				"%u of %u queues in use: ena refuses native XDP above half of them",
				iface->channels,
				iface->channels_max),
			    "ethtool -L %s combined %u", p->word, iface->channels_max / 2);
	else if (!iface->kind[0] && iface->channels && iface->channels < wanted)
		doctor_mend(SAY(DOCTOR_NOTE, "%u receive queue%s for %u CPUs: the others cannot "
					     "help",
				iface->channels, iface->channels == 1 ? "" : "s", iface->cpus),
			    "ethtool -L %s %s %u", p->word, unit, wanted);
	else if (iface->channels)
		SAY(DOCTOR_OK, "%u receive queue%s", iface->channels,
		    iface->channels == 1 ? "" : "s");
	else
		SAY(DOCTOR_OK, "the driver tells no number of queues");
}

static bool table_has(const struct doctor_flowtable *table, const char *name)
{
	uint32_t i;

	for (i = 0; i < table->device_count; i++)
		if (!strcmp(table->device[i], name))
			return true;
	return false;
}

static void judge_offload(const struct patient *p, const char *check)
{
	const struct doctor_host *host = p->host;
	size_t before = p->report->count;
	uint32_t i;

	for (i = 0; i < host->flowtable_count; i++)
		if (host->flowtable[i].hardware && table_has(&host->flowtable[i], p->name))
			doctor_mend(SAY(DOCTOR_WARNING,
					"flow table %s is offloaded into the NIC: packets of its "
					"connections pass by unseen. Remove its 'flags offload', "
					"or it",
					host->flowtable[i].name),
				    "nft delete flowtable %s %s %s", host->flowtable[i].family,
				    host->flowtable[i].table, host->flowtable[i].name);
	if (p->iface->feature[DOCTOR_TC_OFFLOAD] == DOCTOR_YES)
		doctor_mend(SAY(DOCTOR_NOTE,
				"hw-tc-offload is on: what tc or Open vSwitch offloads passes by "
				"unseen"),
			    "ethtool -K %s hw-tc-offload off", p->word);
	if (host->nftables != DOCTOR_YES)
		SAY(DOCTOR_UNCHECKED, "flow tables of nft, which hide packets if offloaded: "
				      "reading them needs CAP_NET_ADMIN");
	else if (p->report->count == before)
		SAY(DOCTOR_OK, "nothing is offloaded into the NIC (flow tables, tc)");
}

/* --- other programs ------------------------------------------------------------------------------- */

static const char *describe(char *text, size_t size, const struct doctor_program *program)
{
	const struct program_identity *who = &program->who;

	snprintf(text, size, "%s%s%sid %u%s%s", who->name[0] ? "'" : "", who->name,
		 who->name[0] ? "', " : "",
		 program->id, who->pin[0] ? ", pinned at " : "", who->pin);
	return text;
}

/* How to take an XDP program off. */
static void mend_foreign(const struct patient *p, const struct doctor_program *program,
			 struct doctor_finding *finding)
{
	static const char *const words[] = {
		[DOCTOR_HOOK_XDP_NATIVE] = "xdpdrv",
		[DOCTOR_HOOK_XDP_GENERIC] = "xdpgeneric",
		[DOCTOR_HOOK_XDP_OFFLOAD] = "xdpoffload",
	};

	if (program->link)
		doctor_mend(finding, "bpftool link detach id %u", program->link);
	else
		doctor_mend(finding, "ip link set dev %s %s off", p->word, words[program->hook]);
}

static void judge_xdp_program(const struct patient *p, const char *check,
			      const struct doctor_program *program)
{
	bool shares = !strcmp(program->who.name, "xdp_dispatcher");
	char text[320];

	describe(text, sizeof(text), program);
	if (program->ours)
		SAY(DOCTOR_OK, "tcpguard's own: %.200s", text);
	else if (!program->who.name[0] && !p->kernel->may_load)
		SAY(DOCTOR_UNCHECKED, "an XDP program is there, %.200s; whose it is needs CAP_BPF "
				      "to see",
		    text);
	else if (shares && p->kernel->freplace == DOCTOR_YES)
		doctor_mend(SAY(DOCTOR_WARNING, "libxdp's dispatcher is there, %.200s: attach "
						"beside it",
				text),
			    "tcpguard attach %s --share", p->word);
	else
		mend_foreign(p, program,
			     SAY(DOCTOR_BLOCKS, "another XDP program is there, %.200s: one "
						"interface runs one",
				 text));
}

static void judge_xdp(const struct patient *p, const char *check)
{
	size_t before = p->report->count;
	uint32_t i;

	for (i = 0; i < p->iface->program_count; i++)
		if (p->iface->program[i].hook <= DOCTOR_HOOK_XDP_OFFLOAD)
			judge_xdp_program(p, check, &p->iface->program[i]);
	if (p->iface->xdp_error)
		SAY(DOCTOR_UNCHECKED, "other XDP programs: the kernel does not tell: %s",
		    strerror(-p->iface->xdp_error));
	else if (p->report->count == before)
		SAY(DOCTOR_OK, "no XDP program");
}

static void judge_egress(const struct patient *p, const char *check)
{
	size_t before = p->report->count;
	char text[320];
	uint32_t i;

	for (i = 0; i < p->iface->program_count; i++) {
		const struct doctor_program *program = &p->iface->program[i];

		if (program->hook > DOCTOR_HOOK_XDP_OFFLOAD && !program->ours)
			SAY(DOCTOR_NOTE, "an egress program (%s) is there, %.200s: ours runs "
					 "before it",
			    program->hook == DOCTOR_HOOK_TCX ? "tcx" : "clsact",
			    describe(text, sizeof(text), program));
	}
	if (p->iface->tcx_asked == DOCTOR_NO)
		SAY(DOCTOR_UNCHECKED, "other egress programs: tcx programs need CAP_NET_ADMIN to "
				      "see");
	else if (p->iface->clsact_error)
		SAY(DOCTOR_UNCHECKED, "other egress programs: the kernel does not list filters: %s",
		    strerror(-p->iface->clsact_error));
	else if (p->report->count == before)
		SAY(DOCTOR_OK, "no other egress program");
}

static void judge_profile(const struct patient *p, const char *check)
{
	if (p->iface->dev.forwards)
		SAY(DOCTOR_NOTE, "forwarding is on: --profile auto means gateway here, which "
				 "adopts unknown connections for 5 minutes; --profile host if this "
				 "machine routes nothing");
	else if (p->iface->dev.upper[0])
		SAY(DOCTOR_NOTE, "%s above it hands frames on to others: --profile auto means gateway "
				 "here, which adopts unknown connections for 5 minutes; --profile host if "
				 "they are all for this machine",
		    p->iface->dev.upper);
	else
		SAY(DOCTOR_OK, "no forwarding: --profile auto means host");
}

void doctor_judge_iface(const struct doctor_kernel *kernel, const struct doctor_host *host,
			const struct doctor_iface *iface, struct doctor_report *report)
{
	static const struct {
		const char *check;
		void (*judge)(const struct patient *p, const char *check);
	} checks[] = {
		{ "iface.link", judge_link },
		{ "iface.place", judge_place },
		{ "iface.driver", judge_driver },
		{ "iface.mtu", judge_mtu },
		{ "iface.lro", judge_lro },
		{ "iface.gro", judge_gro },
		{ "iface.queues", judge_queues },
		{ "iface.offload", judge_offload },
		{ "iface.xdp", judge_xdp },
		{ "iface.egress", judge_egress },
		{ "iface.profile", judge_profile },
	};
	char word[FORMAT_WORD_BYTES];
	const struct patient p = {
		.kernel = kernel,
		.host = host,
		.iface = iface,
		.name = iface->dev.name,
		.word = format_word(word, sizeof(word), iface->dev.name),
		.report = report,
	};
	size_t i;

	for (i = 0; i < COUNT(checks); i++)
		checks[i].judge(&p, checks[i].check);
}
