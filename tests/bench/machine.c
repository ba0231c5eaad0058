/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On what, and when, it was measured: a figure without these is none. */
#include "tests/bench/bench.h"

#include <dirent.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

static void read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (file && fgets(text, (int)size, file))
		text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void cpu_model(char *text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(text, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		const char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		snprintf(text, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
		break;
	}
	if (file)
		fclose(file);
}

/* Those the kernel says it is vulnerable to and does something about. */
static json_t *mitigations(void)
{
	const char *directory = "/sys/devices/system/cpu/vulnerabilities";
	json_t *object = json_object();
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[512], text[256];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		read_line(path, text, sizeof(text));
		if (strcmp(text, "Not affected"))
			json_object_set_new(object, entry->d_name, json_string(text));
	}
	if (dir)
		closedir(dir);
	return object;
}

struct json_t *machine_json(void)
{
	char cpu[128], load[64], date[64];
	struct utsname kernel;
	time_t now = time(NULL);
	struct tm utc;
	json_t *object;

	uname(&kernel);
	cpu_model(cpu, sizeof(cpu));
	read_line("/proc/loadavg", load, sizeof(load));
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	object = json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "date", date, "cpu", cpu, "processors",
			   (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes",
			   (json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE), "kernel",
			   kernel.release, "load", load);
	json_object_set_new(object, "mitigations", mitigations());
	return object;
}

void machine_text(FILE *stream)
{
	json_t *machine = machine_json(), *value;
	const char *key;

	fprintf(stream, "%s, %s, %lld processors, Linux %s, load %s\n",
		json_string_value(json_object_get(machine, "date")),
		json_string_value(json_object_get(machine, "cpu")),
		(long long)json_integer_value(json_object_get(machine, "processors")),
		json_string_value(json_object_get(machine, "kernel")),
		json_string_value(json_object_get(machine, "load")));
	json_object_foreach(json_object_get(machine, "mitigations"), key, value)
		fprintf(stream, "  %s: %s\n", key, json_string_value(value));
	json_decref(machine);
}
