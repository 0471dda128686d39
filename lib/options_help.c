// SPDX-License-Identifier: MIT
/*
 * --help, printed from the option table in aligned columns.
 */
#include <stdio.h>
#include <string.h>

#include "options_parts.h"

#define COLUMNS 80

/* An option longer than this has its help begin on the next line. */
#define LEFT_MAX 28

bool nm_option_is_end(const struct nm_option *o)
{
	return !o->letter && !o->name && !o->help;
}

/* Characters, where the text is UTF-8. */
static size_t width_of(const char *s, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++)
		width += ((unsigned char)s[i] & 0xc0) != 0x80;
	return width;
}

/*
 * Prints words from column `at`, further lines indented to `indent`; returns
 * the column it ends in.
 */
static size_t print_wrapped(const char *text, size_t at, size_t indent)
{
	size_t n, width;
	bool first = at == indent;

	for (; *text; text += n + strspn(text + n, " ")) {
		n = strcspn(text, " ");
		width = width_of(text, n);
		if (!first && at + 1 + width > COLUMNS) {
			printf("\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		if (!first) {
			putchar(' ');
			at++;
		}
		printf("%.*s", (int)n, text);
		at += width;
		first = false;
	}
	return at;
}

/* "  -i, --interval=SECONDS" */
static void left_side(const struct nm_option *o, char *out, size_t size)
{
	const char *arg = o->arg ? o->arg : "";

	if (!o->name)
		snprintf(out, size, "  -%c%s%s", o->letter, o->arg ? " " : "",
			 arg);
	else if (o->optional)
		snprintf(out, size, "      --%s[=%s]", o->name, arg);
	else if (o->letter)
		snprintf(out, size, "  -%c, --%s%s%s", o->letter, o->name,
			 o->arg ? "=" : "", arg);
	else
		snprintf(out, size, "      --%s%s%s", o->name,
			 o->arg ? "=" : "", arg);
}

static void print_option(const struct nm_option *o, size_t column)
{
	char left[128];
	size_t at;

	left_side(o, left, sizeof(left));
	at = width_of(left, strlen(left));
	fputs(left, stdout);
	if (at + 2 > column) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", (int)(column - at), "");
	at = print_wrapped(o->help, column, column);
	if (o->words) {
		snprintf(left, sizeof(left), "(one of: %s)", o->words);
		print_wrapped(left, at, column);
	}
	putchar('\n');
}

static size_t column_of_help(const struct nm_option *options)
{
	char left[128];
	size_t column = 0, n;

	for (const struct nm_option *o = options; !nm_option_is_end(o); o++) {
		if (o->kind == NM_OPT_HEADING)
			continue;
		left_side(o, left, sizeof(left));
		n = width_of(left, strlen(left));
		if (n <= LEFT_MAX && n > column)
			column = n;
	}
	return column + 2;
}

void nm_print_help(const struct nm_program *p)
{
	static const struct nm_option common[] = {
		{ .name = "config",
		  .arg = "FILE",
		  .help = "read this configuration, not the usual one" },
		{ .letter = 'h', .name = "help", .help = "show this help" },
		{ .letter = 'V',
		  .name = "version",
		  .help = "show the version and the licence" },
		{ 0 }
	};
	size_t column = column_of_help(p->options);
	size_t indent = strlen("Usage: ") + strlen(p->name);
	bool grouped = false;

	if (column < column_of_help(common))
		column = column_of_help(common);

	printf("Usage: %s", p->name);
	print_wrapped(p->synopsis, indent, indent + 1);
	printf("\n%s\n\n", p->summary);
	for (const struct nm_option *o = p->options; !nm_option_is_end(o);
	     o++) {
		if (o->kind == NM_OPT_HEADING)
			printf("\n%s:\n", o->help);
		else
			print_option(o, column);
		grouped |= o->kind == NM_OPT_HEADING;
	}
	if (grouped) /* these are in no group */
		putchar('\n');
	for (const struct nm_option *o = common; !nm_option_is_end(o); o++)
		print_option(o, column);
	if (p->examples) {
		printf("\nExamples:\n%s", p->examples);
		if (p->examples[strlen(p->examples) - 1] != '\n')
			putchar('\n');
	}
	printf("\nExit status: 0 done, 1 failed or bad input, 2 wrong usage, "
	       "3 cannot run here\n");
}
