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

#include "buf.h"

/* {"v":1,"type":"TYPE","ts_us":TS_US   ts_us: microseconds since the epoch */
void nm_json_open(struct nm_buf *b, const char *type, uint64_t ts_us);

/* ,"key":"value"   Bytes that are not UTF-8 become U+FFFD. Empty: no key. */
void nm_json_str(struct nm_buf *b, const char *key, const char *value);
void nm_json_strn(struct nm_buf *b, const char *key, const char *value,
		  size_t n);

/* ,"key":value   Values above 2^53 are written as 2^53 (jq would round). */
void nm_json_u64(struct nm_buf *b, const char *key, uint64_t value);

/* ,"key":"hex"   For cookies and hashes: no leading zeros. */
void nm_json_hex(struct nm_buf *b, const char *key, uint64_t value);

/* ,"key":true or false */
void nm_json_bool(struct nm_buf *b, const char *key, bool value);

/* }\n */
void nm_json_close(struct nm_buf *b);

/* Only the quoted, escaped string, for those who build something else. */
void nm_json_quote(struct nm_buf *b, const char *value, size_t n);

#endif
