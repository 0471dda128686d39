// SPDX-License-Identifier: MIT
/*
 * Options from a table: getopt_long(3) splits the command line, this file
 * says what is wrong with it and stores the values.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options_parts.h"

/* What getopt_long(3) returns for a long name: this and its place. */
#define LONG_FIRST 257

/* And for --config, which every command has. */
#define CONFIG 256

/*
 * A disk that is full may only be noticed at the last flush; without this
 * the command would have lost its output and exit with 0.
 */
static void close_stdout(void)
{
	bool pending = __fpending(stdout) > 0, failed = ferror(stdout);

	if (fclose(stdout) == 0 && !failed)
		return;
	/* A reader that went away is no error; nor is a closed stdout that
	 * nothing was written to. */
	if (errno == EPIPE || (errno == EBADF && !pending && !failed))
		return;
	warn("cannot write to standard output");
	_exit(NM_EXIT_FAIL);
}

/*
 * A closed descriptor of the first three would be the next file that is
 * opened, and be read or written as what it is not. /dev/null takes its place,
 * opened the wrong way round, so that its use stays an error.
 */
static void fill_closed(void)
{
	static const int modes[] = {
		[STDIN_FILENO] = O_WRONLY,
		[STDOUT_FILENO] = O_RDONLY,
		[STDERR_FILENO] = O_RDWR,
	};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) < 0)
			_exit(NM_EXIT_FAIL);
}

static void __attribute__((noreturn)) hint(const struct nm_program *p)
{
	fprintf(stderr, "Try '%s --help' for more information.\n", p->name);
	exit(NM_EXIT_USAGE);
}

void nm_usage_error(const struct nm_program *p, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", p->name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	hint(p);
}

/* "--interval" or "-i", as messages name an option. */
static const char *option_name(const struct nm_option *o, char out[64])
{
	if (o->name)
		snprintf(out, 64, "--%s", o->name);
	else
		snprintf(out, 64, "-%c", o->letter);
	return out;
}

static void set(const struct nm_program *p, const struct nm_option *o,
		const char *arg)
{
	char name[64], why[256];

	if (nm_option_set(o, arg, why, sizeof(why)))
		return;
	if (*why)
		nm_usage_error(p, "option '%s': %s", option_name(o, name), why);
	hint(p); /* the option's own function has told why */
}

static const char *config_file;

static const struct nm_option config_option = {
	.name = "config",
	.arg = "FILE",
	.kind = NM_OPT_STRING,
	.into = &config_file,
};

/* The table in the form that getopt_long(3) wants. */
struct getopt_form {
	char letters[512];
	struct option *names;
	bool *given; /* which of the table's were on the command line */
};

static void build(struct getopt_form *g, const struct nm_program *p)
{
	struct option *next;
	size_t count = 0;
	char *letter = g->letters;

	while (!nm_option_is_end(&p->options[count]))
		count++;
	g->names = calloc(count + 4, sizeof(*g->names));
	g->given = calloc(count + 1, sizeof(*g->given));
	if (!g->names || !g->given)
		err(NM_EXIT_FAIL, "cannot read the options");
	next = g->names;

	/* A leading ':' tells a missing argument from an unknown option. */
	letter = stpcpy(letter, ":hV");
	for (size_t i = 0; i < count; i++) {
		const struct nm_option *o = &p->options[i];

		if (o->kind == NM_OPT_HEADING)
			continue;
		if (o->letter) {
			*letter++ = o->letter;
			if (o->arg)
				*letter++ = ':';
		}
		if (o->name)
			*next++ = (struct option){
				.name = o->name,
				.has_arg = !o->arg	 ? no_argument
					   : o->optional ? optional_argument
							 : required_argument,
				.val = LONG_FIRST + (int)i,
			};
	}
	*letter = '\0';
	*next++ = (struct option){ .name = "config",
				   .has_arg = required_argument,
				   .val = CONFIG };
	*next++ = (struct option){ .name = "help", .val = 'h' };
	*next++ = (struct option){ .name = "version", .val = 'V' };
}

static const struct nm_option *by_value(const struct nm_program *p, int value)
{
	if (value == CONFIG)
		return &config_option;
	if (value >= LONG_FIRST)
		return &p->options[value - LONG_FIRST];
	for (const struct nm_option *o = p->options; !nm_option_is_end(o);
	     o++) {
		if (o->letter == value)
			return o;
	}
	return NULL;
}

/* getopt_long(3) returned '?': tell why. */
static void refuse(const struct nm_program *p, char **argv)
{
	const struct nm_option *o = by_value(p, optopt);
	const char *word = argv[optind - 1];

	if (!optopt)
		nm_usage_error(p, "unknown option '%.*s'",
			       (int)strcspn(word, "="), word);
	if (o || optopt == 'h' || optopt == 'V')
		nm_usage_error(p, "option '%.*s' takes no argument",
			       (int)strcspn(word, "="), word);
	nm_usage_error(p, "unknown option '-%c'", optopt);
}

static void check_operands(const struct nm_program *p, int count,
			   char **operand)
{
	if (count < p->min_operands)
		nm_usage_error(p, "an operand is missing");
	if (p->max_operands >= 0 && count > p->max_operands)
		nm_usage_error(p, "unexpected operand '%s'",
			       operand[p->max_operands]);
}

int nm_options(const struct nm_program *p, int argc, char **argv)
{
	const struct nm_option *o;
	struct getopt_form form;
	char name[64];
	int c;

	fill_closed();
	/* A message in one piece: others of the pipe write there, too. */
	setvbuf(stderr, NULL, _IOLBF, 0);
	atexit(close_stdout);
	build(&form, p);
	opterr = 0;
	while ((c = getopt_long(argc, argv, form.letters, form.names, NULL)) !=
	       -1) {
		switch (c) {
		case 'h':
			nm_print_help(p);
			exit(NM_EXIT_OK);
		case 'V':
			printf("%s (netmonitor) %s\nLicence: %s\n", p->name,
			       NM_VERSION, p->licence ? p->licence : "MIT");
			exit(NM_EXIT_OK);
		case ':':
			nm_usage_error(p, "option '%s' needs an argument",
				       option_name(by_value(p, optopt), name));
		case '?':
			refuse(p, argv);
			break;
		default:
			o = by_value(p, c);
			set(p, o, optarg);
			if (o != &config_option)
				form.given[o - p->options] = true;
		}
	}
	check_operands(p, argc - optind, argv + optind);
	if (p->filter && isatty(STDIN_FILENO))
		nm_usage_error(p, "records are read from standard input, "
				  "which is a terminal");
	nm_options_from_config(p, config_file, form.given);
	free(form.names);
	free(form.given);
	return optind;
}
