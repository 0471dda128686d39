// SPDX-License-Identifier: MIT
/*
 * The table of theme.h, in memory.
 */
#include "theme.h"

#define X(name, without, with, front, behind) \
	[ROLE_##name] = {                     \
		.plain = (without),           \
		.coloured = (with),           \
		.fore = COLOUR_##front,       \
		.back = COLOUR_##behind,      \
	},

const struct look theme[ROLE_COUNT] = { ROLES(X) };
