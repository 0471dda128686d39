/* SPDX-License-Identifier: MIT */
/*
 * Reading records: one pass over a line finds its keys and values as slices
 * into the line; nothing is copied, nothing is allocated per record. Keys
 * that a stage adds are appended to the line as it was read, so what the
 * stage does not know passes through untouched.
 *
 * A line that the scanner does not take (nested values, escaped keys) goes
 * to jansson, which is the judge of what JSON is: for every line that the
 * scanner accepts, jansson agrees (tests/fuzz holds the two together).
 */
#ifndef NM_RECORD_H
#define NM_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum nm_kind {
	NM_STRING, /* val is what is between the quotes, still escaped */
	NM_INT,	   /* a number without fraction and exponent */
	NM_REAL,   /* any other number */
	NM_BOOL,
	NM_NULL,
	NM_NESTED, /* an object or array: raw text, only passed through */
};

struct nm_slice {
	const char *ptr;
	size_t len;
};

struct nm_field {
	struct nm_slice key;
	struct nm_slice val;
	enum nm_kind kind;
};

/* A record has about 30 keys after all stages; more than this is refused. */
#define NM_FIELDS_MAX 256

enum nm_type {
	NM_TYPE_OTHER, /* no "type", or one this version does not know */
	NM_TYPE_START,
	NM_TYPE_FLOW,
	NM_TYPE_TICK,
	NM_TYPE_DNS,
	NM_TYPE_EVENT,
	NM_TYPE_ALERT,
	NM_TYPE_ACTION,
	NM_TYPE_NOTICE,
};

struct nm_record {
	struct nm_slice line; /* the object, from { to } */
	struct nm_field field[NM_FIELDS_MAX];
	size_t fields;
	enum nm_type type;
	uint64_t ts_us;	       /* 0 if absent */
	struct nm_buf added;   /* ,"key":value… of this stage */
	struct nm_buf rebuilt; /* jansson's spelling of a nested line */
	uint64_t dropped[NM_FIELDS_MAX / 64]; /* bit per field: leave it out */
};

/*
 * Reads one line (without its newline) into r; the slices point into it.
 * Returns NULL, or a static string that says what is wrong with the line
 * ("not a JSON object", "key twice", "invalid UTF-8", …), also if it is a
 * record of another version of nm-record(5).
 */
const char *nm_record_scan(struct nm_record *r, const char *line, size_t len);

/*
 * The field of that name, or NULL. Keys are compared as they are spelled:
 * ours need no escapes, and one that does is not found.
 */
const struct nm_field *nm_find(const struct nm_record *r, const char *key);

/*
 * The value of a key that is an integer of 0 or more (lines with one above
 * 2^63-1 are refused, as by jansson). False: absent or not that.
 */
bool nm_get_u64(const struct nm_record *r, const char *key, uint64_t *value);

/* The value of any number. */
bool nm_get_double(const struct nm_record *r, const char *key, double *value);

/* The value of a boolean key; false also when it is absent. */
bool nm_get_true(const struct nm_record *r, const char *key);

/*
 * The unescaped value of a string key, NUL-terminated and cut to size at a
 * character's edge. False: absent or not a string (then out is "").
 */
bool nm_get_str(const struct nm_record *r, const char *key, char *out,
		size_t size);

/* Does the string key hold exactly this (unescaped) text? */
bool nm_is(const struct nm_record *r, const char *key, const char *text);

/*
 * Append a key. A key that the record already has is left as it was: a stage
 * never overwrites another's (nm-record(5)).
 */
void nm_add_str(struct nm_record *r, const char *key, const char *value);
void nm_add_u64(struct nm_record *r, const char *key, uint64_t value);
void nm_add_bool(struct nm_record *r, const char *key, bool value);

/* Leave a key out of what is written. It may be added again. */
void nm_drop(struct nm_record *r, const char *key);

/* The line as it leaves, newline and all, appended to out. */
void nm_record_write(const struct nm_record *r, struct nm_buf *out);

void nm_record_free(struct nm_record *r);

#endif
