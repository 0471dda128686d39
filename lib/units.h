/* SPDX-License-Identifier: MIT */
/*
 * Quantities for people: SI prefixes (k = 1000), always with their unit.
 * Machine output never comes through here: it is whole bytes.
 */
#ifndef NM_UNITS_H
#define NM_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NM_UNIT_TEXT 32

enum nm_unit {
	NM_BYTES, /* "1.50 MB" */
	NM_BITS,  /* "12.0 Mbit" */
};

/* At most 4 significant characters and the unit: "999 B", "1.50 MB". */
const char *nm_amount_text(double bytes, enum nm_unit unit,
			   char out[NM_UNIT_TEXT]);

/* The same per second: "1.50 MB/s", "12.0 Mbit/s". */
const char *nm_rate_text(double bytes_per_s, enum nm_unit unit,
			 char out[NM_UNIT_TEXT]);

/* "450 ms", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
const char *nm_span_text(uint64_t us, char out[NM_UNIT_TEXT]);

#endif
