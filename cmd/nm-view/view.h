/* SPDX-License-Identifier: MIT */
/*
 * What happens between a record or a key and the picture; the same for a
 * terminal and for paper.
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "filter.h"
#include "lines.h"
#include "screen.h"

#define SOURCE_HELD_MAX 8

/* Records on their way into the model. */
struct source {
	struct nm_lines lines;
	struct nm_record record;
	struct nm_complaints bad;
	int error; /* errno of what ended it, or 0 */

	/* The terminal shows the picture: complaints wait for the end. */
	bool hold;
	size_t held;
	uint64_t held_line[SOURCE_HELD_MAX];
	const char *held_what[SOURCE_HELD_MAX];
};

enum source_state {
	SOURCE_TICK,  /* an interval has ended */
	SOURCE_EMPTY, /* no whole line is left: fill */
	SOURCE_EOF,
};

/* Takes lines that were read, until one of these is true. */
enum source_state view_take(struct view *v, struct source *s);

/* Tells what was held, and how it went; returns the exit status. */
int view_complaints(const struct view *v, struct source *s);

/* The input has ended; true: an unfinished interval became visible. */
bool view_end(struct view *v);

/* After a tick: shows it, unless the picture is held, and plays keys. */
void view_tick(struct view *v);

/* Keys that were pressed in one go. */
void view_keys(struct view *v, const int *keys, size_t n);

#endif
