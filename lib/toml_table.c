// SPDX-License-Identifier: MIT
/*
 * TOML: lines, keys and tables, and who may add to which table.
 */
#include "text.h"
#include "toml_read.h"

/* --- Keys --- */

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* One part of a key, into r->word. */
static bool read_part(struct toml_reader *r)
{
	const char *start = r->at;

	if (toml_peek(r) == '"' || toml_peek(r) == '\'')
		return toml_read_quoted(r);
	while (is_bare(toml_peek(r)))
		r->at++;
	if (r->at == start)
		return toml_fail(r, "a key is missing here (one of other "
				    "letters than A-Z is quoted)");
	r->word.len = 0;
	nm_buf_add(&r->word, start, (size_t)(r->at - start));
	return true;
}

/* The error is at the key that begins at start. */
static bool fail_again(struct toml_reader *r, const char *start,
		       const struct nm_toml *before)
{
	char key[64];

	nm_clean(key, sizeof(key), before->key.ptr);
	r->at = start;
	return toml_fail(r, "'%s' is %s already, since line %u", key,
			 nm_toml_kind_name(before->kind), before->line);
}

/* The table that the part of a key in r->word leads to, from this one. */
static struct nm_toml *step(struct toml_reader *r, struct nm_toml *table,
			    enum toml_made_by by, const char *start)
{
	struct nm_toml *found = toml_find(r, table), *next = found;

	if (!found) {
		next = toml_add(r, table);
		if (next)
			next->made_by = by;
		return next;
	}
	/* Of [[a]], the last is meant. */
	if (found->kind == NM_TOML_ARRAY && by == TOML_MADE_BY_PATH &&
	    found->made_by == TOML_MADE_BY_HEADER)
		next = found->list.last;
	if (next->kind != NM_TOML_TABLE ||
	    next->made_by == TOML_MADE_BY_VALUE ||
	    (next->made_by == TOML_MADE_BY_HEADER && by == TOML_MADE_BY_DOTS)) {
		fail_again(r, start, found);
		return NULL;
	}
	/* Now it has keys of its own, and no header may come for it. */
	if (by == TOML_MADE_BY_DOTS)
		next->made_by = by;
	return next;
}

/*
 * Reads a key, "a.b.c", and blanks behind it. Returns the table that its last
 * part belongs to, and leaves that part in r->word; or NULL after an error. The
 * tables on the way are there, or else are made `by` the key.
 */
static struct nm_toml *read_path(struct toml_reader *r, struct nm_toml *table,
				 enum toml_made_by by)
{
	const char *start = r->at;

	for (;;) {
		if (!read_part(r))
			return NULL;
		toml_skip_blanks(r);
		if (!toml_take(r, "."))
			return table;
		toml_skip_blanks(r);
		table = step(r, table, by, start);
		if (!table)
			return NULL;
	}
}

bool toml_read_pair(struct toml_reader *r, struct nm_toml *table)
{
	const char *start = r->at;
	struct nm_toml *node;

	table = read_path(r, table, TOML_MADE_BY_DOTS);
	if (!table)
		return false;
	if (!toml_take(r, "="))
		return toml_fail(r, "'=' is missing behind the key");
	toml_skip_blanks(r);
	node = toml_find(r, table);
	if (node)
		return fail_again(r, start, node);
	node = toml_add(r, table);
	return node && toml_read_value(r, node);
}

/* --- Tables --- */

/* [table] */
static struct nm_toml *open_table(struct toml_reader *r, struct nm_toml *parent,
				  const char *start)
{
	struct nm_toml *node = toml_find(r, parent);

	if (!node) {
		node = toml_add(r, parent);
	} else if (node->kind != NM_TOML_TABLE ||
		   node->made_by != TOML_MADE_BY_PATH) {
		fail_again(r, start, node);
		return NULL;
	}
	if (node) {
		node->made_by = TOML_MADE_BY_HEADER;
		node->line = r->line;
	}
	return node;
}

/* [[array]] */
static struct nm_toml *open_element(struct toml_reader *r,
				    struct nm_toml *parent, const char *start)
{
	struct nm_toml *array = toml_find(r, parent), *node;

	if (!array) {
		array = toml_add(r, parent);
		if (!array)
			return NULL;
		array->kind = NM_TOML_ARRAY;
		array->made_by = TOML_MADE_BY_HEADER;
	} else if (array->kind != NM_TOML_ARRAY ||
		   array->made_by != TOML_MADE_BY_HEADER) {
		fail_again(r, start, array);
		return NULL;
	}
	node = toml_add(r, array);
	if (node)
		node->made_by = TOML_MADE_BY_HEADER;
	return node;
}

/* The table that a header opens, or NULL after an error. */
static struct nm_toml *read_header(struct toml_reader *r, struct nm_toml *root)
{
	bool of_array = toml_take(r, "[[");
	const char *close = of_array ? "]]" : "]", *start;
	struct nm_toml *parent;

	if (!of_array)
		toml_take(r, "[");
	toml_skip_blanks(r);
	start = r->at;
	parent = read_path(r, root, TOML_MADE_BY_PATH);
	if (!parent)
		return NULL;
	if (!toml_take(r, close)) {
		toml_fail(r, "'%s' is missing behind the table's name", close);
		return NULL;
	}
	return of_array ? open_element(r, parent, start)
			: open_table(r, parent, start);
}

bool toml_read_document(struct toml_reader *r, struct nm_toml *root)
{
	struct nm_toml *table = root;

	for (;;) {
		if (!toml_skip_lines(r))
			return false;
		if (r->at == r->end)
			return true;
		if (toml_peek(r) == '[') {
			table = read_header(r, root);
			if (!table)
				return false;
		} else if (!toml_read_pair(r, table)) {
			return false;
		}
		toml_skip_blanks(r);
		if (!toml_skip_comment(r))
			return false;
		if (r->at < r->end && !toml_take_newline(r))
			return toml_fail(r, "the line should end here");
	}
}
