/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file: every key of the table is read, written and read again; every fault is named
 * with its line and column; what the data path is given says the same as the file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config_apply.h"
#include "daemon/config_schema.h"
#include "daemon/log.h"
#include "tests/unit/unit.h"

static char folder[64], path[128], said[8192];

static void write_file(const char *name, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", folder, name);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* What is said on stderr while reading is in said. */
static struct config *try_read(void)
{
	struct config *config;
	FILE *file = tmpfile();
	int former = dup(2), err;
	size_t got;

	fflush(stderr);
	dup2(fileno(file), 2);
	err = config_read(path, &config);
	dup2(former, 2);
	close(former);
	rewind(file);
	got = fread(said, 1, sizeof(said) - 1, file);
	said[got] = '\0';
	fclose(file);
	if (err) {
		assert_int_equal(err, -EBADMSG);
		assert_null(config);
	} else if (said[0]) {
		fail_msg("no fault, but: %s", said);
	}
	return config;
}

static struct config *read_text(const char *text)
{
	write_file("tcpguard.yaml", text);
	return try_read();
}

static struct config *must_read(const char *text)
{
	struct config *config = read_text(text);

	if (!config)
		fail_msg("refused: %s", said);
	return config;
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/tcpguard-config.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/tcpguard.yaml", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

/* --- faults --------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	const char *place; /* "LINE:COLUMN: " and what follows */
} faults[] = {
	{ "mode: enforce\n", "1:1: 'version' is missing" },
	{ "version: 1\nservices: [{name: \"\\e[31m\", ports: [1]}]\n", "2:19: 'name' holds a control character" },
	{ "version: 2\n", "1:10: 'version' is 2, not between 1 and 1" },
	{ "version: 1\nmdoe: enforce\n", "2:1: unknown key 'mdoe'" },
	{ "version: 1\nmode: enforced\n", "2:7: 'mode' cannot be 'enforced'" },
	{ "version: 1\nmode: [enforce]\n", "2:7: 'mode' is a list" },
	{ "version: 1\nmode: enforce\nmode: monitor\n", "3:1: 'mode' is given twice" },
	{ "version: 1\nmode:\n  enforce: 1\n", "3:3: 'mode' is a mapping" },
	{ "- version\n", "1:1: 'the file' is a list, not a mapping" },
	{ "version: 1\n  mode: x\n", "2:7: no YAML" },
	{ "version: 1\nmode: 'enforce\n", "3:1: no YAML" },
	{ "version: 1\nmode: \xff\n", "2:7: no YAML: invalid leading UTF-8 octet" },
	{ "version: 1\nmode: \xc3\xa4\x01\n", "2:8: no YAML: control characters" },
	{ "version: 1\n---\nversion: 1\n", "3:1: a second document" },
	{ "version: 1\n? [a]\n: 1\n", "2:3: 'a key' is a list" },
	{ "version: 1\ninterfaces: eth0\n", "2:13: 'interfaces' is a single value, not a list" },
	{ "version: 1\ninterfaces:\n  - eth0\n", "3:5: 'interfaces' is a single value, not a mapping" },
	{ "version: 1\ninterfaces:\n  - {mode: monitor}\n", "3:5: 'name' is missing" },
	{ "version: 1\ninterfaces:\n  - {name: a-name-too-long-for-it}\n", "3:12: 'name' is longer than 15" },
	{ "version: 1\ninterfaces:\n  - {name: 'et h'}\n", "3:12: 'name' cannot be 'et h'" },
	{ "version: 1\ninterfaces:\n  - {name: --all}\n", "3:12: 'name' cannot be '--all'" },
	{ "version: 1\ninterfaces:\n  - {name: ''}\n", "3:12: 'name' is empty" },
	{ "version: 1\ninterfaces:\n  - {name: eth0}\n  - {name: eth0}\n", "4:5: interface 'eth0' is given twice" },
	{ "version: 1\ninterfaces:\n  - {name: eth0, xdp: fast}\n", "3:23: 'xdp' cannot be 'fast'" },
	{ "version: 1\ninterfaces:\n  - {name: eth0, zone: 65536}\n", "3:24: 'zone' is 65536" },
	{ "version: 1\ninterfaces:\n  - {name: eth0, share: yes}\n", "3:25: 'share' cannot be 'yes'" },
	{ "version: 1\nservices:\n  - {name: web}\n", "3:5: 'ports' is missing" },
	{ "version: 1\nservices:\n  - {name: web, ports: 80}\n", "3:24: 'ports' is a single value, not a list" },
	{ "version: 1\nservices:\n  - {name: web, ports: []}\n", "3:24: 'ports' is empty" },
	{ "version: 1\nservices:\n  - {name: web, ports: [0]}\n", "3:25: '0' is no port" },
	{ "version: 1\nservices:\n  - {name: web, ports: [80, 65536]}\n", "3:29: '65536' is no port" },
	{ "version: 1\nservices:\n  - {name: web, ports: [90-80]}\n", "3:25: '90-80' is no port" },
	{ "version: 1\nservices:\n  - {name: web, ports: [80-]}\n", "3:25: '80-' is no port" },
	{ "version: 1\nservices:\n  - {name: web, ports: [[80]]}\n", "3:25: 'ports' is a list" },
	{ "version: 1\nservices:\n  - {name: a, ports: [80-90]}\n  - {name: b, ports: [85]}\n",
	  "4:5: port 85 of service 'b' is also of service 'a'" },
	{ "version: 1\nservices:\n  - {name: a, ports: [80]}\n  - {name: a, ports: [81]}\n",
	  "4:5: service 'a' is given twice" },
	{ "version: 1\ninterfaces:\n  - {name: a}\nservices:\n  - {name: a, ports: [80]}\n",
	  "5:5: service 'a' has the name of an interface" },
	{ "version: 1\nsynflood: {start_pps: '5'}\n", "2:23: 'start_pps' is '5', no whole number" },
	{ "version: 1\nsynflood: {start_pps: -1}\n", "2:23: 'start_pps' is '-1', no whole number" },
	{ "version: 1\nsynflood: {start_pps: 1.5}\n", "2:23: 'start_pps' is '1.5', no whole number" },
	{ "version: 1\nsynflood: {start_pps: 100, stop_pps: 200}\n", "2:11: protection would end above" },
	{ "version: 1\nsynflood: {action: default}\n", "2:11: 'action' cannot be 'default'" },
	{ "version: 1\nsynflood: {source_prefix4: 33}\n", "2:28: 'source_prefix4' is 33" },
	{ "version: 1\nstate: {adopt_for: 5 m}\n", "2:20: 'adopt_for' is '5 m', no duration" },
	{ "version: 1\nstate: {adopt_for: 8d}\n", "2:20: 'adopt_for' is 8d, not between" },
	{ "version: 1\nflows: {timeouts: {established: 59s}}\n", "2:33: 'established' is 59s, not between" },
	{ "version: 1\nflows: {timeouts: {estabished: 59s}}\n", "2:20: unknown key 'estabished' in 'timeouts'" },
	{ "version: 1\nflows: {max: 0}\n", "2:14: 'max' is 0, not between" },
	{ "version: 1\nlists: {allow: [allow.txt]}\n", "2:17: 'allow.txt' is no absolute path" },
	{ "version: 1\nmetrics: {listen: '9844'}\n", "2:19: 'listen' cannot be '9844'" },
	{ "version: 1\nmetrics: {listen: 'host:0'}\n", "2:19: 'listen' cannot be 'host:0'" },
	{ "version: 1\nguard: {ratio: 1}\n", "2:16: 'ratio' is '1', no percentage" },
	{ "version: 1\nguard: {ratio: 101%}\n", "2:16: 'ratio' is 101%, not between" },
	{ "version: 1\nguard: {ratio: 1e1%}\n", "2:16: 'ratio' is '1e1%', no percentage" },
	{ "version: 1\nguard: {enabled: 1}\n", "2:18: 'enabled' cannot be '1'" },
	{ "version: 1\nmode: \"a\\0b\"\n", "2:7: 'mode' holds a zero byte" },
};

static void every_fault_has_its_place(void **state)
{
	char want[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct config *config = read_text(faults[i].text);

		if (config)
			fail_msg("taken: %s", faults[i].text);
		snprintf(want, sizeof(want), "tcpguard: %s:%s", path, faults[i].place);
		if (strncmp(said, want, strlen(want)) != 0)
			fail_msg("%s: got '%s', want '%s'", faults[i].text, said, want);
		/* What to do about it is said as well. */
		if (!strchr(said + strlen(want), ';'))
			fail_msg("no remedy: %s", said);
	}
}

static void all_faults_are_said_at_once(void **state)
{
	(void)state;
	assert_null(read_text("version: 1\nmode: on\nfoo: 1\nguard: {flows: x}\n"));
	assert_non_null(strstr(said, ":2:7: "));
	assert_non_null(strstr(said, ":3:1: "));
	assert_non_null(strstr(said, ":4:16: "));
}

static void a_file_that_is_not_there_is_a_fault(void **state)
{
	(void)state;
	strcat(path, ".not");
	assert_null(try_read());
	assert_non_null(strstr(said, "No such file"));
}

static void garbage_is_refused_not_obeyed(void **state)
{
	unsigned int seed = 1, round, i;

	(void)state;
	for (round = 0; round < 300; round++) {
		static const char letters[] = "version: 1\n{}[]-,'\"&*!|>#%@ \tmodeservicesports80\x80";
		char text[200];

		for (i = 0; i < sizeof(text) - 1; i++)
			text[i] = letters[(unsigned int)rand_r(&seed) % (sizeof(letters) - 1)];
		text[i] = '\0';
		config_free(read_text(text));
	}
}

/* An anchor that holds itself must not be followed for ever. */
static void aliases_end(void **state)
{
	(void)state;
	assert_null(read_text("version: 1\nservices: &a [*a, *a]\n"));
	assert_null(read_text("&a version: 1\nguard: &b {enabled: *b}\n"));
	config_free(must_read("version: 1\nservices: [{name: web, ports: &p [80]}]\nstate: {seed: true}\n"));
}

/* --- values --------------------------------------------------------------------------------------- */

static const char everything[] =
	"version: 1\nmode: monitor\n"
	"interfaces:\n  - {name: eth0, mode: enforce, xdp: generic, profile: gateway, share: true, strict: "
	"true, zone: 7}\n"
	"  - name: eth1\n"
	"services:\n  - {name: web, ports: [80, 443, 8000-8100], synflood: defer, window: loose}\n"
	"  - {name: ssh, ports: [22], mode: monitor}\n"
	"synflood: {start_pps: 11, stop_pps: 10, half_open_start: 13, half_open_stop: 12, action: "
	"ratelimit,\n"
	"  source_pps: 200, source_burst: 14, source_conns: 15, source_prefix4: 24, source_prefix6: 56}\n"
	"state: {no_flow: adopt, adopt_for: 1h, window: loose, seed: false}\n"
	"flows: {max: 4096, timeouts: {handshake: 2s, established: 1d, half_closed: 3s, last: 4s, "
	"time_wait: 5s,\n"
	"  closed: 6s, unconfirmed: 7s}}\n"
	"lists: {allow: [/a, \"/b'c\"], block: [/d]}\n"
	"events: {sample: 16, max_per_second: 17}\n"
	"metrics: {listen: '[::1]:9844'}\n"
	"on_daemon_loss: monitor\ndaemon_loss_after: 18s\n"
	"guard: {enabled: false, ratio: 0.5%, flows: 19, packets: 21, rearm: 1m}\n";

static void every_key_is_read(void **state)
{
	struct config *config = must_read(everything);
	const struct config_service *web = &config->service[0];

	(void)state;
	assert_int_equal(config->mode, TG_MODE_MONITOR);
	assert_int_equal(config->iface_count, 2);
	assert_string_equal(config->iface[0].name, "eth0");
	assert_int_equal(config->iface[0].mode, TG_MODE_ENFORCE);
	assert_int_equal(config->iface[0].xdp, TG_XDP_GENERIC);
	assert_int_equal(config->iface[0].profile, TG_PROFILE_GATEWAY + 1);
	assert_int_equal(config->iface[0].share + config->iface[0].strict, 2);
	assert_int_equal(config->iface[0].zone, 7);
	assert_int_equal(config->iface[1].mode, CONFIG_NOT_GIVEN);
	assert_int_equal(config_iface_mode(config, "eth0"), TG_MODE_ENFORCE);
	assert_int_equal(config_iface_mode(config, "eth1"), TG_MODE_MONITOR);
	assert_int_equal(web->ports.count, 3);
	assert_int_equal(web->ports.range[2].first, 8000);
	assert_int_equal(web->ports.range[2].last, 8100);
	assert_int_equal(web->synflood, TG_FLOOD_DEFER);
	assert_int_equal(web->loose_window, 1);
	assert_int_equal(config->service[1].mode, TG_MODE_MONITOR);
	assert_int_equal(config->synflood.source_prefix6, 56);
	assert_int_equal(config->synflood.action, TG_FLOOD_RATELIMIT);
	assert_int_equal(config->no_flow_adopt + config->loose_window, 2);
	assert_int_equal(config->seed, 0);
	assert_int_equal(config->adopt_for_s, 3600);
	assert_int_equal(config->max_flows, 4096);
	assert_int_equal(config->timeouts.established_s, 86400);
	assert_string_equal(config->allow.path[1], "/b'c");
	assert_string_equal(config->metrics_listen, "[::1]:9844");
	assert_int_equal(config->daemon_loss_monitor, 1);
	assert_int_equal(config->daemon_loss_after_s, 18);
	assert_int_equal(config->guard.ratio, 500);
	config_free(config);
}

/* Every row of the table, so that a new key cannot be forgotten above. */
static void count_keys(void *context, const char *key, const char *value)
{
	(void)key;
	(void)value;
	++*(uint32_t *)context;
}

static uint32_t rows_of(const struct config_key *keys)
{
	uint32_t rows = 0;

	for (; keys->name; keys++)
		rows += keys->keys ? rows_of(keys->keys) : 1;
	return rows;
}

static void print_to_file(const struct config *config)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	config_print(file, config, true);
	fclose(file);
}

struct text {
	char *bytes;
	size_t size;
};

static char *printed(const struct config *config)
{
	struct text text = { NULL, 0 };
	FILE *stream = open_memstream(&text.bytes, &text.size);

	config_print(stream, config, true);
	fclose(stream);
	return text.bytes;
}

static void what_is_printed_reads_back_as_the_same(void **state)
{
	struct config *config = must_read(everything), *again;
	char *before = printed(config), *after;
	uint32_t values = 0;

	(void)state;
	print_to_file(config);
	again = try_read();
	if (!again)
		fail_msg("%s\n%s", said, before);
	after = printed(again);
	assert_string_equal(before, after);
	/* Two of each list, less the two names that are paths and the modes and words not given. */
	config_visit(config, true, count_keys, &values);
	assert_in_range(values, rows_of(config_keys), 2 * rows_of(config_keys));
	free(before);
	free(after);
	config_free(config);
	config_free(again);
}

/* Line separators, byte order marks and what is no character: YAML has them as escapes only. */
static void what_quotes_cannot_hold_reads_back(void **state)
{
	struct config *config = must_read("version: 1\nmetrics: {listen: \"/a\\L\\P'\\\\\\\"b\"}\n"
					  "lists: {allow: [\"/\\uFEFF\", \"/\\uFFFE\\uFFFF\", /\xe2\x80\xa7]}\n");
	struct config *again;

	(void)state;
	assert_string_equal(config->metrics_listen, "/a\xe2\x80\xa8\xe2\x80\xa9'\\\"b");
	print_to_file(config);
	again = try_read();
	if (!again)
		fail_msg("%s", said);
	assert_string_equal(again->metrics_listen, config->metrics_listen);
	assert_memory_equal(&again->allow, &config->allow, sizeof(config->allow));
	config_free(config);
	config_free(again);
}

/* Without the first '#' of every line that has just one. */
static void uncomment(const char *from, char *to)
{
	bool begin = true;

	for (; *from; from++) {
		if (begin && from[0] == '#' && from[1] != '#')
			continue;
		begin = *from == '\n';
		*to++ = *from;
	}
	*to = '\0';
}

static void name_is_in(const struct config_key *keys, const char *text)
{
	char line[80];

	for (; keys->name; keys++) {
		snprintf(line, sizeof(line), " %s: %s", keys->name, keys->help);
		if (!strstr(text, line))
			fail_msg("the default file does not explain '%s'", keys->name);
		if (keys->keys)
			name_is_in(keys->keys, text);
	}
}

static void the_default_file_is_valid_with_and_without_its_comments(void **state)
{
	struct text text = { NULL, 0 };
	FILE *stream = open_memstream(&text.bytes, &text.size);
	struct config *config, *defaults = config_new();
	char *bare, *one, *other;

	(void)state;
	config_print_default(stream);
	fclose(stream);
	name_is_in(config_keys, text.bytes);
	config = must_read(text.bytes);
	one = printed(config);
	other = printed(defaults);
	assert_string_equal(one, other);
	config_free(config);
	bare = malloc(text.size + 1);
	uncomment(text.bytes, bare);
	config = must_read(bare);
	assert_int_equal(config->service_count, 1);
	assert_int_equal(config->iface_count, 1);
	assert_int_equal(config->timeouts.established_s, defaults->timeouts.established_s);
	config_free(config);
	config_free(defaults);
	free(bare);
	free(one);
	free(other);
	free(text.bytes);
}

static void parts_add_to_lists_and_replace_values(void **state)
{
	struct config *config;
	char part[128];
	uint64_t hash;

	(void)state;
	snprintf(part, sizeof(part), "%s/conf.d", folder);
	assert_int_equal(mkdir(part, 0755), 0);
	write_file("conf.d/20-b.yaml", "mode: monitor\nservices: [{name: b, ports: [2]}]\n");
	write_file("conf.d/10-a.yaml", "mode: enforce\nservices: [{name: a, ports: [1]}]\n");
	write_file("conf.d/ignored.txt", "nonsense");
	config = must_read("version: 1\nservices: [{name: main, ports: [3]}]\n");
	assert_int_equal(config->mode, TG_MODE_MONITOR);
	assert_int_equal(config->service_count, 3);
	assert_string_equal(config->service[1].name, "a");
	assert_string_equal(config->service[2].name, "b");
	assert_int_equal(config->file_count, 3);
	hash = config->hash;
	config_free(config);
	write_file("conf.d/20-b.yaml", "mode: monitor\nservices: [{name: b, ports: [3]}]\n");
	assert_null(try_read());
	assert_non_null(strstr(said, "conf.d/20-b.yaml:2:12: port 3 of service 'b' is also of service 'main'"));
	write_file("conf.d/20-b.yaml", "mode: monitor\n");
	config = try_read();
	assert_true(config->hash && config->hash != hash);
	config_free(config);
}

/* --- the data path's struct ----------------------------------------------------------------------- */

/* As long as they may be, of characters that are doubled. */
static void the_longest_paths_read_back(void **state)
{
	char text[CONFIG_PATHS_MAX * (2 * CONFIG_PATH_BYTES + 8) + 64], *end = text;
	struct config *config, *again;
	char *before;
	int i, j;

	(void)state;
	end += sprintf(end, "version: 1\nlists:\n  block:\n");
	for (i = 0; i < CONFIG_PATHS_MAX; i++) {
		end += sprintf(end, "  - '/");
		for (j = 0; j < CONFIG_PATH_BYTES - 2; j++)
			end += sprintf(end, "''");
		end += sprintf(end, "'\n");
	}
	config = must_read(text);
	before = printed(config);
	again = must_read(before);
	assert_int_equal(again->block.count, CONFIG_PATHS_MAX);
	assert_memory_equal(&again->block, &config->block, sizeof(config->block));
	free(before);
	config_free(config);
	config_free(again);
}

/* The service's user can write to the maps: numbers that name nothing are shown as that. */
static void numbers_without_a_word_are_none(void **state)
{
	struct config *config = config_new();
	char *text;

	(void)state;
	config->mode = 7;
	config->synflood.action = UINT32_MAX - 1;
	config->iface_count = 1;
	strcpy(config->iface[0].name, "eth0");
	config->iface[0].profile = 0x7fffffff;
	text = printed(config);
	assert_non_null(strstr(text, "mode: ?"));
	assert_non_null(strstr(text, "profile: ?"));
	free(text);
	config_free(config);
}

static void what_is_filled_comes_back(void **state)
{
	struct config *config = must_read(everything), *back = config_new();
	struct tg_config *to = calloc(1, sizeof(*to));
	struct tg_ports *ports = calloc(1, sizeof(*ports));

	(void)state;
	config_fill(config, 0, to, ports);
	assert_int_equal(to->services, 3);
	assert_int_equal(ports->service[8100], 1);
	assert_int_equal(ports->service[8101], 0);
	assert_int_equal(ports->service[22], 2);
	assert_int_equal(to->service[1].has_mode, 0);
	assert_int_equal(to->service[2].has_mode, 1);
	assert_int_equal(to->service[2].mode.mode, TG_MODE_MONITOR);
	assert_int_equal(to->daemon_loss_ms, 18000);
	assert_int_equal(to->relaxed, 1U << TG_CLASS_WINDOW);
	assert_int_equal(to->timeouts.shortest_ms, 2000);
	assert_int_equal(to->timeouts.phase_ms[TG_PHASE_SYN_RECV], 2000);
	assert_int_equal(to->flood.cpus > 0, 1);
	config_from(to, ports, back);
	assert_memory_equal(&back->synflood, &config->synflood, sizeof(back->synflood));
	assert_memory_equal(&back->timeouts, &config->timeouts, sizeof(back->timeouts));
	assert_int_equal(back->service_count, 2);
	assert_memory_equal(&back->service[0].ports, &config->service[0].ports, sizeof(back->service[0].ports));
	assert_int_equal(back->hash, config->hash);
	free(to);
	free(ports);
	config_free(config);
	config_free(back);
}

static void services_keep_their_numbers_and_deadlines(void **state)
{
	struct config *config = must_read("version: 1\nservices: [{name: a, ports: [1]}, {name: b, ports: [2]}]\n");
	struct tg_config *to = calloc(1, sizeof(*to));
	struct tg_ports *ports = calloc(1, sizeof(*ports));

	(void)state;
	config_fill(config, 0, to, ports);
	config_free(config);
	to->service[2].mode = (struct tg_mode_setting){ TG_MODE_ENFORCE, TG_MODE_MONITOR, 1000 };
	to->service[2].has_mode = 1;
	config = must_read("version: 1\nservices: [{name: c, ports: [3]}, {name: b, ports: [4], mode: monitor}]\n");
	config_fill(config, 1000, to, ports);
	assert_string_equal(to->service[2].name, "b");
	assert_int_equal(to->service[2].mode.until_ms, 1000);
	assert_string_equal(to->service[1].name, "c");
	assert_int_equal(ports->service[4], 2);
	assert_int_equal(ports->service[2], 0);
	config_fill(config, 1001, to, ports); /* the deadline has passed */
	assert_int_equal(to->service[2].mode.until_ms, 0);
	assert_int_equal(to->service[2].mode.mode, TG_MODE_MONITOR);
	free(to);
	free(ports);
	config_free(config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(every_fault_has_its_place),
		TEST(all_faults_are_said_at_once),
		TEST(a_file_that_is_not_there_is_a_fault),
		TEST(garbage_is_refused_not_obeyed),
		TEST(aliases_end),
		TEST(every_key_is_read),
		TEST(what_is_printed_reads_back_as_the_same),
		TEST(what_quotes_cannot_hold_reads_back),
		TEST(the_default_file_is_valid_with_and_without_its_comments),
		TEST(parts_add_to_lists_and_replace_values),
		TEST(the_longest_paths_read_back),
		TEST(numbers_without_a_word_are_none),
		TEST(what_is_filled_comes_back),
		TEST(services_keep_their_numbers_and_deadlines),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
