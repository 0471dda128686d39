/* SPDX-License-Identifier: MIT */
/*
 * TOML that is written from a tree, one line for each key of the root, and
 * that this gives the same tree again. A difference aborts. Used by the fuzzer
 * and by a test.
 */
#ifndef AGAIN_H
#define AGAIN_H

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "holds.h"
#include "text.h"
#include "toml.h"

static void again_quote(struct nm_buf *b, const struct nm_toml_text *t)
{
	HOLDS(nm_utf8_valid(t->ptr, t->len) && t->ptr[t->len] == '\0');
	nm_buf_putc(b, '"');
	for (size_t i = 0; i < t->len; i++) {
		unsigned char c = (unsigned char)t->ptr[i];

		if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
			nm_buf_printf(b, "\\u%04x", c);
		else
			nm_buf_putc(b, (char)c);
	}
	nm_buf_putc(b, '"');
}

static void again_float(struct nm_buf *b, double number)
{
	size_t start = b->len;

	nm_buf_printf(b, "%.17g", number);
	/* Without a point it would be an integer. */
	for (size_t i = start; i < b->len; i++)
		if (strchr(".en", b->data[i]))
			return;
	nm_buf_puts(b, ".0");
}

static void again_show(struct nm_buf *b, const struct nm_toml *v)
{
	bool table = v->kind == NM_TOML_TABLE;

	HOLDS(v->depth <= NM_TOML_DEPTH_MAX);
	switch (v->kind) {
	case NM_TOML_TABLE:
	case NM_TOML_ARRAY:
		nm_buf_putc(b, table ? '{' : '[');
		for (const struct nm_toml *n = v->list.first; n; n = n->next) {
			if (table) {
				again_quote(b, &n->key);
				nm_buf_putc(b, '=');
			}
			again_show(b, n);
			if (n->next)
				nm_buf_putc(b, ',');
		}
		nm_buf_putc(b, table ? '}' : ']');
		break;
	case NM_TOML_STRING:
		again_quote(b, &v->text);
		break;
	case NM_TOML_INTEGER:
		nm_buf_printf(b, "%" PRId64, v->integer);
		break;
	case NM_TOML_FLOAT:
		again_float(b, v->number);
		break;
	case NM_TOML_BOOL:
		nm_buf_puts(b, v->is_true ? "true" : "false");
		break;
	default:
		nm_buf_puts(b, v->text.ptr);
	}
}

/* The tree as lines, "key"=value, or the error in lines of its own. */
static struct nm_buf again_read(const char *bytes, size_t len)
{
	struct nm_toml_error e = { 0 };
	struct nm_buf b = { 0 };
	struct nm_toml *root = nm_toml_parse(bytes, len, &e);

	if (!root) {
		HOLDS(e.line && e.column && e.column <= len + 1);
		nm_buf_printf(&b, "%u:%u: %s\n", e.line, e.column, e.text);
		return b;
	}
	for (const struct nm_toml *n = root->list.first; n; n = n->next) {
		again_quote(&b, &n->key);
		nm_buf_putc(&b, '=');
		again_show(&b, n);
		nm_buf_putc(&b, '\n');
	}
	nm_toml_free(root);
	return b;
}

/* Is it TOML? Aborts if it is and cannot be written and read again. */
static bool again(const char *bytes, size_t len)
{
	/* Not a byte more, so that a sanitizer sees who looks further. */
	char *exact = malloc(len ? len : 1);
	struct nm_buf once, twice;
	struct nm_toml_error e;
	struct nm_toml *root;

	HOLDS(exact);
	if (len)
		memcpy(exact, bytes, len);
	root = nm_toml_parse(exact, len, &e);
	nm_toml_free(root);
	once = again_read(exact, len);
	free(exact);
	if (root) {
		twice = again_read(once.data, once.len);
		HOLDS(once.len == twice.len);
		HOLDS(!once.len || !memcmp(once.data, twice.data, once.len));
		nm_buf_free(&twice);
	}
	nm_buf_free(&once);
	return root;
}

#endif
