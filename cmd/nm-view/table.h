/* SPDX-License-Identifier: MIT */
/*
 * Rows under column titles: widths, sorting, scrolling, selection. What a
 * row is, only its columns know.
 */
#ifndef VIEW_TABLE_H
#define VIEW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "theme.h"

#define TABLE_COLUMNS_MAX 16
#define TABLE_CELL_SIZE	  512

struct column {
	const char *title;
	int width;	/* at least */
	int grow;	/* its share of what is left over; 0: none */
	int importance; /* the least goes first if there is no room; 0: never */
	bool right;	/* aligned */
	bool down;	/* the natural order begins with the largest */

	/* What is sorted by: one of the two. */
	double (*number)(const void *row);
	const char *(*text)(const void *row);

	/* Cleaned text, and how it looks; NULL: just the text. */
	enum role (*cell)(const void *row, char *out, size_t size);
};

/* What the table must know of any row. */
struct row_kind {
	uint64_t (*id)(const void *row);
	size_t *(*place)(void *row); /* the table keeps its index there */
	bool (*faint)(const void *row);
	char (*mark)(const void *row); /* in the margin; ' ': none */
};

struct table {
	const struct row_kind *kind;
	struct column column[TABLE_COLUMNS_MAX]; /* width 0: not now */
	size_t columns;
	size_t sort; /* index of a column */
	bool reverse;

	void **row;
	size_t rows;
	size_t top;	   /* first row that is seen */
	uint64_t selected; /* id of a row; 0: none */
	size_t selected_at;
	size_t page; /* rows seen in the last picture */
};

/* The column with that title, or columns if there is none. */
size_t table_column(const struct table *t, const char *title);

/* Sorts, gently: rows that are equal stay as they were to each other. */
void table_sort(struct table *t);

/* Sorts by the next column to the left (-1) or right (1). */
void table_sort_move(struct table *t, int step);

/* Selects another row: `step` away, or the first or last one. */
void table_move(struct table *t, long step);
void table_move_end(struct table *t, bool last);
void table_unselect(struct table *t);

/* Lines y to y + height - 1: titles, then rows; height 0: all rows. */
void table_draw(struct table *t, int y, int height);

/* Was the column seen in the last picture? */
bool table_sees(const struct table *t, size_t column);

#endif
