// SPDX-License-Identifier: MIT
/*
 * What curses calls its keys, and what we do.
 */
#include <curses.h>
#include <wchar.h>

#include "action.h"
#include "input.h"

static const struct {
	int curses;
	int key;
} keys[] = {
	{ KEY_UP, KEY_IS_UP },	       { KEY_DOWN, KEY_IS_DOWN },
	{ KEY_LEFT, KEY_IS_LEFT },     { KEY_RIGHT, KEY_IS_RIGHT },
	{ KEY_PPAGE, KEY_IS_PAGE_UP }, { KEY_NPAGE, KEY_IS_PAGE_DOWN },
	{ KEY_HOME, KEY_IS_HOME },     { KEY_END, KEY_IS_END },
	{ KEY_F(1), KEY_IS_F1 },       { KEY_ENTER, '\r' },
	{ KEY_BACKSPACE, 0x7f },
};

int input_key(void)
{
	for (;;) {
		wint_t c;
		int kind = get_wch(&c);

		if (kind == ERR)
			return KEY_NONE;
		if (kind != KEY_CODE_YES)
			return (int)c;
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (keys[i].curses == (int)c)
				return keys[i].key;
		}
		/* A key that we have no use for: the next one. */
	}
}
