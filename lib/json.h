/* SPDX-License-Identifier: MIT */
/*
 * Writing records: one flat JSON object per line, compact, as nm-record(5)
 * says. Keys are literals of ours and are written as they are; string values
 * come from anywhere and leave as valid, escaped UTF-8.
 */
#ifndef NM_JSON_H
#define NM_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "buf.h"

/* {"v":1,"type":"TYPE","ts_us":TS_US   ts_us: microseconds since the epoch */
void nm_json_open(struct nm_buf *b, const char *type, uint64_t ts_us);

/*
 * ,"key":   Here, because the compiler knows the length of a literal: a record
 * has two dozen of them, and a collector writes ten thousand a second.
 */
static inline void nm_json_key(struct nm_buf *b, const char *key)
{
	size_t n = strlen(key);
	char *to;

	nm_buf_reserve(b, n + 4);
	to = b->data + b->len;
	memcpy(to, ",\"", 2);
	memcpy(to + 2, key, n);
	memcpy(to + 2 + n, "\":", 2);
	b->len += n + 4;
}

/* "value", escaped. Bytes that are not UTF-8 become U+FFFD. */
void nm_json_quote(struct nm_buf *b, const char *value, size_t n);

/* ,"key":"value"   Empty: no key. */
void nm_json_strn(struct nm_buf *b, const char *key, const char *value,
		  size_t n);
static inline void nm_json_str(struct nm_buf *b, const char *key,
			       const char *value)
{
	size_t n = strlen(value);

	if (!n)
		return;
	nm_json_key(b, key);
	nm_json_quote(b, value, n);
}

/* Values above 2^53 are written as 2^53 (jq would round). */
void nm_json_put_u64(struct nm_buf *b, uint64_t value);

/* ,"key":value */
static inline void nm_json_u64(struct nm_buf *b, const char *key,
			       uint64_t value)
{
	nm_json_key(b, key);
	nm_json_put_u64(b, value);
}

/* ,"key":"hex"   For cookies and hashes: no leading zeros. */
void nm_json_hex(struct nm_buf *b, const char *key, uint64_t value);

/* ,"key":true or false */
void nm_json_bool(struct nm_buf *b, const char *key, bool value);

/* }\n */
void nm_json_close(struct nm_buf *b);

#endif
