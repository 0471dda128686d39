// SPDX-License-Identifier: MIT
/*
 * The value of an option: checked, and stored where the table says.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options_parts.h"
#include "text.h"

static const char *range_text(const struct nm_option *o, char out[64])
{
	/* All digits of a whole number, but 0.1 and not 0.1000000000001. */
	int digits = o->kind == NM_OPT_UINT ? 17 : 6;

	out[0] = '\0';
	if (o->min != 0 || o->max != 0)
		snprintf(out, 64, " from %.*g to %.*g", digits, o->min, digits,
			 o->max);
	return out;
}

static bool in_range(const struct nm_option *o, double value)
{
	return (o->min == 0 && o->max == 0) ||
	       (value >= o->min && value <= o->max);
}

static bool parse_uint(const struct nm_option *o, const char *arg)
{
	unsigned long long value;
	char *end;

	/* strtoull(3) would take space, a sign, and -1 as the largest. */
	if (arg[0] < '0' || arg[0] > '9')
		return false;
	errno = 0;
	value = strtoull(arg, &end, 10);
	if (*end || errno || !in_range(o, (double)value))
		return false;
	*(uint64_t *)o->into = value;
	return true;
}

static bool set_seconds(const struct nm_option *o, double value)
{
	if (!isfinite(value) || value < 0 || !in_range(o, value))
		return false;
	*(double *)o->into = value;
	return true;
}

static bool parse_seconds(const struct nm_option *o, const char *arg)
{
	double value;
	char *end;

	/* Nor should strtod(3) take "inf", "0x1p3" or "1e3". */
	if (!*arg || arg[strspn(arg, "0123456789.")])
		return false;
	value = nm_strtod(arg, &end);
	return !*end && end != arg && set_seconds(o, value);
}

bool nm_option_is_word(const char *words, const char *arg)
{
	size_t len = strlen(arg), n;

	for (; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == len && !memcmp(words, arg, n))
			return true;
	}
	return false;
}

static bool check_words(const struct nm_option *o, const char *arg, char *why,
			size_t size)
{
	if (!o->words || nm_option_is_word(o->words, arg))
		return true;
	snprintf(why, size, "'%s' is not one of: %s", arg, o->words);
	return false;
}

bool nm_option_set(const struct nm_option *o, const char *arg, char *why,
		   size_t size)
{
	char range[64];

	why[0] = '\0';
	if (!check_words(o, arg, why, size))
		return false;
	switch (o->kind) {
	case NM_OPT_FLAG:
		*(bool *)o->into = true;
		return true;
	case NM_OPT_COUNT:
		*(unsigned int *)o->into += 1;
		return true;
	case NM_OPT_STRING:
		*(const char **)o->into = arg;
		return true;
	case NM_OPT_UINT:
		if (parse_uint(o, arg))
			return true;
		snprintf(why, size, "'%s' is not a whole number%s", arg,
			 range_text(o, range));
		return false;
	case NM_OPT_SECONDS:
		if (parse_seconds(o, arg))
			return true;
		snprintf(why, size, "'%s' is not a number of seconds%s", arg,
			 range_text(o, range));
		return false;
	case NM_OPT_CALL:
		return o->call(arg, o->into) == 0;
	case NM_OPT_HEADING:
		break;
	}
	return true;
}

bool nm_option_set_seconds(const struct nm_option *o, double value, char *why,
			   size_t size)
{
	char range[64];

	if (set_seconds(o, value))
		return true;
	snprintf(why, size, "%g is not a number of seconds%s", value,
		 range_text(o, range));
	return false;
}
