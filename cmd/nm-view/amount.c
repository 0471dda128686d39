// SPDX-License-Identifier: MIT
/*
 * Amounts in bytes, bits, or bytes to the last digit.
 */
#include <inttypes.h>
#include <stdio.h>

#include "amount.h"
#include "units.h"

_Static_assert(AMOUNT_TEXT >= NM_UNIT_TEXT, "the library's texts fit");

const char *amount_text(uint64_t bytes, enum unit unit, char out[AMOUNT_TEXT])
{
	if (unit == UNIT_EXACT)
		snprintf(out, AMOUNT_TEXT, "%" PRIu64 " B", bytes);
	else
		nm_amount_text((double)bytes,
			       unit == UNIT_BITS ? NM_BITS : NM_BYTES, out);
	return out;
}

const char *amount_rate(double bytes_per_s, enum unit unit,
			char out[AMOUNT_TEXT])
{
	if (unit == UNIT_EXACT)
		snprintf(out, AMOUNT_TEXT, "%.0f B/s", bytes_per_s);
	else
		nm_rate_text(bytes_per_s,
			     unit == UNIT_BITS ? NM_BITS : NM_BYTES, out);
	return out;
}

int amount_width(enum unit unit)
{
	switch (unit) {
	case UNIT_BITS:
		return 9;
	case UNIT_EXACT:
		return 15;
	default:
		return 7;
	}
}
