// SPDX-License-Identifier: MIT
/*
 * A record on its way out: the line as it was read, without what the stage
 * dropped, and with what it added.
 */
#include <string.h>

#include "json.h"
#include "record.h"

/* Has this stage already added the key? */
static bool is_added(const struct nm_record *r, const char *key)
{
	size_t len = strlen(key);
	const char *p = r->added.data, *end = p + r->added.len;

	/*
	 * ,"key": can only be a key: inside a string the quotes have a
	 * backslash before them.
	 */
	for (; p; p++) {
		p = memmem(p, (size_t)(end - p), ",\"", 2);
		if (!p)
			break;
		if ((size_t)(end - p) > len + 3 && !memcmp(p + 2, key, len) &&
		    !memcmp(p + 2 + len, "\":", 2))
			return true;
	}
	return false;
}

static bool is_dropped(const struct nm_record *r, size_t i)
{
	return r->dropped[i / 64] >> i % 64 & 1;
}

static bool has(const struct nm_record *r, const char *key)
{
	const struct nm_field *f = nm_find(r, key);

	return (f && !is_dropped(r, (size_t)(f - r->field))) ||
	       (r->added.len && is_added(r, key));
}

void nm_add_str(struct nm_record *r, const char *key, const char *value)
{
	if (!has(r, key))
		nm_json_str(&r->added, key, value);
}

void nm_add_u64(struct nm_record *r, const char *key, uint64_t value)
{
	if (!has(r, key))
		nm_json_u64(&r->added, key, value);
}

void nm_add_bool(struct nm_record *r, const char *key, bool value)
{
	if (!has(r, key))
		nm_json_bool(&r->added, key, value);
}

void nm_drop(struct nm_record *r, const char *key)
{
	const struct nm_field *f = nm_find(r, key);
	size_t i;

	if (!f)
		return;
	i = (size_t)(f - r->field);
	r->dropped[i / 64] |= UINT64_C(1) << i % 64;
}

static bool any_dropped(const struct nm_record *r)
{
	uint64_t all = 0;

	for (size_t i = 0; i < NM_FIELDS_MAX / 64; i++)
		all |= r->dropped[i];
	return all;
}

static void add_field(const struct nm_field *f, struct nm_buf *out)
{
	size_t quote = f->kind == NM_STRING;

	nm_buf_putc(out, '"');
	nm_buf_add(out, f->key.ptr, f->key.len);
	nm_buf_add(out, "\":", 2);
	nm_buf_add(out, f->val.ptr - quote, f->val.len + 2 * quote);
}

void nm_record_write(const struct nm_record *r, struct nm_buf *out)
{
	size_t body;

	nm_buf_reserve(out, r->line.len + r->added.len + 2);
	if (!any_dropped(r)) {
		nm_buf_add(out, r->line.ptr, r->line.len - 1);
		body = r->fields;
	} else {
		body = 0;
		nm_buf_putc(out, '{');
		for (size_t i = 0; i < r->fields; i++) {
			if (is_dropped(r, i))
				continue;
			if (body++)
				nm_buf_putc(out, ',');
			add_field(&r->field[i], out);
		}
	}
	/* What was added begins with a comma; an empty object wants none. */
	if (r->added.len && !body)
		nm_buf_add(out, r->added.data + 1, r->added.len - 1);
	else
		nm_buf_add(out, r->added.data, r->added.len);
	nm_buf_add(out, "}\n", 2);
}
