/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "completion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "names.h"

static void add_word(struct completion *out, const char *word, size_t length)
{
	size_t used = strlen(out->words);

	if (used + length + 2 > sizeof(out->words))
		return;
	snprintf(out->words + used, sizeof(out->words) - used, "%s%.*s", used ? " " : "",
		 (int)length, word);
}

static void add_list(struct completion *out, const char *const *words)
{
	for (; *words; words++)
		add_word(out, *words, strlen(*words));
}

/* Reasons that several rows share stand beside each other or not: look among those added. */
static void add_reasons(struct completion *out)
{
	const struct verdict_row *row;
	unsigned int verdict, before;

	for (verdict = TG_UNDECIDED + 1; verdict < TG_VERDICT_MAX; verdict++) {
		row = names_verdict(verdict);
		for (before = TG_UNDECIDED + 1; before < verdict; before++)
			if (!strcmp(names_verdict(before)->reason, row->reason))
				break;
		if (before == verdict)
			add_word(out, row->reason, strlen(row->reason));
	}
}

static void add_commands(struct completion *out)
{
	const struct command *const *command;

	for (command = command_table; *command; command++)
		add_word(out, (*command)->name, strlen((*command)->name));
}

static bool is(const char *word, size_t length, const char *kind)
{
	return length == strlen(kind) && !memcmp(word, kind, length);
}

static void add_kind(struct completion *out, const char *kind, size_t length)
{
	if (is(kind, length, "IFACE"))
		out->interfaces = true;
	else if (is(kind, length, "FILE") || is(kind, length, "DIR"))
		out->files = true;
	else if (is(kind, length, "STATE")) {
		add_list(out, names_phases);
		add_list(out, names_tcp_states);
	} else if (is(kind, length, "REASON"))
		add_reasons(out);
	else if (is(kind, length, "COMMAND"))
		add_commands(out);
}

static size_t word_length(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
			break;
	return i;
}

/* "[IFACE", "FILE#N", "ID]", "add": one of the alternatives of a position. */
static void add_alternative(struct completion *out, const char *text, size_t length)
{
	size_t word;

	while (length && *text == '[') {
		text++;
		length--;
	}
	word = word_length(text, length);
	if (!word || memchr(text, '\'', length))
		return;
	if (islower((unsigned char)text[0]))
		add_word(out, text, word);
	else if (isupper((unsigned char)text[0]))
		add_kind(out, text, word);
}

static void add_alternatives(struct completion *out, const char *text, size_t length)
{
	const char *end = text + length, *bar;

	while (text < end) {
		bar = memchr(text, '|', (size_t)(end - text));
		if (!bar)
			bar = end;
		if (bar - text >= 3 && memmem(text, (size_t)(bar - text), "...", 3))
			out->repeats = true;
		add_alternative(out, text, (size_t)(bar - text));
		text = bar + 1;
	}
}

void completion_of_value(const char *value, struct completion *out)
{
	memset(out, 0, sizeof(*out));
	if (value)
		add_alternatives(out, value, strlen(value));
}

const char *completion_of_position(const char *arguments, struct completion *out)
{
	size_t length;

	arguments += strspn(arguments, " ");
	length = strcspn(arguments, " ");
	/* A bar of its own separates two ways to write the whole command: the first is offered. */
	if (!length || is(arguments, length, "|"))
		return NULL;
	memset(out, 0, sizeof(*out));
	add_alternatives(out, arguments, length);
	return arguments + length;
}

bool completion_is_empty(const struct completion *completion)
{
	return !completion->words[0] && !completion->interfaces && !completion->files;
}
