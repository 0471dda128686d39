// SPDX-License-Identifier: MIT
/*
 * A program with an option of every kind, which prints what it was given:
 * tests/lib.bats drives it.
 */
#include <err.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

static bool flag;
static unsigned int verbose;
static const char *file = "none", *backend = "none";
static uint64_t count = 1, any;
static double interval = 1;
static char called[32] = "none";

static int call(const char *arg, void *into)
{
	if (!arg)
		arg = "alone";
	if (strlen(arg) > 5) {
		warnx("'%s' is too long", arg);
		return -1;
	}
	strcpy(into, arg);
	return 0;
}

static const struct nm_option options[] = {
	{ .letter = 'q', .name = "quiet", .help = "a flag", .into = &flag },
	{ .letter = 'v',
	  .name = "verbose",
	  .help = "a count; more of it says more",
	  .kind = NM_OPT_COUNT,
	  .into = &verbose },
	{ .kind = NM_OPT_HEADING, .help = "With an argument" },
	{ .letter = 'f',
	  .name = "file",
	  .arg = "FILE",
	  .help = "a string",
	  .kind = NM_OPT_STRING,
	  .into = &file },
	{ .name = "backend",
	  .arg = "NAME",
	  .help = "a word out of a few, with a help text that is so long that "
		  "it takes more than one line",
	  .kind = NM_OPT_STRING,
	  .into = &backend,
	  .words = "fexit tp diag" },
	{ .letter = 'c',
	  .name = "count",
	  .arg = "COUNT",
	  .help = "a number",
	  .kind = NM_OPT_UINT,
	  .into = &count,
	  .min = 1,
	  .max = 10000000 },
	{ .name = "any",
	  .arg = "N",
	  .help = "any number",
	  .kind = NM_OPT_UINT,
	  .into = &any },
	{ .letter = 'i',
	  .name = "interval",
	  .arg = "SECONDS",
	  .help = "seconds",
	  .kind = NM_OPT_SECONDS,
	  .into = &interval,
	  .min = 0.1,
	  .max = 3600 },
	{ .letter = 'x',
	  .arg = "TEXT",
	  .help = "only a letter",
	  .kind = NM_OPT_CALL,
	  .into = called,
	  .call = call },
	{ .name = "maybe",
	  .arg = "TEXT",
	  .help = "with or without",
	  .kind = NM_OPT_CALL,
	  .into = called,
	  .call = call,
	  .optional = true },
	{ .name = "name-longer-than-the-column",
	  .arg = "ARGUMENT",
	  .help = "begins on the next line",
	  .kind = NM_OPT_STRING,
	  .into = &file },
	{ 0 }
};

static const struct nm_program program = {
	.name = "options",
	.synopsis = "[OPTION]… FROM [TO]",
	.summary = "show what was given",
	.options = options,
	.examples = "  options -q one",
	.licence = "MIT, and more",
	.min_operands = 1,
	.max_operands = 2,
};

int main(int argc, char **argv)
{
	int first;

	setlocale(LC_ALL, "");
	first = nm_options(&program, argc, argv);
	printf("flag=%d verbose=%u file=%s backend=%s count=%" PRIu64
	       " any=%" PRIu64 " interval=%g called=%s\n",
	       flag, verbose, file, backend, count, any, interval, called);
	for (int i = first; i < argc; i++)
		printf("operand %s\n", argv[i]);
	return 0;
}
