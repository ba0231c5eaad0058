/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process_stat.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* proc(5), counted from the state, which follows the name in parentheses. */
#define FIELD_STARTED 19
#define FIELD_VSIZE 20
#define FIELD_RSS 21

static int read_fields(unsigned long long *field, int count)
{
	char line[1024], *at;
	FILE *file = fopen("/proc/self/stat", "re");
	int i, err = 0;

	if (!file)
		return -errno;
	if (!fgets(line, sizeof(line), file))
		err = -EIO;
	fclose(file);
	at = err ? NULL : strrchr(line, ')');
	if (!at)
		return -EIO;
	at = strtok(at + 1, " ");
	for (i = 0; i < count && at; i++, at = strtok(NULL, " "))
		if (sscanf(at, "%llu", &field[i]) != 1)
			field[i] = 0; /* the state is a letter, some others are negative */
	return i == count ? 0 : -EIO;
}

static uint64_t count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	uint64_t count = 0;

	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count - 1; /* the one that reads them */
}

/* The start is told in ticks since boot, and boot is not told in ticks. */
static double boot_time_s(void)
{
	struct timespec now, up;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9;
}

int process_stat_read(struct process_stat *out)
{
	unsigned long long field[FIELD_RSS + 1] = { 0 };
	struct rusage usage;
	struct rlimit limit;
	int err = read_fields(field, FIELD_RSS + 1);

	if (err)
		return err;
	if (getrusage(RUSAGE_SELF, &usage) || getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	out->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	out->started_s = boot_time_s() + (double)field[FIELD_STARTED] / (double)sysconf(_SC_CLK_TCK);
	out->virtual_bytes = field[FIELD_VSIZE];
	out->resident_bytes = field[FIELD_RSS] * (uint64_t)sysconf(_SC_PAGESIZE);
	out->open_fds = count_fds();
	out->max_fds = limit.rlim_cur;
	return 0;
}
