/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of snapshots made by hand: both formats, labels, and the numbers they stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/output_metrics.h"

static char *render(const struct snapshot *s, const struct metrics_daemon *daemon,
		    enum metrics_format format)
{
	size_t bytes;
	char *text;

	assert_int_equal(output_metrics(s, daemon, format, &text, &bytes), 0);
	assert_int_equal(bytes, strlen(text));
	return text;
}

static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);
	const char *at;

	for (at = strstr(text, line); at; at = strstr(at + 1, line))
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}

static void expect(const struct snapshot *s, const char *const *lines)
{
	char *text = render(s, NULL, METRICS_TEXT);

	for (; *lines; lines++)
		if (!has_line(text, *lines))
			fail_msg("no line '%s' in:\n%s", *lines, text);
	free(text);
}

#define EXPECT(s, ...) expect(s, (const char *const[]){ __VA_ARGS__, NULL })

static struct snapshot *one_iface(const char *name)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->iface_count = 1;
	s->iface[0].iface.attached_at_s = 1700000000;
	s->iface[0].xdp_link = s->iface[0].tc_link = PINS_LINK_ALIVE;
	snprintf(s->iface[0].iface.name, sizeof(s->iface[0].iface.name), "%s", name);
	s->service_count = 1;
	return s;
}

static void test_drops_by_reason(void **state)
{
	struct snapshot *s = one_iface("eth0");
	struct tg_counters *counters = &s->iface[0].counters;

	(void)state;
	counters->count[TG_OUTCOME_VERDICT][TG_DROP_NO_FLOW] = (struct tg_count){ 7, 280 };
	counters->count[TG_OUTCOME_WOULD_DROP][TG_DROP_NO_FLOW] = (struct tg_count){ 5, 200 };
	counters->count[TG_OUTCOME_OWN][TG_DROP_NO_FLOW] = (struct tg_count){ 3, 120 };
	counters->count[TG_OUTCOME_VERDICT][TG_PASS_OK] = (struct tg_count){ 1ULL << 60, 9 };
	/* The same reason, judged less strictly: passed, so no drop. */
	counters->count[TG_OUTCOME_VERDICT][TG_PASS_FRAG] = (struct tg_count){ 11, 1 };
	EXPECT(s, "tcpguard_drops_total{iface=\"eth0\",reason=\"no_flow\"} 7",
	       "tcpguard_would_drops_total{iface=\"eth0\",reason=\"no_flow\"} 5",
	       "tcpguard_drops_total{iface=\"eth0\",reason=\"frag\"} 0",
	       "tcpguard_drops_total{iface=\"eth0\",reason=\"bad_hdr\"} 0",
	       "tcpguard_packets_total{iface=\"eth0\",verdict=\"drop\"} 7",
	       "tcpguard_packets_total{iface=\"eth0\",verdict=\"would_drop\"} 5",
	       "tcpguard_packets_total{iface=\"eth0\",verdict=\"own\"} 3",
	       "tcpguard_packets_total{iface=\"eth0\",verdict=\"pass\"} 1152921504606846987",
	       "tcpguard_bytes_total{iface=\"eth0\",verdict=\"would_drop\"} 200",
	       "tcpguard_non_tcp_packets_total{iface=\"eth0\",proto=\"fragment\"} 11");
	free(s);
}

static void test_histogram_is_cumulative(void **state)
{
	struct snapshot *s = one_iface("eth0");
	struct tg_tallies *tallies = &s->iface[0].tallies;

	(void)state;
	tallies->handshake[0] = 4;
	tallies->handshake[5] = 2;
	tallies->handshake[TG_HANDSHAKE_BUCKETS - 1] = 1;
	tallies->handshake_sum_ms = 61500;
	EXPECT(s, "# TYPE tcpguard_handshake_duration_seconds histogram",
	       "tcpguard_handshake_duration_seconds_bucket{iface=\"eth0\",le=\"0.001\"} 4",
	       "tcpguard_handshake_duration_seconds_bucket{iface=\"eth0\",le=\"0.016\"} 4",
	       "tcpguard_handshake_duration_seconds_bucket{iface=\"eth0\",le=\"0.032\"} 6",
	       "tcpguard_handshake_duration_seconds_bucket{iface=\"eth0\",le=\"16.384\"} 6",
	       "tcpguard_handshake_duration_seconds_bucket{iface=\"eth0\",le=\"+Inf\"} 7",
	       "tcpguard_handshake_duration_seconds_sum{iface=\"eth0\"} 61.5",
	       "tcpguard_handshake_duration_seconds_count{iface=\"eth0\"} 7");
	free(s);
}

static void test_labels_are_escaped(void **state)
{
	struct snapshot *s = one_iface("a\"b\\c\nd");

	(void)state;
	EXPECT(s, "tcpguard_interface_attached_timestamp_seconds{iface=\"a\\\"b\\\\c\\nd\"} 1700000000");
	snprintf(s->iface[0].iface.name, TG_IFNAME_LEN, "h\xc3\xa9\xff\xc3");
	EXPECT(s, "tcpguard_interface_attached_timestamp_seconds{iface=\"h\xc3\xa9\\\\xff\\\\xc3\"} 1700000000");
	free(s);
}

static void test_one_name_twice(void **state)
{
	struct snapshot *s = one_iface("eth0");

	(void)state;
	s->iface[1] = s->iface[0];
	s->iface[1].slot = 4;
	s->iface_count = 2;
	s->service_count = 4;
	snprintf(s->service[1].name, TG_SERVICE_NAME_LEN, "web");
	snprintf(s->service[2].name, TG_SERVICE_NAME_LEN, "default");
	s->service_drops[1].drops[TG_CLASS_WINDOW][1] = 8;
	s->service_drops[3].drops[TG_CLASS_WINDOW][1] = 9; /* without a name: not in use */
	EXPECT(s, "tcpguard_packets_total{iface=\"eth0\",verdict=\"pass\"} 0",
	       "tcpguard_packets_total{iface=\"eth0@4\",verdict=\"pass\"} 0",
	       "tcpguard_service_drops_total{service=\"web\",class=\"window\",verdict=\"would_drop\"} 8",
	       "tcpguard_service_drops_total{service=\"default\",class=\"window\",verdict=\"would_drop\"} 0",
	       "tcpguard_service_drops_total{service=\"default@2\",class=\"window\",verdict=\"would_drop\"} 0");
	free(s);
}

static void test_ready(void **state)
{
	struct snapshot *s = one_iface("eth0");

	(void)state;
	EXPECT(s, "tcpguard_ready 1");
	s->iface[0].tc_link = PINS_LINK_ABSENT; /* clsact */
	EXPECT(s, "tcpguard_ready 1");
	s->iface[0].tc_link = PINS_LINK_GONE;
	EXPECT(s, "tcpguard_ready 0");
	s->iface[0].tc_link = PINS_LINK_ALIVE;
	s->iface[0].iface.attached_at_s = 0; /* an attach has not come to its end */
	EXPECT(s, "tcpguard_ready 0");
	s->iface_count = 0;
	EXPECT(s, "tcpguard_ready 0");
	free(s);
}

static void test_what_is_now(void **state)
{
	struct snapshot *s = one_iface("eth0");

	(void)state;
	s->iface[0].mode = TG_MODE_MONITOR;
	s->iface[0].relaxed = 1U << TG_CLASS_WINDOW;
	s->flows.entries = 12;
	s->flows.by_phase[TG_PHASE_ESTABLISHED] = 12;
	s->protected_count = 1;
	s->protected[0].action = TG_FLOOD_DEFER;
	EXPECT(s, "tcpguard_interface_mode{iface=\"eth0\",mode=\"enforce\"} 0",
	       "tcpguard_interface_mode{iface=\"eth0\",mode=\"monitor\"} 1",
	       "tcpguard_guard_state{iface=\"eth0\",class=\"window\"} 1",
	       "tcpguard_guard_state{iface=\"eth0\",class=\"state\"} 0", "tcpguard_flow_entries 12",
	       "tcpguard_flows{state=\"established\"} 12",
	       "tcpguard_syn_challenge_active{action=\"defer\"} 1",
	       "tcpguard_syn_challenge_active{action=\"challenge\"} 0");
	free(s);
}

/* Zeros would say that the programs never ran; nobody counted. */
static void test_runs_only_where_counted(void **state)
{
	struct snapshot *s = one_iface("eth0");
	char *text = render(s, NULL, METRICS_TEXT);

	(void)state;
	assert_null(strstr(text, "tcpguard_bpf_runs_total{"));
	free(text);
	s->iface[0].runs[1] = (struct pins_runs){ 4, 1500000000 };
	EXPECT(s, "tcpguard_bpf_runs_total{iface=\"eth0\",prog=\"tc\"} 4",
	       "tcpguard_bpf_run_seconds_total{iface=\"eth0\",prog=\"tc\"} 1.5");
	text = render(s, NULL, METRICS_TEXT);
	assert_null(strstr(text, "prog=\"xdp\""));
	free(text);
	free(s);
}

static void test_openmetrics(void **state)
{
	static const char end[] = "\n# EOF\n";
	struct snapshot *s = one_iface("eth0");
	char *text = render(s, NULL, METRICS_OPENMETRICS);

	(void)state;
	assert_true(has_line(text, "# TYPE tcpguard_build info"));
	assert_true(has_line(text, "# TYPE tcpguard_drops counter"));
	assert_true(has_line(text, "tcpguard_drops_total{iface=\"eth0\",reason=\"land\"} 0"));
	assert_true(has_line(text, "# UNIT tcpguard_bytes bytes"));
	assert_string_equal(text + strlen(text) - strlen(end), end);
	assert_null(strstr(text, "\n\n"));
	free(text);
	text = render(s, NULL, METRICS_TEXT);
	assert_true(has_line(text, "# TYPE tcpguard_build_info gauge"));
	assert_true(has_line(text, "# TYPE tcpguard_drops_total counter"));
	assert_null(strstr(text, "# UNIT"));
	assert_null(strstr(text, "# EOF"));
	free(text);
	free(s);
}

static void test_the_daemons_own(void **state)
{
	const struct metrics_daemon daemon = {
		.process = { .cpu_s = 1.25, .started_s = 1700000000.5, .open_fds = 20 },
		.expired = 3,
		.sweeps = { [1] = 7, [METRICS_SWEEPS_BOUNDS] = 1 },
		.sweeps_ns = 2500000000,
		.ends = { .count = { [FLOW_END_HANDSHAKE] = 4 }, .lives = { [3] = 2 }, .lives_ms = 31500 },
	};
	struct snapshot *s = one_iface("eth0");
	char *text = render(s, NULL, METRICS_TEXT);

	(void)state;
	assert_null(strstr(text, "process_"));
	free(text);
	text = render(s, &daemon, METRICS_TEXT);
	assert_true(has_line(text, "process_cpu_seconds_total 1.25"));
	assert_true(has_line(text, "process_start_time_seconds 1700000000.5"));
	assert_true(has_line(text, "process_open_fds 20"));
	assert_true(has_line(text, "tcpguard_sweep_entries_total{result=\"expired\"} 3"));
	assert_true(has_line(text, "tcpguard_sweep_duration_seconds_bucket{le=\"0.0001\"} 0"));
	assert_true(has_line(text, "tcpguard_sweep_duration_seconds_bucket{le=\"1.0\"} 7"));
	assert_true(has_line(text, "tcpguard_sweep_duration_seconds_count 8"));
	assert_true(has_line(text, "tcpguard_sweep_duration_seconds_sum 2.5"));
	assert_true(has_line(text, "tcpguard_flow_ended_total{cause=\"handshake_timeout\"} 4"));
	assert_true(has_line(text, "tcpguard_flow_ended_total{cause=\"fin\"} 0"));
	assert_true(has_line(text, "tcpguard_flow_duration_seconds_bucket{le=\"10.0\"} 0"));
	assert_true(has_line(text, "tcpguard_flow_duration_seconds_bucket{le=\"60.0\"} 2"));
	assert_true(has_line(text, "tcpguard_flow_duration_seconds_sum 31.5"));
	free(text);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drops_by_reason),
		cmocka_unit_test(test_histogram_is_cumulative),
		cmocka_unit_test(test_labels_are_escaped),
		cmocka_unit_test(test_one_name_twice),
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_what_is_now),
		cmocka_unit_test(test_runs_only_where_counted),
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_the_daemons_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
