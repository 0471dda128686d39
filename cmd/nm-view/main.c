// SPDX-License-Identifier: MIT
/*
 * nm-view: shows who uses the network, on a terminal or as text.
 */
#include <err.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "canvas.h"
#include "frame.h"
#include "live.h"
#include "options.h"
#include "view.h"

#define WIDTH_MAX 1000

static bool batch, bits, exact;
static uint64_t count, width, height;
static const char *keys = "", *sort_by;

static const struct nm_option options[] = {
	{ 'b', "batch", NULL, "print each frame as text, without a terminal",
	  NM_OPT_FLAG, &batch },
	{ 'c', "count", "COUNT", "end after COUNT frames", NM_OPT_UINT, &count,
	  .min = 1, .max = 1e15 },
	{ 'k', "keys", "KEYS", "press these keys first (names, blanks between)",
	  NM_OPT_STRING, &keys },
	{ 's', "sort", "COLUMN", "sort by this column (RATE)", NM_OPT_STRING,
	  &sort_by },
	{ 0, "bits", NULL, "show bits instead of bytes", NM_OPT_FLAG, &bits,
	  .instead_of = "exact" },
	{ 0, "exact", NULL, "show bytes to the last digit", NM_OPT_FLAG, &exact,
	  .instead_of = "bits" },
	{ 0, "width", "COLUMNS", "columns of a frame of text (80)", NM_OPT_UINT,
	  &width, .min = CANVAS_MIN_WIDTH, .max = WIDTH_MAX },
	{ 0, "height", "LINES",
	  "lines of a frame of text (as many as it takes)", NM_OPT_UINT,
	  &height, .min = CANVAS_MIN_HEIGHT, .max = 1e6 },
	{ 0 },
};

static const struct nm_program program = {
	.name = "nm-view",
	.synopsis = "[-b] [-c COUNT] [-k KEYS] [-s COLUMN] [--bits | --exact]",
	.summary = "show who uses the network",
	.options = options,
	.examples = "  nm-collect | nm-view\n"
		    "  nm-collect --once | nm-view -b -s SENT/s\n"
		    "  ssh host sudo nm-collect | nm-view\n",
	.licence = "GPL-3.0-or-later",
	.filter = true,
};

/* A shell's LINES and COLUMNS, if they make sense. */
static uint64_t from_environment(const char *name, uint64_t least,
				 uint64_t most, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t value = text ? strtoull(text, NULL, 10) : 0;

	if (!value)
		return otherwise;
	return value < least ? least : value > most ? most : value;
}

/* False: nobody reads it any more. What is only to be known is said once. */
static bool print(struct view *v)
{
	if (frame_draw(v) == 0) {
		model_notice_seen(v->model);
		return true;
	}
	if (errno != EPIPE)
		err(NM_EXIT_FAIL, "cannot write to standard output");
	return false;
}

static int paper(struct view *v, struct source *s)
{
	uint64_t left = count;

	if (!width)
		width = from_environment("COLUMNS", CANVAS_MIN_WIDTH, WIDTH_MAX,
					 80);
	if (!height)
		height = from_environment("LINES", CANVAS_MIN_HEIGHT, 1000000,
					  0);
	signal(SIGPIPE, SIG_IGN);
	canvas_open_text((int)width, (int)height);
	for (;;) {
		switch (view_take(v, s)) {
		case SOURCE_TICK:
			view_tick(v);
			if (v->quit || !print(v) || (left && !--left))
				goto out;
			break;
		case SOURCE_EMPTY:
			if (nm_lines_fill(&s->lines) < 0)
				err(NM_EXIT_FAIL, "cannot read standard input");
			break;
		case SOURCE_EOF:
			if (view_end(v))
				print(v);
			goto out;
		}
	}
out:
	canvas_close();
	return view_complaints(v, s);
}

int main(int argc, char **argv)
{
	static struct source source;
	struct view v = { .screen = &screen_proc };
	int status = -1;

	setlocale(LC_ALL, "");
	nm_options(&program, argc, argv);
	if (sort_by && !screen_proc_sort(sort_by))
		nm_usage_error(&program, "no column is called '%s'", sort_by);
	if (bits && exact)
		nm_usage_error(&program,
			       "--bits and --exact exclude each other");
	v.unit = bits ? UNIT_BITS : exact ? UNIT_EXACT : UNIT_BYTES;
	v.model = model_new();
	v.script = keys;
	nm_lines_init(&source.lines, STDIN_FILENO);
	source.bad.program = program.name;
	if (!batch)
		status = live(&v, &source, count);
	if (status < 0)
		status = paper(&v, &source);
	model_free(v.model);
	nm_lines_free(&source.lines);
	nm_record_free(&source.record);
	return status;
}
