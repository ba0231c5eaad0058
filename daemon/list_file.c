/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes files of prefixes. */
#include "list_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "options.h"
#include "progress.h"

#define BAD_LINES_SAID 20
#define SHOW_EVERY 4096 /* lines */
#define LINE_BYTES 4096
/* Before those that are named twice are one: lists from the network must not take all memory. */
#define RULES_READ_MAX (2 * TG_LIST_RULES_MAX)

/* A file being read. */
struct reading {
	const struct list_reader *reader;
	struct list_rules *rules;
	const char *name;
	size_t line;
	size_t bad;
	uint64_t bytes;
	uint64_t whole; /* 0: not known */
	struct progress progress;
};

uint32_t list_until(uint32_t now_s, uint32_t for_s)
{
	if (!for_s)
		return TG_LIST_FOREVER;
	/* The second under way has begun already. */
	return (uint64_t)now_s + for_s + 1 < TG_LIST_FOREVER ? now_s + for_s + 1 : 0;
}

uint32_t list_left_s(const struct tg_list_rule *rule, uint32_t now_s)
{
	if (rule->until_s == TG_LIST_FOREVER)
		return UINT32_MAX;
	return rule->until_s > now_s + 1 ? rule->until_s - now_s - 1 : 1;
}

static void say_bad(struct reading *reading, const char *why)
{
	if (reading->bad++ < BAD_LINES_SAID)
		log_err(0, "%s:%zu: %s", reading->name, reading->line, why);
}

static char *skip_blanks(char *at)
{
	return at + strspn(at, " \t");
}

/* Ends the word at *at and returns it; *at moves to the next.  NULL at the end or at a comment. */
static char *next_word(char **at)
{
	char *word = *at;

	if (!*word || *word == '#' || *word == ';')
		return NULL;
	*at += strcspn(*at, " \t");
	if (**at)
		*(*at)++ = '\0';
	*at = skip_blanks(*at);
	return word;
}

/* The second word.  False: it is neither.  *until_s 0: that time is over already. */
static bool read_duration(const struct list_reader *reader, const char *word, uint32_t *until_s)
{
	uint32_t for_s = reader->for_s;

	if (strcmp(word, "-") != 0 && (parse_duration_s(word, &for_s) || !for_s))
		return false;
	*until_s = 0;
	if (for_s && for_s <= reader->age_s)
		return true;
	*until_s = list_until(reader->now_s, for_s ? for_s - reader->age_s : 0);
	return *until_s;
}

/* 0, or -ENOMEM; what is wrong with the line is said and counted. */
static int read_line(struct reading *reading, char *line)
{
	const struct list_reader *reader = reading->reader;
	const char *reason = reader->reason, *fault;
	char *at = skip_blanks(line), *word;
	char why[PREFIX_WHY_BYTES];
	struct prefix prefix;
	uint32_t until_s;

	word = next_word(&at);
	if (!word)
		return 0;
	if (prefix_parse(word, &prefix, why)) {
		say_bad(reading, why);
		return 0;
	}
	word = next_word(&at);
	if (!read_duration(reader, word ? word : "-", &until_s)) {
		snprintf(why, sizeof(why), "'%.64s' is neither a duration such as 10m nor -",
			 word ? word : "-");
		say_bad(reading, why);
		return 0;
	}
	if (word && *at && *at != '#' && *at != ';')
		reason = at;
	fault = list_reason_fault(reason);
	if (fault) {
		say_bad(reading, fault);
		return 0;
	}
	if (reader->guard && list_guard_refuses(reader->guard, &prefix, why)) {
		say_bad(reading, why);
		return 0;
	}
	if (!until_s)
		return 0;
	return list_rules_add(reading->rules, &prefix, reader->list, until_s, reader->added_s,
			      reason);
}

/* Takes the end of the line and blanks before it away. */
static void trim(char *line, size_t length)
{
	while (length && strchr(" \t\r\n", line[length - 1]))
		length--;
	line[length] = '\0';
}

/* The bytes of the next line, with its end; of a longer one the first LINE_BYTES - 1 are kept. */
static size_t next_line(FILE *file, char line[LINE_BYTES])
{
	size_t length = 0;
	int c;

	do {
		c = getc_unlocked(file);
		if (c == EOF)
			break;
		if (length < LINE_BYTES - 1)
			line[length] = (char)c;
		length++;
	} while (c != '\n');
	line[length < LINE_BYTES ? length : LINE_BYTES - 1] = '\0';
	return length;
}

/* As read_line(). */
static int judge_line(struct reading *reading, char *line, size_t length)
{
	bool cut = length >= LINE_BYTES;

	if (strlen(line) != (cut ? LINE_BYTES - 1 : length)) {
		say_bad(reading, "the line holds a zero byte");
		return 0;
	}
	if (cut && !strchr("#;", *skip_blanks(line))) {
		say_bad(reading, "the line is too long");
		return 0;
	}
	trim(line, strlen(line));
	return read_line(reading, line);
}

static int read_lines(struct reading *reading, FILE *file)
{
	char line[LINE_BYTES];
	size_t length;
	int err = 0;

	while (!err && (length = next_line(file, line))) {
		reading->line++;
		reading->bytes += length;
		err = judge_line(reading, line, length);
		if (!err && reading->rules->count > RULES_READ_MAX)
			err = -ERANGE;
		if (!(reading->line % SHOW_EVERY))
			progress_show(&reading->progress, reading->rules->count, reading->bytes,
				      reading->whole);
	}
	if (!err && ferror(file))
		return log_err(-EIO, "cannot read %s", reading->name);
	if (err == -ERANGE)
		log_err_hint(0, "aggregate them, or leave some out",
			     "%s holds too many prefixes: at most %u fit", reading->name,
			     TG_LIST_RULES_MAX);
	else if (err)
		log_err(err, "cannot keep the prefixes of %s", reading->name);
	return err;
}

static int say_result(const struct reading *reading)
{
	const char *remedy = reading->reader->remedy;

	if (!remedy)
		remedy = reading->reader->guard ? "correct them (--force for what is refused, not wrong)" :
						  "correct them";
	if (!reading->bad)
		return 0;
	if (reading->bad > BAD_LINES_SAID)
		log_err(0, "%s: and %zu more bad lines", reading->name,
			reading->bad - BAD_LINES_SAID);
	log_err_hint(0, remedy, "%s: %zu bad line%s, nothing was changed", reading->name, reading->bad,
		     reading->bad == 1 ? "" : "s");
	return -EINVAL;
}

int list_file_read(const char *path, const struct list_reader *reader, struct list_rules *rules)
{
	size_t before = rules->count;
	bool standard = !strcmp(path, "-");
	struct reading reading = { .reader = reader,
				   .rules = rules,
				   .name = standard ? "standard input" : path };
	FILE *file = standard ? stdin : fopen(path, "re");
	struct stat status;
	int err;

	if (!file) {
		log_err(-errno, "cannot open %s", path);
		return -EINVAL;
	}
	if (!fstat(fileno(file), &status)) {
		if (S_ISDIR(status.st_mode)) {
			fclose(file);
			log_err(-EISDIR, "cannot read %s", path);
			return -EINVAL;
		}
		reading.whole = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
	}
	progress_begin(&reading.progress, "import", "prefixes");
	err = read_lines(&reading, file);
	progress_end(&reading.progress);
	if (!standard)
		fclose(file);
	if (!err)
		err = say_result(&reading);
	if (err)
		rules->count = before;
	return err;
}

void list_file_write_rule(FILE *stream, const struct list_rules *rules,
			  const struct tg_list_rule *rule, uint32_t now_s)
{
	const struct prefix prefix = prefix_of_rule(rule);
	const char *reason = list_rules_reason(rules, rule);
	char text[PREFIX_TEXT_BYTES];

	if (rule->until_s <= now_s)
		return;
	fputs(prefix_text(text, &prefix), stream);
	if (rule->until_s != TG_LIST_FOREVER)
		fprintf(stream, " %us", list_left_s(rule, now_s));
	else if (*reason)
		fputs(" -", stream);
	if (*reason)
		fprintf(stream, " %s", reason);
	fputc('\n', stream);
}
