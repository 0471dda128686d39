/* SPDX-License-Identifier: MIT */
/*
 * The scanner against jansson, on any bytes: what the scanner takes, jansson
 * takes, with the same keys and values; what leaves is what came, plus what
 * was added. A difference aborts. Used by the fuzzer and by a test.
 */
#ifndef AGREE_H
#define AGREE_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holds.h"
#include "record.h"
#include "record_scan.h"

static void agree_string(const struct nm_slice *s, const char *wanted,
			 size_t len)
{
	const char *p = s->ptr, *end = p + s->len;
	char c[4];
	size_t n;

	while (p < end) {
		n = nm_unescape(&p, end, c);
		HOLDS(n > 0 && n <= len && !memcmp(c, wanted, n));
		wanted += n;
		len -= n;
	}
	HOLDS(p == end && len == 0);
}

static void agree_value(const struct nm_record *r, const struct nm_field *f,
			const char *key, json_t *value)
{
	uint64_t u;
	double d;

	switch (f->kind) {
	case NM_STRING:
		HOLDS(json_is_string(value));
		agree_string(&f->val, json_string_value(value),
			     json_string_length(value));
		HOLDS(nm_is(r, key, json_string_value(value)));
		break;
	case NM_INT:
		HOLDS(json_is_integer(value));
		if (nm_get_u64(r, key, &u))
			HOLDS(u == (uint64_t)json_integer_value(value));
		else
			HOLDS(f->val.ptr[0] == '-');
		HOLDS(nm_get_double(r, key, &d));
		HOLDS(d == (double)json_integer_value(value));
		break;
	case NM_REAL:
		HOLDS(json_is_real(value));
		HOLDS(nm_get_double(r, key, &d));
		HOLDS(d == json_real_value(value));
		break;
	case NM_BOOL:
		HOLDS(json_is_boolean(value));
		HOLDS(nm_get_true(r, key) == json_is_true(value));
		break;
	case NM_NULL:
		HOLDS(json_is_null(value));
		break;
	case NM_NESTED:
		HOLDS(json_is_object(value) || json_is_array(value));
		break;
	}
}

static void agree_fields(const struct nm_record *r, json_t *object)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	size_t i = 0;
	const char *key;
	json_t *value;

	HOLDS(r->fields == json_object_size(object));
	json_object_foreach(object, key, value)
	{
		const struct nm_field *f = &r->field[i++];

		agree_string(&f->key, key, strlen(key));
		/* Keys with escapes are not looked for by name. */
		if (nm_find(r, key) == f)
			agree_value(r, f, key, value);
		else
			HOLDS(memchr(f->key.ptr, '\\', f->key.len));
	}
	HOLDS((r->type == NM_TYPE_FLOW) == (type && !strcmp(type, "flow")));
	HOLDS((r->type == NM_TYPE_TICK) == (type && !strcmp(type, "tick")));
}

/* What r leaves as, scanned by jansson; NULL if it is not JSON. */
static json_t *written(const struct nm_record *r, struct nm_buf *out)
{
	out->len = 0;
	nm_record_write(r, out);
	HOLDS(out->len > 2 && out->data[out->len - 1] == '\n');
	return json_loadb(out->data, out->len, JSON_REJECT_DUPLICATES, NULL);
}

/* What was written reads as the same, and is written the same once more. */
static void agree_rewritten(const struct nm_record *r, json_t *object)
{
	static struct nm_record again;
	struct nm_buf first = { 0 }, second = { 0 };
	json_t *same = written(r, &first);

	HOLDS(same && json_equal(same, object));
	json_decref(same);
	HOLDS(!nm_record_scan(&again, first.data, first.len - 1));
	HOLDS(again.type == r->type && again.ts_us == r->ts_us);
	nm_record_write(&again, &second);
	HOLDS(second.len == first.len &&
	      !memcmp(first.data, second.data, first.len));
	nm_buf_free(&first);
	nm_buf_free(&second);
	nm_record_free(&again);
}

/* Every second key left out, and text from outside added. */
static void agree_changed(struct nm_record *r, json_t *object, char *text)
{
	struct nm_buf out = { 0 };
	json_t *left, *copy = json_copy(object), *value;
	const char *key;
	bool has_added;
	size_t i = 0;

	json_object_foreach(object, key, value)
	{
		/* nm_find compares with the key as it is spelled. */
		if (i++ % 2 || strchr(key, '\\') || !nm_find(r, key))
			continue;
		nm_drop(r, key);
		json_object_del(copy, key);
	}
	has_added = json_object_get(copy, "added") != NULL;
	nm_add_str(r, "added", text);
	nm_add_u64(r, "added", 1);
	left = written(r, &out);
	HOLDS(left);
	if (!has_added) {
		value = json_object_get(left, "added");
		HOLDS(*text ? json_is_string(value) : json_is_integer(value));
		json_object_del(left, "added");
	}
	HOLDS(json_equal(left, copy));
	json_decref(left);
	json_decref(copy);
	nm_buf_free(&out);
}

static bool is_of_another_version(const json_t *object)
{
	const json_t *v = json_object_get(object, "v");

	return v && !(json_is_integer(v) && json_integer_value(v) == 1);
}

static void agree(const char *bytes, size_t len)
{
	static struct nm_record r;
	/* A copy of exactly this size: the sanitizer sees a byte too far. */
	char *line = malloc(len ? len : 1), *text = calloc(1, len + 1);
	json_t *object;
	const char *wrong;

	if (!line || !text)
		abort();
	if (len) {
		memcpy(line, bytes, len);
		memcpy(text, bytes, len);
	}
	object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (nm_scan_flat(&r, line, len, NM_FROM_OUTSIDE)) {
		HOLDS(json_is_object(object));
		agree_fields(&r, object);
	}

	wrong = nm_record_scan(&r, line, len);
	if (!wrong) {
		HOLDS(json_is_object(object));
		HOLDS(!is_of_another_version(object));
		agree_fields(&r, object);
		agree_rewritten(&r, object);
		agree_changed(&r, object, text);
	} else {
		/* jansson overlooks a NUL byte behind a number. */
		HOLDS(!json_is_object(object) || memchr(line, '\0', len) ||
		      json_object_size(object) > NM_FIELDS_MAX ||
		      is_of_another_version(object));
	}
	json_decref(object);
	nm_record_free(&r);
	free(line);
	free(text);
}

#endif
