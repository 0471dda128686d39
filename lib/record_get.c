// SPDX-License-Identifier: MIT
/*
 * Values out of a scanned record.
 */
#include <string.h>

#include "record.h"
#include "record_scan.h"
#include "text.h"

const struct nm_field *nm_find(const struct nm_record *r, const char *key)
{
	size_t len = strlen(key);

	for (const struct nm_field *f = r->field; f < r->field + r->fields;
	     f++) {
		if (f->key.len == len && (!len || f->key.ptr[0] == key[0]) &&
		    !memcmp(f->key.ptr, key, len))
			return f;
	}
	return NULL;
}

bool nm_get_u64(const struct nm_record *r, const char *key, uint64_t *value)
{
	const struct nm_field *f = nm_find(r, key);
	uint64_t sum = 0;

	if (!f || f->kind != NM_INT || f->val.ptr[0] == '-')
		return false;
	/* At most 19 digits: the scanner takes no more, nor does jansson. */
	for (size_t i = 0; i < f->val.len; i++)
		sum = sum * 10 + (uint64_t)(f->val.ptr[i] - '0');
	*value = sum;
	return true;
}

bool nm_get_double(const struct nm_record *r, const char *key, double *value)
{
	const struct nm_field *f = nm_find(r, key);

	if (!f || (f->kind != NM_INT && f->kind != NM_REAL))
		return false;
	/* Behind the number is at least the object's brace: it ends there. */
	*value = nm_strtod(f->val.ptr, NULL);
	return true;
}

bool nm_get_true(const struct nm_record *r, const char *key)
{
	const struct nm_field *f = nm_find(r, key);

	return f && f->kind == NM_BOOL && f->val.ptr[0] == 't';
}

/* Most strings have none, and are what is there. */
static bool has_escape(const struct nm_field *f)
{
	return memchr(f->val.ptr, '\\', f->val.len);
}

bool nm_get_str(const struct nm_record *r, const char *key, char *out,
		size_t size)
{
	const struct nm_field *f = nm_find(r, key);
	const char *p, *end;
	size_t used = 0, n;
	char c[4];

	if (size)
		out[0] = '\0';
	if (!f || f->kind != NM_STRING)
		return false;
	p = f->val.ptr;
	end = p + f->val.len;
	if (f->val.len < size && !has_escape(f)) {
		memcpy(out, p, f->val.len);
		out[f->val.len] = '\0';
		return true;
	}
	while (p < end) {
		n = nm_unescape(&p, end, c);
		if (used + n >= size)
			break;
		memcpy(out + used, c, n);
		used += n;
	}
	if (size)
		out[used] = '\0';
	return true;
}

bool nm_is(const struct nm_record *r, const char *key, const char *text)
{
	const struct nm_field *f = nm_find(r, key);
	const char *p, *end;
	size_t n;
	char c[4];

	if (!f || f->kind != NM_STRING)
		return false;
	p = f->val.ptr;
	end = p + f->val.len;
	if (!has_escape(f))
		return strlen(text) == f->val.len &&
		       !memcmp(text, p, f->val.len);
	while (p < end) {
		n = nm_unescape(&p, end, c);
		if (strncmp(text, c, n))
			return false;
		text += n;
	}
	return !*text;
}
