/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard secret status|rotate|import FILE`: the secret behind SYN cookies of our own. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "cookie.h"
#include "log.h"
#include "options.h"
#include "output.h"
#include "pins.h"

#define USAGE "say 'tcpguard secret status|rotate|import FILE'"
#define DIGITS 32

struct secret_options {
	bool force;
};

static const struct option_row rows[] = {
	{ 0, "force", NULL, "change it although cookies of the secret before may still come back",
	  options_set_true, offsetof(struct secret_options, force) },
	{ 0, NULL, NULL, NULL, NULL, 0 },
};

/* So many bytes at most: the secret, spaces, one more to notice that there is too much. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size && (got = read(fd, text + length, size - length)) != 0) {
		if (got < 0)
			return -errno;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

/* Only root's eyes: a file that others may read or write, or that is not ours, holds no secret. */
static int check_file(int fd, const char *path)
{
	struct stat file;

	if (fstat(fd, &file))
		return log_err(-errno, "cannot examine '%s'", path);
	if (!S_ISREG(file.st_mode)) {
		log_err_hint(0, "name a file of mode 0600", "'%s' is not a regular file", path);
		return -EINVAL;
	}
	if (file.st_mode & 077 || (file.st_uid && file.st_uid != geteuid())) {
		log_err_hint(0, "'chown root FILE; chmod 0600 FILE', and use a new secret",
			     "'%s' is no secret: its mode is %04o, its owner %u", path,
			     (unsigned int)(file.st_mode & 07777), (unsigned int)file.st_uid);
		return -EINVAL;
	}
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 hexadecimal digits, and nothing else but one line's end. */
static int parse_secret(const char *text, size_t length, struct tg_cookie_secret *secret)
{
	size_t i;

	if (length && text[length - 1] == '\n')
		length--;
	if (length != DIGITS)
		return -EINVAL;
	memset(secret, 0, sizeof(*secret));
	for (i = 0; i < DIGITS; i++) {
		int value = digit(text[i]);

		if (value < 0)
			return -EINVAL;
		secret->key[i / 16] = secret->key[i / 16] << 4 | (unsigned int)value;
	}
	return 0;
}

static int read_secret(const char *path, struct tg_cookie_secret *secret)
{
	char text[DIGITS + 8];
	ssize_t length;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		log_err(-errno, "cannot open '%s'", path);
		return -EINVAL;
	}
	err = check_file(fd, path);
	if (!err) {
		length = read_all(fd, text, sizeof(text));
		err = length < 0 ? log_err((int)length, "cannot read '%s'", path) :
				   parse_secret(text, (size_t)length, secret);
		if (err && length >= 0)
			log_err_hint(0, "make one with 'openssl rand -hex 16'",
				     "'%s' does not hold 32 hexadecimal digits", path);
	}
	explicit_bzero(text, sizeof(text));
	close(fd);
	return err;
}

static int draw_secret(struct tg_cookie_secret *secret)
{
	ssize_t got = getrandom(secret, sizeof(*secret), 0);

	if (got == (ssize_t)sizeof(*secret))
		return 0;
	return log_err(got < 0 ? -errno : -EIO, "cannot get random numbers for a secret");
}

/* A secret before the former one is forgotten: what was made with it must have had its time. */
static int check_time(const struct pins *pins, uint64_t now_ms, bool force)
{
	uint64_t until_ms = pins->cookies->former_until_ms;

	if (force || now_ms >= until_ms)
		return 0;
	log_err_hint(0, "wait, or say --force: connections being opened then fail",
		     "the secret was changed a moment ago: the one before must stay good for %" PRIu64
		     " s",
		     (until_ms - now_ms + 999) / 1000);
	return -EBUSY;
}

static int change(struct pins *pins, const char *path, bool force)
{
	struct tg_cookie_secret secret;
	uint64_t now_ms;
	int err;

	err = path ? read_secret(path, &secret) : draw_secret(&secret);
	if (!err)
		err = pins_now_ms(pins, &now_ms);
	if (!err)
		err = check_time(pins, now_ms, force);
	if (!err) {
		cookie_set_wall_clock(pins->cookies, now_ms);
		cookie_change_secret(pins->cookies, &secret, now_ms);
	}
	explicit_bzero(&secret, sizeof(secret));
	return err;
}

static int report(const struct global_options *global, const struct pins *pins)
{
	uint64_t now_ms, until_ms = pins->cookies->former_until_ms, left_s;
	uint64_t rotated_s = pins->cookies->rotated_at_s;
	char text[160], since[64] = "made at the first attach";
	struct output_field fields[] = {
		{ .name = "rotated_at_s", .kind = OUTPUT_NUMBER, .number = rotated_s },
		{ .name = "former_valid_s", .kind = OUTPUT_NUMBER },
		{ .name = NULL },
	};
	const struct output_answer answer = {
		.schema = "tcpguard.secret/1",
		.text = text,
		.fields = fields,
	};
	struct output out;
	int err;

	err = pins_now_ms(pins, &now_ms);
	if (err)
		return command_exit_code(err);
	left_s = until_ms > now_ms ? (until_ms - now_ms + 999) / 1000 : 0;
	fields[1].number = left_s;
	if (rotated_s)
		snprintf(since, sizeof(since), "changed %" PRIu64 " s ago",
			 (uint64_t)time(NULL) > rotated_s ? (uint64_t)time(NULL) - rotated_s : 0);
	if (left_s)
		snprintf(text, sizeof(text),
			 "secret of the SYN cookies: %s; the former one is accepted for another %" PRIu64
			 " s",
			 since, left_s);
	else
		snprintf(text, sizeof(text), "secret of the SYN cookies: %s", since);
	if (output_open(&out, global, false))
		return EXIT_USAGE;
	out.functions->answer(&out, &answer);
	return command_exit_code(output_close(&out));
}

static int run_secret(const struct global_options *global, const void *parsed, int argc, char **argv)
{
	const struct secret_options *options = parsed;
	const char *verb = argc ? argv[0] : "";
	bool import = !strcmp(verb, "import");
	struct pins pins;
	int lock, err, code;

	if (!import && strcmp(verb, "status") != 0 && strcmp(verb, "rotate") != 0) {
		log_err_hint(0, USAGE, "secret: '%s' is none of its words", verb);
		return EXIT_USAGE;
	}
	if (argc != (import ? 2 : 1)) {
		log_err_hint(0, USAGE, "secret %s takes %s", verb, import ? "one file" : "no argument");
		return EXIT_USAGE;
	}
	err = pins_open(&pins, true);
	if (err)
		return command_exit_code(err);
	if (strcmp(verb, "status") != 0) {
		lock = pins_lock();
		err = lock < 0 ? lock : change(&pins, import ? argv[1] : NULL, options->force);
		if (lock >= 0)
			close(lock);
	}
	code = err == -EINVAL ? EXIT_CONFIG : err ? command_exit_code(err) :
						    report(global, &pins);
	pins_close(&pins);
	return code;
}

const struct command command_secret = {
	.name = "secret",
	.arguments = "status|rotate|import FILE",
	.summary = "The secret behind SYN cookies.",
	.details = "Cookies of the former secret stay good for four minutes.  Hosts behind one address\n"
		   "(ECMP) accept each other's cookies when they import the same file: 32 hexadecimal\n"
		   "digits, mode 0600, and clocks that agree to a minute.  The secret is never shown.",
	.options = rows,
	.options_size = sizeof(struct secret_options),
	.run = run_secret,
};
