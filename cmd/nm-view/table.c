// SPDX-License-Identifier: MIT
/*
 * Draws rows under column titles.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "canvas.h"
#include "table.h"
#include "text.h"

/* The margin at the left shows marks; columns are a blank apart. */
#define MARGIN 1
#define GAP    1

size_t table_column(const struct table *t, const char *title)
{
	size_t i;

	for (i = 0; i < t->columns; i++) {
		if (!strcasecmp(t->column[i].title, title))
			break;
	}
	return i;
}

static int compare_values(const struct column *c, const void *a, const void *b)
{
	int order;

	if (c->number) {
		double x = c->number(a), y = c->number(b);

		return (x > y) - (x < y);
	}
	order = strcasecmp(c->text(a), c->text(b));
	return order ? order : strcmp(c->text(a), c->text(b));
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	void *const *x = a, *const *y = b;
	const struct table *t = arg;
	const struct column *c = &t->column[t->sort];
	int order = compare_values(c, *x, *y);
	size_t was_x, was_y;

	if (order)
		return c->down != t->reverse ? -order : order;
	was_x = *t->kind->place(*x);
	was_y = *t->kind->place(*y);
	if (was_x != was_y)
		return was_x < was_y ? -1 : 1;
	return t->kind->id(*x) < t->kind->id(*y) ? -1 : 1;
}

void table_sort(struct table *t)
{
	size_t i;

	if (t->rows > 1)
		qsort_r(t->row, t->rows, sizeof(*t->row), compare_rows, t);
	for (i = 0; i < t->rows; i++)
		*t->kind->place(t->row[i]) = i;
	if (!t->selected)
		return;
	for (i = 0; i < t->rows; i++) {
		if (t->kind->id(t->row[i]) == t->selected) {
			t->selected_at = i;
			return;
		}
	}
	/* It is gone: what is now in its place is selected. */
	if (t->rows) {
		if (t->selected_at >= t->rows)
			t->selected_at = t->rows - 1;
		t->selected = t->kind->id(t->row[t->selected_at]);
	}
}

static bool fits(const struct table *t, const bool *seen)
{
	int need = MARGIN - GAP;

	for (size_t i = 0; i < t->columns; i++) {
		if (seen[i])
			need += t->column[i].width + GAP;
	}
	return need <= canvas_width();
}

/* Which columns there is room for. */
static void choose(const struct table *t, bool *seen)
{
	for (size_t i = 0; i < t->columns; i++)
		seen[i] = t->column[i].width > 0;
	while (!fits(t, seen)) {
		size_t least = t->columns;

		for (size_t i = 0; i < t->columns; i++) {
			int importance = t->column[i].importance;

			if (seen[i] && importance &&
			    (least == t->columns ||
			     importance < t->column[least].importance))
				least = i;
		}
		if (least == t->columns)
			return;
		seen[least] = false;
	}
}

bool table_sees(const struct table *t, size_t column)
{
	bool seen[TABLE_COLUMNS_MAX];

	choose(t, seen);
	return column < t->columns && seen[column];
}

/* The width of each column that is seen; 0 for the others. */
static void allot(const struct table *t, int *width)
{
	bool seen[TABLE_COLUMNS_MAX];
	int spare = canvas_width() - MARGIN + GAP, shares = 0;

	choose(t, seen);
	for (size_t i = 0; i < t->columns; i++) {
		width[i] = seen[i] ? t->column[i].width : 0;
		if (seen[i]) {
			spare -= width[i] + GAP;
			shares += t->column[i].grow;
		}
	}
	for (size_t i = 0; i < t->columns; i++) {
		int grow = seen[i] ? t->column[i].grow : 0;
		int extra = grow && spare > 0 ? spare * grow / shares : 0;

		width[i] += extra;
		spare -= extra;
		shares -= grow;
	}
}

void table_sort_move(struct table *t, int step)
{
	size_t i = t->sort;

	for (;;) {
		if ((step < 0 && !i) || (step > 0 && i + 1 >= t->columns))
			return;
		i += (size_t)step;
		if (t->column[i].width)
			break;
	}
	t->sort = i;
	t->reverse = false;
	table_sort(t);
}

static void select_row(struct table *t, size_t at)
{
	t->selected_at = at;
	t->selected = t->kind->id(t->row[at]);
}

void table_move(struct table *t, long step)
{
	long at = (long)t->selected_at + step;

	if (!t->rows)
		return;
	/* The first key only shows where one is. */
	if (!t->selected)
		at = (long)t->top + (step < 0 || step == 1 ? 0 : step);
	if (at < 0)
		at = 0;
	if (at >= (long)t->rows)
		at = (long)t->rows - 1;
	select_row(t, (size_t)at);
}

void table_move_end(struct table *t, bool last)
{
	if (t->rows)
		select_row(t, last ? t->rows - 1 : 0);
}

void table_unselect(struct table *t)
{
	t->selected = 0;
	t->top = 0;
}

static void scroll(struct table *t, int lines)
{
	t->page = lines ? (size_t)lines : t->rows;
	if (!t->selected) {
		t->top = 0;
		return;
	}
	if (t->selected_at < t->top)
		t->top = t->selected_at;
	if (t->selected_at >= t->top + t->page)
		t->top = t->selected_at - t->page + 1;
	if (t->rows <= t->page)
		t->top = 0;
	else if (t->top + t->page > t->rows)
		t->top = t->rows - t->page;
}

/* Text in its cell; the title of a narrow column may use the gap before it. */
static void put_cell(int y, int x, int width, bool right, enum role role,
		     const char *text)
{
	int used = (int)nm_width(text);

	if (right && used < width + GAP)
		canvas_put(y, x + width - used, used, role, text);
	else
		canvas_put(y, x, width, role, text);
}

static void draw_titles(const struct table *t, int y, const int *width)
{
	const char *up = canvas_is_utf8() ? "\u25b4" : "^";
	const char *down = canvas_is_utf8() ? "\u25be" : "v";
	char title[64];
	int x = MARGIN;

	canvas_fill(y, 0, canvas_width(), ROLE_HEAD);
	for (size_t i = 0; i < t->columns; i++) {
		const struct column *c = &t->column[i];
		const char *arrow = c->down != t->reverse ? down : up;
		bool sorted = i == t->sort;

		if (!width[i])
			continue;
		snprintf(title, sizeof(title), "%s%s%s",
			 sorted && c->right ? arrow : "", c->title,
			 sorted && !c->right ? arrow : "");
		put_cell(y, x, width[i], c->right,
			 sorted ? ROLE_HEAD_SORT : ROLE_HEAD, title);
		x += width[i] + GAP;
	}
}

/* In plain text the selected row is known by its margin. */
static void draw_row(const struct table *t, int y, const int *width, size_t at)
{
	const void *row = t->row[at];
	bool selected = t->selected && at == t->selected_at;
	char mark[2] = { t->kind->mark(row), '\0' };
	char text[TABLE_CELL_SIZE];
	int x = MARGIN;

	if (selected) {
		canvas_fill(y, 0, canvas_width(), ROLE_SELECTED);
		if (canvas_is_text())
			mark[0] = '>';
	}
	if (mark[0] != ' ')
		canvas_put(y, 0, 1, selected ? ROLE_SELECTED : ROLE_NORMAL,
			   mark);
	for (size_t i = 0; i < t->columns; i++) {
		const struct column *c = &t->column[i];
		enum role role = ROLE_NORMAL;

		if (!width[i])
			continue;
		if (c->cell)
			role = c->cell(row, text, sizeof(text));
		else
			snprintf(text, sizeof(text), "%s", c->text(row));
		if (selected)
			role = ROLE_SELECTED;
		else if (t->kind->faint(row))
			role = ROLE_FAINT;
		put_cell(y, x, width[i], c->right, role, text);
		x += width[i] + GAP;
	}
}

void table_draw(struct table *t, int y, int height)
{
	int width[TABLE_COLUMNS_MAX];

	allot(t, width);
	scroll(t, height ? height - 1 : 0);
	draw_titles(t, y, width);
	for (size_t i = 0; i < t->page && t->top + i < t->rows; i++)
		draw_row(t, y + 1 + (int)i, width, t->top + i);
}
