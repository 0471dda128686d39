/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the reader of TOML share: the place in the text, and the
 * tree that they add to. Only for lib/toml*.c.
 *
 * A function that reads returns false after fail(): the first error is the
 * only one, and everybody above returns false too.
 */
#ifndef NM_TOML_READ_H
#define NM_TOML_READ_H

#include <string.h>

#include "buf.h"
#include "toml.h"

struct toml_reader {
	const char *at, *end;
	const char *line_start;
	unsigned int line;
	struct nm_buf word; /* the key or the string that was just read */
	struct nm_toml_error *error;
};

/*
 * What made a table or an array, and so who may add to it. (In the standard's
 * words: what "defined" it.)
 */
enum toml_made_by {
	TOML_MADE_BY_PATH,   /* [a.b] made a: one [a] may still come */
	TOML_MADE_BY_HEADER, /* [a] or [[a]] */
	TOML_MADE_BY_DOTS,   /* a.b = 1 made a: only such add to it */
	TOML_MADE_BY_VALUE,  /* {…} or […]: complete as it is */
};

/* --- The place: toml.c --- */

/* The next byte, or NUL at the end: NUL is nowhere allowed in TOML. */
static inline char toml_peek(const struct toml_reader *r)
{
	return r->at < r->end ? *r->at : '\0';
}

/* Steps over this text, if it is next. */
bool toml_take(struct toml_reader *r, const char *text);

/* Steps over LF or CRLF, if one is next. */
bool toml_take_newline(struct toml_reader *r);

void toml_skip_blanks(struct toml_reader *r);

/* Blanks, comments and newlines. */
bool toml_skip_lines(struct toml_reader *r);

/* Steps over a comment, if one is next, up to the end of its line. */
bool toml_skip_comment(struct toml_reader *r);

/* Control characters, of which only tab may be in a comment or a string. */
static inline bool toml_is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* The error is here. Returns false. */
bool toml_fail(struct toml_reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "U+0007 is not allowed in WHERE", or that the text ends. Returns false. */
bool toml_fail_control(struct toml_reader *r, const char *where);

/* --- The tree: toml.c --- */

/*
 * Adds a node: to a table under the key in r->word, to an array at its end.
 * NULL after toml_fail: too deep.
 */
struct nm_toml *toml_add(struct toml_reader *r, struct nm_toml *parent);

/* What the table has under the key in r->word, or NULL. */
struct nm_toml *toml_find(const struct toml_reader *r,
			  const struct nm_toml *table);

/* A copy of r->word. */
struct nm_toml_text toml_copy_word(const struct toml_reader *r);

/* --- Tables and keys: toml_table.c --- */

/* All lines of the text. */
bool toml_read_document(struct toml_reader *r, struct nm_toml *root);

/* "key = value" into a table. */
bool toml_read_pair(struct toml_reader *r, struct nm_toml *table);

/* --- Values: toml_value.c, toml_string.c, toml_number.c, toml_time.c --- */

/* Into a node that was just added. */
bool toml_read_value(struct toml_reader *r, struct nm_toml *into);

/* A string into r->word: of one line, as a key may be one, or any. */
bool toml_read_quoted(struct toml_reader *r);
bool toml_read_string(struct toml_reader *r);

/*
 * A number, or a date or a time, of which the n bytes that are next are the
 * (first) word.
 */
bool toml_read_number(struct toml_reader *r, size_t n, struct nm_toml *into);
bool toml_read_time(struct toml_reader *r, size_t n, struct nm_toml *into);

/* What is left of a word. */
struct toml_rest {
	const char *at, *end;
};

/* Steps over a byte, if it is one of these. */
static inline bool toml_take_any(struct toml_rest *s, const char *one_of)
{
	if (s->at == s->end || !strchr(one_of, *s->at))
		return false;
	s->at++;
	return true;
}

#define TOML_DIGITS "0123456789"

/* How many bytes from here could be of a number, a date, a time or a bool. */
size_t toml_word_len(const struct toml_reader *r);

#endif
