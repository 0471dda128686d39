// SPDX-License-Identifier: MIT
/*
 * Quantities for people.
 */
#include <inttypes.h>
#include <stdio.h>

#include "units.h"

/*
 * Three digits and a prefix. The steps are where printf(3) would round up to
 * one digit more: 9.995 is "10.0", not "10.00".
 */
static const char *amount(double value, const char *unit, const char *per,
			  char out[NM_UNIT_TEXT])
{
	static const char *const prefix[] = {
		"", "k", "M", "G", "T", "P", "E"
	};
	const size_t last = sizeof(prefix) / sizeof(*prefix) - 1;
	size_t i = 0;
	int digits;

	if (!(value > 0)) /* also not a number */
		value = 0;
	while (value >= 999.5 && i < last) {
		value /= 1000;
		i++;
	}
	if (value > 999)
		value = 999;
	digits = i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	snprintf(out, NM_UNIT_TEXT, "%.*f %s%s%s", digits, value, prefix[i],
		 unit, per);
	return out;
}

const char *nm_amount_text(double bytes, enum nm_unit unit,
			   char out[NM_UNIT_TEXT])
{
	return unit == NM_BITS ? amount(bytes * 8, "bit", "", out)
			       : amount(bytes, "B", "", out);
}

const char *nm_rate_text(double bytes_per_s, enum nm_unit unit,
			 char out[NM_UNIT_TEXT])
{
	return unit == NM_BITS ? amount(bytes_per_s * 8, "bit", "/s", out)
			       : amount(bytes_per_s, "B", "/s", out);
}

const char *nm_span_text(uint64_t us, char out[NM_UNIT_TEXT])
{
	static const struct {
		uint64_t us;
		const char *name;
	} unit[] = {
		{ UINT64_C(86400000000), "d" }, { UINT64_C(3600000000), "h" },
		{ UINT64_C(60000000), "min" },	{ UINT64_C(1000000), "s" },
		{ UINT64_C(1000), "ms" },	{ UINT64_C(1), "us" },
	};
	const size_t minutes = 2, last = sizeof(unit) / sizeof(*unit) - 1;
	uint64_t rest;
	size_t i = 0;
	int n;

	while (i < last && us < unit[i].us)
		i++;
	n = snprintf(out, NM_UNIT_TEXT, "%" PRIu64 " %s", us / unit[i].us,
		     unit[i].name);
	/* Days, hours and minutes are too coarse alone. */
	if (i > minutes)
		return out;
	rest = us % unit[i].us / unit[i + 1].us;
	if (rest)
		snprintf(out + n, NM_UNIT_TEXT - (size_t)n, " %" PRIu64 " %s",
			 rest, unit[i + 1].name);
	return out;
}
