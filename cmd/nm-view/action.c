// SPDX-License-Identifier: MIT
/*
 * Names of keys, and which action a key means.
 */
#include <stdbool.h>
#include <string.h>

#include "action.h"

#define X(name, keynames, word, sentence) \
	[ACTION_##name] = {               \
		.keys = (keynames),       \
		.label = (word),          \
		.help = (sentence),       \
	},

const struct action_info actions[ACTION_COUNT] = { ACTIONS(X) };

static const struct {
	const char *name;
	int key;
	const char *bytes;
} names[] = {
	{ "Up", KEY_IS_UP, "\033[A" },
	{ "Down", KEY_IS_DOWN, "\033[B" },
	{ "Left", KEY_IS_LEFT, "\033[D" },
	{ "Right", KEY_IS_RIGHT, "\033[C" },
	{ "PgUp", KEY_IS_PAGE_UP, "\033[5~" },
	{ "PgDn", KEY_IS_PAGE_DOWN, "\033[6~" },
	{ "Home", KEY_IS_HOME, "\033[H" },
	{ "End", KEY_IS_END, "\033[F" },
	{ "F1", KEY_IS_F1, "" },
	{ "TICK", KEY_IS_TICK, "" },
	{ "Space", ' ', NULL },
	{ "Esc", '\033', NULL },
	{ "ESC", '\033', NULL },
	{ "RET", '\r', NULL },
	{ "BS", 0x7f, NULL },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

int key_named(const char *name, size_t n)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (strlen(names[i].name) == n &&
		    !memcmp(names[i].name, name, n))
			return names[i].key;
	}
	if (n == 3 && name[0] == 'C' && name[1] == '-' && name[2] >= 'a' &&
	    name[2] <= 'z')
		return name[2] & 0x1f;
	return KEY_NONE;
}

const char *key_bytes(int key)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (names[i].key == key)
			return names[i].bytes;
	}
	return NULL;
}

static bool is_key(const char *name, size_t n, int key)
{
	if (n == 1)
		return name[0] == key;
	return key_named(name, n) == key;
}

enum action action_of(int key)
{
	for (int i = ACTION_NONE + 1; i < ACTION_COUNT; i++) {
		const char *name = actions[i].keys;

		while (*name) {
			size_t n = strcspn(name, " ");

			if (is_key(name, n, key))
				return (enum action)i;
			name += n + strspn(name + n, " ");
		}
	}
	return ACTION_NONE;
}
