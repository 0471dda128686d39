// SPDX-License-Identifier: MIT
/*
 * TOML: integers of 64 bits, and floats.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "text.h"
#include "toml_read.h"

/* One or more digits, with single underscores between them. */
static bool take_digits(struct toml_rest *s, const char *digits)
{
	do {
		if (!toml_take_any(s, digits))
			return false;
		while (toml_take_any(s, digits))
			;
	} while (toml_take_any(s, "_"));
	return true;
}

/* The word without underscores, which is what strtoll(3) reads. */
static const char *plain(struct toml_reader *r, size_t n)
{
	r->word.len = 0;
	for (size_t i = 0; i < n; i++)
		if (r->at[i] != '_')
			nm_buf_putc(&r->word, r->at[i]);
	nm_buf_putc(&r->word, '\0');
	return r->word.data;
}

static bool fail_word(struct toml_reader *r, size_t n)
{
	int shown = n > 40 ? 40 : (int)n;

	return toml_fail(r, "'%.*s' is no value (a string has quotes)", shown,
			 r->at);
}

static bool set_integer(struct toml_reader *r, size_t n, const char *digits,
			int base, struct nm_toml *into)
{
	errno = 0;
	into->kind = NM_TOML_INTEGER;
	into->integer = strtoll(digits, NULL, base);
	if (errno)
		return toml_fail(r, "an integer of more than 64 bits");
	r->at += n;
	return true;
}

/* 0xff, 0o17, 0b11: without a sign. */
static bool read_of_base(struct toml_reader *r, size_t n, struct nm_toml *into)
{
	static const struct {
		char letter;
		int base;
		const char *digits;
	} bases[] = { { 'x', 16, "0123456789abcdefABCDEF" },
		      { 'o', 8, "01234567" },
		      { 'b', 2, "01" } };

	for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
		struct toml_rest s = { r->at + 2, r->at + n };

		if (r->at[1] == bases[i].letter &&
		    take_digits(&s, bases[i].digits) && s.at == s.end)
			return set_integer(r, n, plain(r, n) + 2, bases[i].base,
					   into);
	}
	return fail_word(r, n);
}

static bool set_float(struct toml_reader *r, size_t n, double number,
		      struct nm_toml *into)
{
	into->kind = NM_TOML_FLOAT;
	into->number = number;
	r->at += n;
	return true;
}

/* inf and nan, with or without a sign. */
static bool read_special(struct toml_reader *r, size_t n, struct nm_toml *into)
{
	bool minus = *r->at == '-', sign = minus || *r->at == '+';
	double number;

	if (n != 3 + (size_t)sign)
		return false;
	if (memcmp(r->at + sign, "inf", 3) == 0)
		number = INFINITY;
	else if (memcmp(r->at + sign, "nan", 3) == 0)
		number = NAN;
	else
		return false;
	return set_float(r, n, minus ? -number : number, into);
}

bool toml_read_number(struct toml_reader *r, size_t n, struct nm_toml *into)
{
	struct toml_rest s = { r->at, r->at + n };
	const char *whole;
	double number;

	if (read_special(r, n, into))
		return true;
	if (n > 2 && *r->at == '0' && strchr("xob", r->at[1]))
		return read_of_base(r, n, into);
	toml_take_any(&s, "+-");
	whole = s.at;
	if (!take_digits(&s, TOML_DIGITS))
		return fail_word(r, n);
	if (*whole == '0' && s.at - whole > 1)
		return toml_fail(r, "a number does not begin with a 0");
	if (s.at == s.end)
		return set_integer(r, n, plain(r, n), 10, into);
	if (toml_take_any(&s, ".") && !take_digits(&s, TOML_DIGITS))
		return fail_word(r, n);
	if (toml_take_any(&s, "eE")) {
		toml_take_any(&s, "+-");
		if (!take_digits(&s, TOML_DIGITS))
			return fail_word(r, n);
	}
	if (s.at != s.end)
		return fail_word(r, n);
	number = nm_strtod(plain(r, n), NULL);
	if (isinf(number))
		return toml_fail(r, "a float that is too large");
	return set_float(r, n, number, into);
}
