// SPDX-License-Identifier: MIT
/*
 * The table of processes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <ctype.h>
#include <err.h>

#include "canvas.h"
#include "proc_columns.h"
#include "screen.h"
#include "table.h"

static struct {
	struct table table;
	size_t room;
	bool detail_wanted; /* the user asked for it: totals give way */
	size_t processes;   /* among the rows */
	bool inferred;	    /* one of the rows is */
} state;

static uint64_t row_id(const void *row)
{
	return ((const struct proc *)row)->id;
}

static size_t *row_place(void *row)
{
	return &((struct proc *)row)->place;
}

static bool row_faint(const void *row)
{
	return ((const struct proc *)row)->shown.quiet;
}

static char row_mark(const void *row)
{
	return ((const struct proc *)row)->inferred ? '~' : ' ';
}

static const struct row_kind proc_rows = {
	.id = row_id,
	.place = row_place,
	.faint = row_faint,
	.mark = row_mark,
};

static struct table *table(void)
{
	struct table *t = &state.table;

	if (!t->columns) {
		t->kind = &proc_rows;
		memcpy(t->column, proc_columns, sizeof(proc_columns));
		t->columns = COLUMN_COUNT;
		t->sort = COLUMN_RATE;
	}
	return t;
}

bool screen_proc_sort(const char *title)
{
	struct table *t = table();
	size_t column = table_column(t, title);

	if (!strcasecmp(title, "cgroup")) {
		proc_shape.detail = DETAIL_CGROUP;
		column = COLUMN_DETAIL;
	}
	if (column == t->columns)
		return false;
	t->sort = column;
	return true;
}

/* Small letters find both cases, a capital only itself. */
static bool contains(const char *text, const char *what)
{
	for (const char *c = what; *c; c++) {
		if (isupper((unsigned char)*c))
			return text && strstr(text, what);
	}
	return text && strcasestr(text, what);
}

static bool matches(const struct proc *p, const char *filter)
{
	char pid[24];

	if (!filter[0])
		return true;
	proc_columns[COLUMN_PID].cell(p, pid, sizeof(pid));
	return contains(p->comm, filter) || contains(p->exe, filter) ||
	       contains(p->user, filter) || contains(pid, filter);
}

static void update(const struct view *v)
{
	const struct model *m = v->model;
	struct table *t = table();

	if (m->count > state.room) {
		state.room = m->count + m->count / 2;
		t->row = realloc(t->row, state.room * sizeof(*t->row));
		if (!t->row)
			err(1, NULL);
	}
	t->rows = 0;
	proc_shape.unit = v->unit;
	proc_shape.gone = m->shown.gone;
	state.processes = 0;
	state.inferred = false;
	for (size_t i = 0; i < m->count; i++) {
		struct proc *p = m->procs[i];

		if (!p->is_shown || !matches(p, v->filter))
			continue;
		t->row[t->rows++] = p;
		state.processes += p->kind == PROC_USER;
		state.inferred |= p->inferred;
	}
	table_sort(t);
}

/* Widths for this unit and this width of the canvas. */
static void fit(struct table *t)
{
	struct column *detail = &t->column[COLUMN_DETAIL];
	int width = canvas_width(), amount = amount_width(proc_shape.unit);

	if (amount < 8) /* for the titles */
		amount = 8;
	t->column[COLUMN_TX_RATE].width = amount;
	t->column[COLUMN_RX_RATE].width = amount;
	t->column[COLUMN_TX].width = amount;
	t->column[COLUMN_RX].width = amount;
	t->column[COLUMN_RATE].width = amount;
	t->column[COLUMN_PROGRAM].width = width < 60   ? 11
					  : width < 90 ? 14
						       : 15;
	detail->title = proc_shape.detail == DETAIL_CGROUP ? "CGROUP" : "EXE";
	detail->width = proc_shape.detail == DETAIL_NONE ? 0 : 17;
	detail->importance = state.detail_wanted ? 7 : 1;
}

static void draw(const struct view *v, int y, int height)
{
	struct table *t = table();

	(void)v;
	fit(t);
	table_draw(t, y, height);
}

/* The first press on a narrow screen makes room for the column. */
static void next_detail(struct table *t)
{
	bool seen = table_sees(t, COLUMN_DETAIL);

	if (seen || state.detail_wanted || proc_shape.detail == DETAIL_NONE)
		proc_shape.detail = (proc_shape.detail + 1) % DETAIL_COUNT;
	state.detail_wanted = true;
	if (t->sort == COLUMN_DETAIL)
		table_sort(t);
}

static bool act(const struct view *v, enum action action)
{
	struct table *t = table();
	long page = t->page > 1 ? (long)t->page - 1 : 1;

	(void)v;
	switch (action) {
	case ACTION_UP:
		table_move(t, -1);
		return true;
	case ACTION_DOWN:
		table_move(t, 1);
		return true;
	case ACTION_PAGE_UP:
		table_move(t, -page);
		return true;
	case ACTION_PAGE_DOWN:
		table_move(t, page);
		return true;
	case ACTION_HOME:
		table_move_end(t, false);
		return true;
	case ACTION_END:
		table_move_end(t, true);
		return true;
	case ACTION_UNSELECT:
		table_unselect(t);
		return true;
	case ACTION_SORT_LEFT:
		table_sort_move(t, -1);
		return true;
	case ACTION_SORT_RIGHT:
		table_sort_move(t, 1);
		return true;
	case ACTION_REVERSE:
		t->reverse = !t->reverse;
		table_sort(t);
		return true;
	case ACTION_DETAIL:
		next_detail(t);
		return true;
	default:
		return false;
	}
}

static void status(const struct view *v, char *out, size_t size)
{
	const struct table *t = table();
	size_t all = v->model->shown.processes;
	char seen[32] = "";

	if (v->filter[0])
		snprintf(seen, sizeof(seen), "%zu of ", state.processes);
	snprintf(out, size, "%s%zu process%s by %s%s", seen, all,
		 all == 1 ? "" : "es", t->column[t->sort].title,
		 t->reverse ? ", reversed" : "");
}

const struct screen screen_proc = {
	.update = update,
	.draw = draw,
	.act = act,
	.status = status,
};
