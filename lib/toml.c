// SPDX-License-Identifier: MIT
/*
 * TOML: the tree, and stepping through the text. What the text means is in
 * toml_table.c, toml_value.c and those that they call.
 */
#include "toml.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "toml_read.h"

/* --- The tree --- */

static bool is_list(const struct nm_toml *node)
{
	return node->kind == NM_TOML_TABLE || node->kind == NM_TOML_ARRAY;
}

static bool has_text(const struct nm_toml *node)
{
	return node->kind == NM_TOML_STRING ||
	       node->kind >= NM_TOML_OFFSET_DATE_TIME;
}

static struct nm_toml *new_node(void)
{
	struct nm_toml *node = calloc(1, sizeof(*node));

	if (!node)
		err(1, "cannot read TOML");
	return node;
}

/* No deeper than NM_TOML_DEPTH_MAX: toml_add() lets nothing be. */
void nm_toml_free(struct nm_toml *node)
{
	struct nm_toml *next;

	if (!node)
		return;
	if (is_list(node))
		for (struct nm_toml *n = node->list.first; n; n = next) {
			next = n->next;
			nm_toml_free(n);
		}
	if (has_text(node))
		free(node->text.ptr);
	free(node->key.ptr);
	free(node);
}

static struct nm_toml *find(const struct nm_toml *table, const char *key,
			    size_t len)
{
	for (struct nm_toml *n = table->list.first; n; n = n->next)
		if (n->key.len == len &&
		    (!len || memcmp(n->key.ptr, key, len) == 0))
			return n;
	return NULL;
}

struct nm_toml *nm_toml_get(const struct nm_toml *table, const char *key)
{
	return find(table, key, strlen(key));
}

struct nm_toml *toml_find(const struct toml_reader *r,
			  const struct nm_toml *table)
{
	return find(table, r->word.data, r->word.len);
}

struct nm_toml_text toml_copy_word(const struct toml_reader *r)
{
	struct nm_toml_text text = { malloc(r->word.len + 1), r->word.len };

	if (!text.ptr)
		err(1, "cannot read TOML");
	if (text.len)
		memcpy(text.ptr, r->word.data, text.len);
	text.ptr[text.len] = '\0';
	return text;
}

struct nm_toml *toml_add(struct toml_reader *r, struct nm_toml *parent)
{
	struct nm_toml *node;

	if (parent->depth == NM_TOML_DEPTH_MAX) {
		toml_fail(r, "more than %d tables or arrays in each other",
			  NM_TOML_DEPTH_MAX);
		return NULL;
	}
	node = new_node();
	node->depth = parent->depth + 1;
	node->line = r->line;
	if (parent->kind == NM_TOML_TABLE)
		node->key = toml_copy_word(r);
	if (parent->list.last)
		parent->list.last->next = node;
	else
		parent->list.first = node;
	parent->list.last = node;
	return node;
}

const char *nm_toml_kind_name(enum nm_toml_kind kind)
{
	static const char *const names[] = {
		[NM_TOML_TABLE] = "a table",
		[NM_TOML_ARRAY] = "an array",
		[NM_TOML_STRING] = "a string",
		[NM_TOML_INTEGER] = "an integer",
		[NM_TOML_FLOAT] = "a float",
		[NM_TOML_BOOL] = "a boolean",
		[NM_TOML_OFFSET_DATE_TIME] = "a date and time with offset",
		[NM_TOML_LOCAL_DATE_TIME] = "a date and time",
		[NM_TOML_LOCAL_DATE] = "a date",
		[NM_TOML_LOCAL_TIME] = "a time",
	};

	return names[kind];
}

/* --- The place --- */

bool toml_take(struct toml_reader *r, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0)
		return false;
	r->at += n;
	return true;
}

bool toml_take_newline(struct toml_reader *r)
{
	if (!toml_take(r, "\n") && !toml_take(r, "\r\n"))
		return false;
	r->line++;
	r->line_start = r->at;
	return true;
}

void toml_skip_blanks(struct toml_reader *r)
{
	while (toml_peek(r) == ' ' || toml_peek(r) == '\t')
		r->at++;
}

bool toml_skip_comment(struct toml_reader *r)
{
	if (!toml_take(r, "#"))
		return true;
	while (r->at < r->end && !toml_is_control(*r->at))
		r->at++;
	if (r->at == r->end || toml_peek(r) == '\n' || toml_peek(r) == '\r')
		return true;
	return toml_fail_control(r, "a comment");
}

bool toml_skip_lines(struct toml_reader *r)
{
	do {
		toml_skip_blanks(r);
		if (!toml_skip_comment(r))
			return false;
	} while (toml_take_newline(r));
	return true;
}

bool toml_fail(struct toml_reader *r, const char *fmt, ...)
{
	struct nm_toml_error *e = r->error;
	va_list args;

	e->line = r->line;
	e->column = 1;
	for (const char *c = r->line_start; c < r->at; c++)
		e->column += ((unsigned char)*c & 0xc0) != 0x80;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	return false;
}

bool toml_fail_control(struct toml_reader *r, const char *where)
{
	if (r->at == r->end)
		return toml_fail(r, "the file ends in %s", where);
	return toml_fail(r, "U+%04X is not allowed in %s",
			 (unsigned char)*r->at, where);
}

/* --- All of it --- */

static bool check_utf8(struct toml_reader *r)
{
	struct toml_reader start = *r;
	size_t n;

	while (r->at < r->end) {
		if (toml_take_newline(r))
			continue;
		n = nm_utf8_len(r->at, (size_t)(r->end - r->at));
		if (!n)
			return toml_fail(r, "not UTF-8");
		r->at += n;
	}
	*r = start;
	return true;
}

struct nm_toml *nm_toml_parse(const char *text, size_t len,
			      struct nm_toml_error *error)
{
	struct nm_toml *root = new_node();
	struct toml_reader r = { .line = 1, .error = error };

	r.at = r.line_start = len ? text : ""; /* text may be NULL then */
	r.end = r.at + len;
	root->made_by = TOML_MADE_BY_HEADER;
	/* A byte order mark, which some editors write. */
	if (toml_take(&r, "\xef\xbb\xbf"))
		r.line_start = r.at;
	if (!check_utf8(&r) || !toml_read_document(&r, root)) {
		nm_toml_free(root);
		root = NULL;
	}
	nm_buf_free(&r.word);
	return root;
}
