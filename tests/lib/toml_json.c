// SPDX-License-Identifier: MIT
/*
 * Reads TOML and prints it as the JSON that the public cases of toml-test
 * compare with: each value as {"type": …, "value": …}. Status 1, and what is
 * wrong as LINE:COLUMN: TEXT, for what is not TOML.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "buf.h"
#include "toml.h"

/* Unlike in a record, there may be NUL in it. */
static void put_text(struct nm_buf *b, const struct nm_toml_text *t)
{
	nm_buf_putc(b, '"');
	for (size_t i = 0; i < t->len; i++) {
		unsigned char c = (unsigned char)t->ptr[i];

		if (c < 0x20 || c == '"' || c == '\\')
			nm_buf_printf(b, "\\u%04x", c);
		else
			nm_buf_putc(b, (char)c);
	}
	nm_buf_putc(b, '"');
}

static void put_scalar(struct nm_buf *b, const struct nm_toml *v)
{
	static const char *const types[] = {
		[NM_TOML_STRING] = "string",
		[NM_TOML_INTEGER] = "integer",
		[NM_TOML_FLOAT] = "float",
		[NM_TOML_BOOL] = "bool",
		[NM_TOML_OFFSET_DATE_TIME] = "datetime",
		[NM_TOML_LOCAL_DATE_TIME] = "datetime-local",
		[NM_TOML_LOCAL_DATE] = "date-local",
		[NM_TOML_LOCAL_TIME] = "time-local",
	};

	nm_buf_printf(b, "{\"type\":\"%s\",\"value\":", types[v->kind]);
	switch (v->kind) {
	case NM_TOML_INTEGER:
		nm_buf_printf(b, "\"%" PRId64 "\"", v->integer);
		break;
	case NM_TOML_FLOAT:
		nm_buf_printf(b, "\"%.17g\"", v->number);
		break;
	case NM_TOML_BOOL:
		nm_buf_puts(b, v->is_true ? "\"true\"" : "\"false\"");
		break;
	default:
		put_text(b, &v->text);
	}
	nm_buf_putc(b, '}');
}

static void put(struct nm_buf *b, const struct nm_toml *v)
{
	bool table = v->kind == NM_TOML_TABLE;

	if (!table && v->kind != NM_TOML_ARRAY) {
		put_scalar(b, v);
		return;
	}
	nm_buf_putc(b, table ? '{' : '[');
	for (const struct nm_toml *n = v->list.first; n; n = n->next) {
		if (table) {
			put_text(b, &n->key);
			nm_buf_putc(b, ':');
		}
		put(b, n);
		if (n->next)
			nm_buf_putc(b, ',');
	}
	nm_buf_putc(b, table ? '}' : ']');
}

int main(void)
{
	struct nm_buf text = { 0 }, out = { 0 };
	struct nm_toml_error error;
	struct nm_toml *root;
	int status;
	ssize_t n;

	do {
		nm_buf_reserve(&text, 65536);
		n = read(STDIN_FILENO, text.data + text.len, 65536);
		text.len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	root = nm_toml_parse(text.data, text.len, &error);
	nm_buf_free(&text);
	if (!root) {
		fprintf(stderr, "%u:%u: %s\n", error.line, error.column,
			error.text);
		return 1;
	}
	put(&out, root);
	nm_buf_putc(&out, '\n');
	nm_toml_free(root);
	status = nm_buf_flush(&out, STDOUT_FILENO) ? 1 : 0;
	nm_buf_free(&out);
	return status;
}
