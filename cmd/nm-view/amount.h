/* SPDX-License-Identifier: MIT */
/*
 * Amounts and rates in the unit that the user chose, always with its name.
 */
#ifndef VIEW_AMOUNT_H
#define VIEW_AMOUNT_H

#include <stddef.h>
#include <stdint.h>

enum unit {
	UNIT_BYTES, /* 1.50 MB */
	UNIT_BITS,  /* 12.0 Mbit */
	UNIT_EXACT, /* 1500000 B */
	UNIT_COUNT,
};

#define AMOUNT_TEXT 32

const char *amount_text(uint64_t bytes, enum unit unit, char out[AMOUNT_TEXT]);
const char *amount_rate(double bytes_per_s, enum unit unit,
			char out[AMOUNT_TEXT]);

/* Columns that amounts of this unit take, within reason. */
int amount_width(enum unit unit);

#endif
