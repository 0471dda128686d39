// SPDX-License-Identifier: MIT
/*
 * The keys, printed from action.h, and what the marks mean.
 */
#include <stdio.h>
#include <string.h>

#include "canvas.h"
#include "screen.h"

static const struct {
	const char *what;
	const char *meaning;
} legend[] = {
	{ "~", "inferred: concluded, not counted where it happened" },
	{ "[kernel]  ?", "the kernel's own; bytes nobody could be named for" },
	{ "[earlier]  [other]",
	  "sums of processes that are gone; beyond the table" },
};

#define LEGEND	   (int)(sizeof(legend) / sizeof(legend[0]))
#define LINES_ALL  (1 + ACTION_COUNT - 1 + 1 + LEGEND)
#define KEYS_WIDTH 20

static int top;

static void draw_line(int y, int line)
{
	const char *left = "", *right = "";

	if (line == 0) {
		canvas_put(y, 1, 60, ROLE_TITLE, "nm-view " NM_VERSION);
		return;
	}
	if (line < ACTION_COUNT) {
		left = actions[line].keys;
		right = actions[line].help;
	} else if (line > ACTION_COUNT) {
		left = legend[line - ACTION_COUNT - 1].what;
		right = legend[line - ACTION_COUNT - 1].meaning;
	}
	canvas_put(y, 1, KEYS_WIDTH, ROLE_KEY, left);
	canvas_put(y, 1 + KEYS_WIDTH + 1, canvas_width(), ROLE_NORMAL, right);
}

static void draw(const struct view *v, int y, int height)
{
	int seen = height ? height : LINES_ALL;

	(void)v;
	if (top > LINES_ALL - seen)
		top = LINES_ALL - seen;
	if (top < 0)
		top = 0;
	for (int i = 0; i < seen && top + i < LINES_ALL; i++)
		draw_line(y + i, top + i);
}

static bool act(const struct view *v, enum action action)
{
	(void)v;
	switch (action) {
	case ACTION_UP:
		top--;
		return true;
	case ACTION_DOWN:
		top++;
		return true;
	case ACTION_PAGE_UP:
	case ACTION_HOME:
		top = 0;
		return true;
	case ACTION_PAGE_DOWN:
	case ACTION_END:
		top = LINES_ALL;
		return true;
	default:
		return false;
	}
}

const struct screen screen_help = {
	.draw = draw,
	.act = act,
	.whole = true,
};
