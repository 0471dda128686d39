// SPDX-License-Identifier: MIT
/*
 * TOML: values, and those that hold others.
 */
#include "toml_read.h"

static bool read_array(struct toml_reader *r, struct nm_toml *into)
{
	struct nm_toml *node;

	into->kind = NM_TOML_ARRAY;
	into->made_by = TOML_MADE_BY_VALUE;
	toml_take(r, "[");
	do {
		if (!toml_skip_lines(r))
			return false;
		if (toml_take(r, "]")) /* also behind the last ',' */
			return true;
		node = toml_add(r, into);
		if (!node || !toml_read_value(r, node) || !toml_skip_lines(r))
			return false;
	} while (toml_take(r, ","));
	return toml_take(r, "]") ||
	       toml_fail(r, "',' or ']' is missing in an array");
}

/* Unlike an array it is on one line, and no ',' is behind its last. */
static bool read_inline_table(struct toml_reader *r, struct nm_toml *into)
{
	into->kind = NM_TOML_TABLE;
	into->made_by = TOML_MADE_BY_VALUE;
	toml_take(r, "{");
	toml_skip_blanks(r);
	if (toml_take(r, "}"))
		return true;
	do {
		toml_skip_blanks(r);
		if (!toml_read_pair(r, into))
			return false;
		toml_skip_blanks(r);
	} while (toml_take(r, ","));
	return toml_take(r, "}") ||
	       toml_fail(r, "',' or '}' is missing in a table on one line");
}

size_t toml_word_len(const struct toml_reader *r)
{
	static const char parts[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789+-_.:";
	size_t n = 0;

	while (r->at + n < r->end && r->at[n] && strchr(parts, r->at[n]))
		n++;
	return n;
}

static bool looks_like_time(const char *word, size_t n)
{
	size_t digits = 0;

	while (digits < n && word[digits] >= '0' && word[digits] <= '9')
		digits++;
	return digits < n && ((digits == 4 && word[digits] == '-') ||
			      (digits == 2 && word[digits] == ':'));
}

static bool read_word(struct toml_reader *r, struct nm_toml *into)
{
	const char *word = r->at;
	size_t n = toml_word_len(r);

	if (!n)
		return toml_fail(r, "a value is missing here");
	if (looks_like_time(word, n))
		return toml_read_time(r, n, into);
	if ((n == 4 && toml_take(r, "true")) ||
	    (n == 5 && toml_take(r, "false"))) {
		into->kind = NM_TOML_BOOL;
		into->is_true = n == 4;
		return true;
	}
	return toml_read_number(r, n, into);
}

bool toml_read_value(struct toml_reader *r, struct nm_toml *into)
{
	switch (toml_peek(r)) {
	case '[':
		return read_array(r, into);
	case '{':
		return read_inline_table(r, into);
	case '"':
	case '\'':
		if (!toml_read_string(r))
			return false;
		into->kind = NM_TOML_STRING;
		into->text = toml_copy_word(r);
		return true;
	default:
		return read_word(r, into);
	}
}
