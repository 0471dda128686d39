/* SPDX-License-Identifier: MIT */
/*
 * The surface that everything is drawn on: the terminal through curses, or
 * lines of plain text. Each frame is drawn whole, each line from left to
 * right; curses finds what changed.
 */
#ifndef VIEW_CANVAS_H
#define VIEW_CANVAS_H

#include <stdbool.h>
#include <stdio.h>

#include "theme.h"

/* Columns and lines below which nothing sensible can be shown. */
#define CANVAS_MIN_WIDTH  40
#define CANVAS_MIN_HEIGHT 8

/*
 * False: this terminal cannot do it. suspend_key: Ctrl-Z is a key, and the
 * terminal sends no signal for it.
 */
bool canvas_open_terminal(FILE *out, FILE *in, bool colour, bool suspend_key);

/* Lines of text on standard output; height 0: as many as are drawn. */
void canvas_open_text(int width, int height);

/* Gives the terminal back. May be called twice. */
void canvas_close(void);

/* The same for a while (Ctrl-Z), and back. */
void canvas_suspend(void);
void canvas_resume(void);

/* Asks the terminal for its size. */
void canvas_resize(void);

/* Draw everything again at the next canvas_end, also what did not change. */
void canvas_redraw(void);

bool canvas_is_text(void);
int canvas_width(void);
int canvas_height(void); /* 0: no limit */

/* Can it show characters beyond ASCII? */
bool canvas_is_utf8(void);

void canvas_begin(void);

/* The part of a cleaned text (nm_clean) that fits in `width` columns. */
void canvas_put(int y, int x, int width, enum role role, const char *text);

/* Blanks, in that role. */
void canvas_fill(int y, int x, int width, enum role role);

/* Where the cursor is seen in this frame; without it, it is hidden. */
void canvas_cursor(int y, int x);

/* Shows the frame. -1 and errno: the text could not be written. */
int canvas_end(void);

#endif
