/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration files of any bytes: one, and behind a line with a form feed alone a second in conf.d.
 * What is refused is said with its place; what is accepted is read back from what config_print() makes
 * of it as the same, and survives the way through the settings of the data path.  The other kind of
 * input is such settings, which the service's user can write: printing them must be harmless.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/quiet_log.h"

#include "daemon/config.h"
#include "daemon/config_apply.h"
#include "daemon/plain.h"

#define NOW_MS 1000
#define PATCHES_MAX 32

static char directory[32], main_path[64], part_path[96], part_directory[64];
static int main_fd = -1, part_fd = -1, printed_fd = -1;

/* settings.c takes locks; filling a configuration does not. */
int pins_try_lock(void)
{
	FUZZ_FAIL("nothing here takes a lock");
}

void pins_refresh(struct pins *p)
{
	(void)p;
	FUZZ_FAIL("nothing here exchanges a configuration");
}

/* --- files that are no files ---------------------------------------------------------------------- */

static void remove_directory(void)
{
	unlink(main_path);
	unlink(part_path);
	rmdir(part_directory);
	rmdir(directory);
}

static int new_file(void)
{
	int fd = memfd_create("config", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && !fchmod(fd, 0600));
	return fd;
}

/* Under a name in the directory. */
static void name_file(int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_CHECK(!symlink(path, name));
}

static void make_files(void)
{
	if (main_fd >= 0)
		return;
	main_fd = new_file();
	part_fd = new_file();
	printed_fd = new_file();
}

/* For one input: libFuzzer ends without telling. */
static void make_directory(void)
{
	strcpy(directory, "/tmp/tcpguard-fuzz-XXXXXX");
	FUZZ_CHECK(mkdtemp(directory));
	snprintf(main_path, sizeof(main_path), "%s/main.yaml", directory);
	snprintf(part_directory, sizeof(part_directory), "%s/conf.d", directory);
	snprintf(part_path, sizeof(part_path), "%s/part.yaml", part_directory);
	FUZZ_CHECK(!mkdir(part_directory, 0700));
	name_file(main_fd, main_path);
	name_file(part_fd, part_path);
}

static void put_file(int fd, const void *bytes, size_t size)
{
	FUZZ_CHECK(!ftruncate(fd, 0) && pwrite(fd, bytes, size, 0) == (ssize_t)size);
}

/* --- what is said --------------------------------------------------------------------------------- */

static size_t main_size, part_size, faults;

/* "FILE:LINE:COLUMN: ...", or that the whole file is none. */
static void hear_fault(const char *message)
{
	bool of_main = !strncmp(message, main_path, strlen(main_path));
	size_t size = of_main ? main_size : part_size;
	unsigned int line, column;

	faults++;
	if (strstr(message, "is no configuration: "))
		return;
	FUZZ_CHECK(of_main || !strncmp(message, part_path, strlen(part_path)));
	FUZZ_CHECK(sscanf(message + strlen(of_main ? main_path : part_path), ":%u:%u: ", &line, &column) == 2);
	FUZZ_CHECK(line >= 1 && line <= size + 1 && column >= 1 && column <= size + 1);
}

static void hear_refusal(const char *message)
{
	FUZZ_FAIL("what was printed is refused: %s", message);
}

/* --- the same again ------------------------------------------------------------------------------- */

/* But for where it stands, and what is behind the ends of texts. */
static void forget_places(struct config *config)
{
	static const struct config_place nowhere;
	size_t length = strlen(config->metrics_listen);
	uint32_t i;

	FUZZ_CHECK(length < sizeof(config->metrics_listen));
	memset(config->metrics_listen + length, 0, sizeof(config->metrics_listen) - length);
	for (i = 0; i < config->iface_count; i++)
		config->iface[i].place = nowhere;
	for (i = 0; i < config->service_count; i++)
		config->service[i].place = nowhere;
	config->synflood_place = config->max_flows_place = config->version_place = nowhere;
	config->allow_place = config->block_place = config->listen_place = nowhere;
	config->hash = 0;
}

static void print_to_file(const struct config *config, bool all)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *stream = open_memstream(&text, &size);

	FUZZ_CHECK(stream);
	config_print(stream, config, all);
	FUZZ_CHECK(!fclose(stream));
	for (i = 0; i < size; i += text[i] == '\n' ? 1 : plain_character(text + i))
		FUZZ_CHECK(text[i] == '\n' || (plain_character(text + i) && !plain_is_control(text + i)));
	put_file(printed_fd, text, size);
	free(text);
}

static struct config *read_printed(const struct config *config, bool all)
{
	struct config *again;
	char path[64];

	print_to_file(config, all);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", printed_fd);
	quiet_log_hear = hear_refusal;
	FUZZ_CHECK(!config_read(path, &again));
	quiet_log_hear = NULL;
	return again;
}

static void compare(struct config *one, struct config *other)
{
	forget_places(one);
	forget_places(other);
	FUZZ_CHECK(!memcmp(one, other, offsetof(struct config, hash)));
}

static void visit(void *context, const char *path, const char *value)
{
	(void)context;
	FUZZ_CHECK(path[0] && !plain_has_controls(path) && !plain_has_controls(value));
}

/* --- through the settings ------------------------------------------------------------------------- */

/* Two of them, as in the pinned map. */
static struct tg_config settings;
static struct tg_ports ports;

static uint8_t number_of(const char *name)
{
	uint8_t number;

	for (number = 1; number < TG_SERVICES_MAX; number++)
		if (!strcmp(settings.service[number].name, name))
			return number;
	FUZZ_FAIL("service '%s' has no number", name);
}

/* A port has the number of its service, any other port none. */
static void check_ports(const struct config *config)
{
	static struct tg_ports wanted;
	uint32_t i, r;

	memset(&wanted, 0, sizeof(wanted));
	for (i = 0; i < config->service_count; i++) {
		const struct config_ports *given = &config->service[i].ports;

		for (r = 0; r < given->count; r++)
			memset(&wanted.service[given->range[r].first], number_of(config->service[i].name),
			       (size_t)(given->range[r].last - given->range[r].first) + 1);
	}
	FUZZ_CHECK(!memcmp(&wanted, &ports, sizeof(ports)));
}

static void pass_through_settings(const struct config *config)
{
	struct config *back = config_new();

	FUZZ_CHECK(back);
	config_fill(config, NOW_MS, &settings, &ports);
	FUZZ_CHECK(settings.services <= TG_SERVICES_MAX);
	check_ports(config);
	config_from(&settings, &ports, back);
	FUZZ_CHECK(back->service_count == config->service_count);
	FUZZ_CHECK(!memcmp(&back->timeouts, &config->timeouts, sizeof(back->timeouts)));
	FUZZ_CHECK(!memcmp(&back->synflood, &config->synflood, sizeof(back->synflood)));
	config_free(read_printed(back, true));
	config_free(back);
}

/* --- inputs --------------------------------------------------------------------------------------- */

/* The second file begins behind "\n\f\n". */
static void read_text(const uint8_t *bytes, size_t size)
{
	const uint8_t *mark = size ? memmem(bytes, size, "\n\f\n", 3) : NULL;
	struct config *config, *again;
	int err;

	main_size = mark ? (size_t)(mark - bytes) + 1 : size;
	part_size = mark ? size - main_size - 2 : 0;
	put_file(main_fd, bytes, main_size);
	put_file(part_fd, mark ? mark + 3 : bytes, part_size);
	faults = 0;
	quiet_log_hear = hear_fault;
	err = config_read(main_path, &config);
	quiet_log_hear = NULL;
	FUZZ_CHECK(err == 0 || err == -EBADMSG);
	FUZZ_CHECK(!err == !faults && !err == !!config);
	if (err)
		return;
	config_visit(config, true, visit, NULL);
	config_free(read_printed(config, false));
	again = read_printed(config, true);
	compare(config, again);
	/* Over the settings of another configuration, as a reload does. */
	memset(&settings, 0, sizeof(settings));
	memset(&ports, 0, sizeof(ports));
	pass_through_settings(again);
	if (again->service_count > 1) {
		memmove(&again->service[0], &again->service[1], --again->service_count * sizeof(again->service[0]));
		pass_through_settings(again);
	}
	config_free(again);
	config_free(config);
}

/* Those of the defaults, with bytes changed at places of the input's choice. */
static void read_settings(struct fuzz_input *input)
{
	struct config *config = config_new(), *back = config_new();
	int patches;

	FUZZ_CHECK(config && back);
	memset(&settings, 0, sizeof(settings));
	memset(&ports, 0, sizeof(ports));
	config_fill(config, NOW_MS, &settings, &ports);
	for (patches = 0; patches < PATCHES_MAX && input->left; patches++) {
		uint32_t at = fuzz_u8(input), count;

		at |= (uint32_t)fuzz_u8(input) << 8;
		count = fuzz_u8(input) % 64 + 1;
		if (fuzz_u8(input) & 1)
			memset(&ports.service[at], fuzz_u8(input), count > 65536 - at ? 65536 - at : count);
		else
			for (at %= sizeof(settings); count && at < sizeof(settings); at++, count--)
				((uint8_t *)&settings)[at] = fuzz_u8(input);
	}
	config_from(&settings, &ports, back);
	config_visit(back, true, visit, NULL);
	print_to_file(back, true);
	print_to_file(back, false);
	config_free(config);
	config_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };

	make_files();
	if (fuzz_u8(&input) & 1) {
		read_settings(&input);
		return 0;
	}
	make_directory();
	read_text(input.next, input.left);
	remove_directory();
	return 0;
}
