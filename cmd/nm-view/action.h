/* SPDX-License-Identifier: MIT */
/*
 * Everything that a key can do, as one table. The keys, the help screen and
 * the line of keys at the bottom come from it, and a test compares it with
 * the page nm-view(1).
 */
#ifndef VIEW_ACTION_H
#define VIEW_ACTION_H

#include <stddef.h>

/* action, its keys, its word in the bottom line ("": none), what it does */
#define ACTIONS(X)                                                           \
	X(QUIT, "q", "Quit", "quit")                                         \
	X(HELP, "? F1", "Help", "show or leave this help")                   \
	X(FILTER, "/", "Filter",                                             \
	  "show only what contains a text; empty or Esc: all")               \
	X(SORT_LEFT, "<", "", "sort by the column to the left")              \
	X(SORT_RIGHT, ">", "Sort", "sort by the column to the right")        \
	X(REVERSE, "S", "Reverse", "reverse the order")                      \
	X(PAUSE, "Space", "Pause", "hold the picture, or let it go on")      \
	X(UNIT, "u m", "Units", "bytes, bits, or bytes to the last digit")   \
	X(DETAIL, "c", "Column", "program file, cgroup or neither at right") \
	X(UP, "Up k", "", "select the row above")                            \
	X(DOWN, "Down j", "", "select the row below")                        \
	X(PAGE_UP, "PgUp C-b", "", "one page up")                            \
	X(PAGE_DOWN, "PgDn C-f", "", "one page down")                        \
	X(HOME, "Home g", "", "select the first row")                        \
	X(END, "End G", "", "select the last row")                           \
	X(UNSELECT, "Esc", "", "select nothing, stay at the top")            \
	X(REDRAW, "C-l", "", "draw the screen again")

#define X(name, ...) ACTION_##name,
enum action {
	ACTION_NONE,
	ACTIONS(X) ACTION_COUNT
};
#undef X

struct action_info {
	const char *keys; /* names, separated by blanks */
	const char *label;
	const char *help;
};

/* Indexed by enum action. */
extern const struct action_info actions[ACTION_COUNT];

/*
 * A key is a character (its code point), or one of these, which lie above
 * the last code point.
 */
enum {
	KEY_NONE = 0,
	KEY_IS_UP = 0x110000,
	KEY_IS_DOWN,
	KEY_IS_LEFT,
	KEY_IS_RIGHT,
	KEY_IS_PAGE_UP,
	KEY_IS_PAGE_DOWN,
	KEY_IS_HOME,
	KEY_IS_END,
	KEY_IS_F1,
	KEY_IS_TICK, /* in -k: wait for the next frame */
};

enum action action_of(int key);

/* The key of a name of n bytes ("Up", "C-l"), or KEY_NONE. */
int key_named(const char *name, size_t n);

/* What a terminal sends for the key, for readline; NULL: the key itself. */
const char *key_bytes(int key);

#endif
