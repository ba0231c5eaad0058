/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, times and addresses as people read them.  No locale: output is the same everywhere. */
#include "format.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *format_grouped(char *buffer, size_t size, uint64_t number)
{
	char digits[24];
	size_t length, i, at = 0;

	length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	for (i = 0; i < length && at + 2 < size; i++) {
		if (i && (length - i) % 3 == 0)
			buffer[at++] = ' ';
		buffer[at++] = digits[i];
	}
	if (size)
		buffer[at] = '\0';
	return buffer;
}

/* With one decimal, in the largest unit that leaves at least 1; rounded before the unit is chosen. */
static const char *format_scaled(char *buffer, size_t size, uint64_t number, unsigned int step,
				 const char *const *units)
{
	double value = (double)number;
	size_t i = 0;

	while (value >= (i ? step - 0.05 : step) && units[i + 1]) {
		value /= step;
		i++;
	}
	if (!i)
		snprintf(buffer, size, "%" PRIu64 "%s", number, units[0]);
	else
		snprintf(buffer, size, "%.1f%s", value, units[i]);
	return buffer;
}

const char *format_si(char *buffer, size_t size, uint64_t number)
{
	static const char *const units[] = { "", " k", " M", " G", " T", " P", " E", NULL };

	return format_scaled(buffer, size, number, 1000, units);
}

const char *format_bytes(char *buffer, size_t size, uint64_t bytes)
{
	static const char *const units[] = { " B", " KiB", " MiB", " GiB",
					     " TiB", " PiB", " EiB", NULL };

	return format_scaled(buffer, size, bytes, 1024, units);
}

const char *format_duration(char *buffer, size_t size, uint64_t ms)
{
	uint64_t s = ms / 1000, days = s / 86400;

	if (ms < 59950)
		snprintf(buffer, size, "%.1f s", (double)ms / 1000);
	else if (!days)
		snprintf(buffer, size, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600,
			 s / 60 % 60, s % 60);
	else
		snprintf(buffer, size, "%" PRIu64 "d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, days,
			 s / 3600 % 24, s / 60 % 60, s % 60);
	return buffer;
}

const char *format_time(char *buffer, size_t size, const struct timespec *time)
{
	char date[32];
	struct tm tm;

	if (!gmtime_r(&time->tv_sec, &tm) ||
	    !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
		date[0] = '\0';
	snprintf(buffer, size, "%s.%03ldZ", date, time->tv_nsec / 1000000);
	return buffer;
}

const char *format_time_ns(char *buffer, size_t size, uint64_t time_ns, int digits)
{
	const time_t seconds = (time_t)(time_ns / 1000000000);
	char date[32], fraction[16];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
		date[0] = '\0';
	snprintf(fraction, sizeof(fraction), ".%09u", (unsigned int)(time_ns % 1000000000));
	snprintf(buffer, size, "%s%.*sZ", date, digits ? digits + 1 : 0, fraction);
	return buffer;
}

const char *format_flags(char *buffer, size_t size, unsigned int flags)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };
	/* As people say them. */
	static const unsigned char order[] = { 1, 0, 2, 3, 4, 5, 6, 7 };
	size_t i, at = 0;

	snprintf(buffer, size, "-");
	for (i = 0; i < sizeof(order); i++)
		if (flags >> order[i] & 1 && at < size)
			at += (size_t)snprintf(buffer + at, size - at, "%s%s", at ? "|" : "",
					       names[order[i]]);
	return buffer;
}

static bool is_mapped(const __be32 address[4])
{
	return !address[0] && !address[1] && address[2] == htonl(0xffff);
}

const char *format_address(char *buffer, size_t size, const __be32 address[4])
{
	bool ipv4 = is_mapped(address);

	if (!inet_ntop(ipv4 ? AF_INET : AF_INET6, ipv4 ? &address[3] : address, buffer,
		       (socklen_t)size))
		snprintf(buffer, size, "?");
	return buffer;
}

const char *format_endpoint(char *buffer, size_t size, const __be32 address[4], __be16 port)
{
	char text[INET6_ADDRSTRLEN];

	format_address(text, sizeof(text), address);
	snprintf(buffer, size, is_mapped(address) ? "%s:%u" : "[%s]:%u", text, ntohs(port));
	return buffer;
}

/* What no shell sees anything special in. */
static bool is_ordinary(const char *word)
{
	static const char ordinary[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				       "_-.@%+=:,/";

	return word[0] && !word[strspn(word, ordinary)];
}

const char *format_word(char *buffer, size_t size, const char *word)
{
	size_t at = 0;

	if (is_ordinary(word)) {
		snprintf(buffer, size, "%s", word);
		return buffer;
	}
	at += (size_t)snprintf(buffer, size, "'");
	for (; *word && at < size; word++) {
		if (*word == '\'')
			at += (size_t)snprintf(buffer + at, size - at, "'\\''");
		else
			at += (size_t)snprintf(buffer + at, size - at, "%c", *word);
	}
	/* Never half a quotation: without room for all of it, none. */
	if (at + 1 < size)
		snprintf(buffer + at, size - at, "'");
	else
		snprintf(buffer, size, "''");
	return buffer;
}

double format_percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}
