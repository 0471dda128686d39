/* SPDX-License-Identifier: MIT */
/*
 * What the parts of a picture look like, as one table. The attributes
 * without colour come first and are complete: colour only repeats what an
 * attribute, a letter or a place already says.
 */
#ifndef VIEW_THEME_H
#define VIEW_THEME_H

enum {
	ATTR_BOLD = 1,
	ATTR_DIM = 2,
	ATTR_REVERSE = 4,
	ATTR_UNDERLINE = 8,
};

/* Of the 16 that every terminal names; the others are ANSI's 0 to 7. */
enum colour {
	COLOUR_DEFAULT = -1,
	COLOUR_BLACK = 0,
	COLOUR_RED = 1,
	COLOUR_GREEN = 2,
	COLOUR_YELLOW = 3,
	COLOUR_BLUE = 4,
	COLOUR_CYAN = 6,
	COLOUR_WHITE = 7,
};

/* role, attributes without colour, and with it, foreground, background */
#define ROLES(X)                                                           \
	X(NORMAL, 0, 0, DEFAULT, DEFAULT)                                  \
	X(TITLE, ATTR_BOLD, ATTR_BOLD, DEFAULT, DEFAULT)                   \
	X(LABEL, 0, 0, CYAN, DEFAULT)                                      \
	X(FIGURE, ATTR_BOLD, ATTR_BOLD, GREEN, DEFAULT)                    \
	X(HEAD, ATTR_REVERSE, 0, BLACK, GREEN)                             \
	X(HEAD_SORT, ATTR_REVERSE | ATTR_BOLD, 0, BLACK, CYAN)             \
	X(ACTIVE, 0, 0, GREEN, DEFAULT)                                    \
	X(FAINT, ATTR_DIM, ATTR_DIM, DEFAULT, DEFAULT)                     \
	X(SELECTED, ATTR_REVERSE, 0, BLACK, CYAN)                          \
	X(STATE, ATTR_REVERSE | ATTR_BOLD, 0, BLACK, YELLOW)               \
	X(WARNING, ATTR_BOLD | ATTR_UNDERLINE, ATTR_BOLD, YELLOW, DEFAULT) \
	X(KEY, ATTR_BOLD, ATTR_BOLD, DEFAULT, DEFAULT)                     \
	X(KEY_LABEL, ATTR_REVERSE, 0, BLACK, CYAN)

#define X(name, ...) ROLE_##name,
enum role {
	ROLES(X) ROLE_COUNT
};
#undef X

struct look {
	unsigned plain;
	unsigned coloured;
	enum colour fore, back;
};

extern const struct look theme[ROLE_COUNT];

#endif
