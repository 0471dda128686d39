// SPDX-License-Identifier: MIT
/*
 * TOML: dates and times (RFC 3339), of which an offset, the time or the date
 * may be missing.
 */
#include "toml_read.h"

/* n digits, which are least to most. */
static bool take_digits(struct toml_rest *s, int n, int least, int most,
			int *value)
{
	*value = 0;
	for (; n; n--) {
		if (!toml_take_any(s, TOML_DIGITS))
			return false;
		*value = *value * 10 + (s->at[-1] - '0');
	}
	return *value >= least && *value <= most;
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30,
				    31, 31, 30, 31, 30, 31 };
	bool leaps = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leaps);
}

static bool take_date(struct toml_rest *s)
{
	int year, month, day;

	return take_digits(s, 4, 0, 9999, &year) && toml_take_any(s, "-") &&
	       take_digits(s, 2, 1, 12, &month) && toml_take_any(s, "-") &&
	       take_digits(s, 2, 1, days_of(year, month), &day);
}

/* A minute has 61 seconds when one is inserted. */
static bool take_time(struct toml_rest *s)
{
	int value;

	if (!take_digits(s, 2, 0, 23, &value) || !toml_take_any(s, ":") ||
	    !take_digits(s, 2, 0, 59, &value) || !toml_take_any(s, ":") ||
	    !take_digits(s, 2, 0, 60, &value))
		return false;
	if (!toml_take_any(s, "."))
		return true;
	if (!toml_take_any(s, TOML_DIGITS))
		return false;
	while (toml_take_any(s, TOML_DIGITS))
		;
	return true;
}

static bool take_offset(struct toml_rest *s)
{
	int value;

	return toml_take_any(s, "Zz") ||
	       (toml_take_any(s, "+-") && take_digits(s, 2, 0, 23, &value) &&
		toml_take_any(s, ":") && take_digits(s, 2, 0, 59, &value));
}

/* What all of it is; false: nothing. */
static bool take_all(struct toml_rest *s, enum nm_toml_kind *kind)
{
	*kind = NM_TOML_LOCAL_TIME;
	if (s->at[2] == ':')
		return take_time(s) && s->at == s->end;
	*kind = NM_TOML_LOCAL_DATE;
	if (!take_date(s))
		return false;
	if (s->at == s->end)
		return true;
	*kind = NM_TOML_LOCAL_DATE_TIME;
	if (!toml_take_any(s, "Tt ") || !take_time(s))
		return false;
	if (s->at == s->end)
		return true;
	*kind = NM_TOML_OFFSET_DATE_TIME;
	return take_offset(s) && s->at == s->end;
}

/* "1979-05-27 07:32:00" is two words, if a digit begins the second. */
static size_t add_time_of_day(struct toml_reader *r, size_t n)
{
	struct toml_reader behind = *r;

	behind.at += n;
	if (n != 10 || !toml_take(&behind, " ") || toml_peek(&behind) < '0' ||
	    toml_peek(&behind) > '9')
		return n;
	return n + 1 + toml_word_len(&behind);
}

bool toml_read_time(struct toml_reader *r, size_t n, struct nm_toml *into)
{
	enum nm_toml_kind kind;
	struct toml_rest s;

	n = add_time_of_day(r, n);
	s = (struct toml_rest){ r->at, r->at + n };
	if (!take_all(&s, &kind))
		return toml_fail(r, "'%.*s' is no date or time",
				 n > 40 ? 40 : (int)n, r->at);
	r->word.len = 0;
	for (; r->at < s.end; r->at++)
		nm_buf_putc(&r->word, *r->at == ' ' || *r->at == 't' ? 'T'
				      : *r->at == 'z'		     ? 'Z'
								     : *r->at);
	into->kind = kind;
	into->text = toml_copy_word(r);
	return true;
}
