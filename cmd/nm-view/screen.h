/* SPDX-License-Identifier: MIT */
/*
 * A screen is a constant: what it draws, which actions it takes. What all
 * screens share is the view.
 */
#ifndef VIEW_SCREEN_H
#define VIEW_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "action.h"
#include "amount.h"
#include "model.h"

struct view {
	struct model *model;
	const struct screen *screen;
	enum unit unit;
	bool paused;
	bool ended; /* there is no more input */
	bool quit;
	uint64_t bad_lines;
	char filter[256];   /* as it was typed, cleaned */
	const char *script; /* keys still to be played */
};

struct screen {
	/* Takes over what model_show has shown, or another filter or unit. */
	void (*update)(const struct view *v);

	/* Lines y to y + height - 1; height 0: as many as there are. */
	void (*draw)(const struct view *v, int y, int height);

	/* False: the action is not one of this screen's. */
	bool (*act)(const struct view *v, enum action action);

	/* What the header says of it; out is empty if there is nothing. */
	void (*status)(const struct view *v, char *out, size_t size);

	bool whole; /* without the header */
};

extern const struct screen screen_proc;
extern const struct screen screen_help;

/* Sorts the processes by the column of that title; false: there is none. */
bool screen_proc_sort(const char *title);

#endif
