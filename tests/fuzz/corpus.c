/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs one target over the files of its corpus, each once, and again cut off at half: what
 * libFuzzer's driver does with -runs=0, but with any compiler.  One TAP line; an input that fails
 * ends the run and was named before.
 *
 *	fuzz_NAME FILE|DIRECTORY...
 */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static size_t inputs;

static void run(const char *path, const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		abort();
	if (size)
		memcpy(exact, bytes, size);
	fprintf(stderr, "# %s, %zu bytes\n", path, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	inputs++;
}

static int run_file(const char *path, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);
	FILE *file = fopen(path, "rb");

	if (!bytes || !file || fread(bytes, 1, size, file) != size) {
		printf("Bail out! cannot read %s: %s\n", path, strerror(errno));
		return 1;
	}
	fclose(file);
	run(path, bytes, size);
	run(path, bytes, size / 2);
	free(bytes);
	return 0;
}

static int run_path(const char *path);

static int run_directory(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort), i, failed = 0;

	for (i = 0; i < count; i++) {
		char inside[4096];

		snprintf(inside, sizeof(inside), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && !failed)
			failed = run_path(inside);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return failed;
}

static int run_path(const char *path)
{
	struct stat status;

	if (stat(path, &status)) {
		printf("Bail out! cannot read %s: %s\n", path, strerror(errno));
		return 1;
	}
	return S_ISDIR(status.st_mode) ? run_directory(path) : run_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (run_path(argv[i]))
			return 1;
	if (!inputs) {
		printf("Bail out! no inputs\n");
		return 1;
	}
	printf("ok 1 - %zu inputs\n", inputs);
	return 0;
}
