// SPDX-License-Identifier: MIT
/*
 * TOML: the four kinds of strings. Between double quotes there are escapes;
 * what is between three quotes may have lines.
 */
#include "text.h"
#include "toml_read.h"

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *d;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	d = c ? strchr(digits, c) : NULL;
	return d ? (int)(d - digits) : -1;
}

/* The digits behind \u and \U. */
static bool read_code_point(struct toml_reader *r, int digits)
{
	const char *start = r->at;
	uint32_t c = 0;
	char utf8[4];

	for (int i = 0; i < digits; i++) {
		int digit = hex_digit(toml_peek(r));

		if (digit < 0)
			return toml_fail(r,
					 "'\\%c' is followed by %d digits "
					 "of base 16",
					 start[-1], digits);
		c = c << 4 | (uint32_t)digit;
		r->at++;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		r->at = start - 2;
		return toml_fail(r, "U+%04X is no character", c);
	}
	nm_buf_add(&r->word, utf8, nm_utf8_put(utf8, c));
	return true;
}

/* What is behind a backslash. */
static bool read_escape(struct toml_reader *r)
{
	static const char letters[] = "btnfr\"\\", meant[] = "\b\t\n\f\r\"\\";
	const char letter = toml_peek(r);
	const char *known = letter ? strchr(letters, letter) : NULL;

	if (!known && letter != 'u' && letter != 'U') {
		r->at--;
		return toml_fail(r, "a backslash is written '\\\\', or the "
				    "string between single quotes");
	}
	r->at++;
	if (!known)
		return read_code_point(r, letter == 'u' ? 4 : 8);
	nm_buf_putc(&r->word, meant[known - letters]);
	return true;
}

bool toml_read_quoted(struct toml_reader *r)
{
	const char quote = *r->at++;

	r->word.len = 0;
	for (;;) {
		if (r->at == r->end || *r->at == '\n' || *r->at == '\r')
			return toml_fail(r, "the string does not end on its "
					    "line");
		if (toml_is_control(*r->at))
			return toml_fail_control(r, "a string");
		if (*r->at == quote) {
			r->at++;
			return true;
		}
		if (quote == '"' && toml_take(r, "\\")) {
			if (!read_escape(r))
				return false;
		} else {
			nm_buf_putc(&r->word, *r->at++);
		}
	}
}

/* A backslash at the end of a line: nothing, up to what is no white space. */
static bool skip_line_end(struct toml_reader *r)
{
	const char *start = r->at;

	toml_skip_blanks(r);
	if (!toml_take_newline(r)) {
		r->at = start;
		return false;
	}
	do
		toml_skip_blanks(r);
	while (toml_take_newline(r));
	return true;
}

/*
 * Quotes in a string between three: one or two are themselves; of up to five,
 * the last three are the end. True: that was it.
 */
static bool take_quotes(struct toml_reader *r, char quote)
{
	int n = 0;

	while (n < 5 && toml_peek(r) == quote) {
		r->at++;
		n++;
	}
	for (int i = n >= 3 ? 3 : 0; i < n; i++)
		nm_buf_putc(&r->word, quote);
	return n >= 3;
}

static bool read_long(struct toml_reader *r, char quote)
{
	unsigned int first_line = r->line;

	r->word.len = 0;
	toml_take_newline(r);
	while (!take_quotes(r, quote)) {
		if (r->at == r->end)
			return toml_fail(r,
					 "the string of line %u does not "
					 "end",
					 first_line);
		if (toml_take_newline(r)) {
			nm_buf_putc(&r->word, '\n');
		} else if (toml_is_control(*r->at)) {
			return toml_fail_control(r, "a string");
		} else if (quote == '"' && toml_take(r, "\\")) {
			if (!skip_line_end(r) && !read_escape(r))
				return false;
		} else if (*r->at != quote) {
			nm_buf_putc(&r->word, *r->at++);
		}
	}
	return true;
}

bool toml_read_string(struct toml_reader *r)
{
	if (toml_take(r, "\"\"\""))
		return read_long(r, '"');
	if (toml_take(r, "'''"))
		return read_long(r, '\'');
	return toml_read_quoted(r);
}
