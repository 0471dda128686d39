/* SPDX-License-Identifier: MIT */
/*
 * TOML 1.0.0 (https://toml.io/en/v1.0.0), the whole of it and nothing else: a
 * document becomes a tree, or an error that says where and what is wrong.
 */
#ifndef NM_TOML_H
#define NM_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nm_toml_kind {
	NM_TOML_TABLE,
	NM_TOML_ARRAY,
	NM_TOML_STRING,
	NM_TOML_INTEGER,
	NM_TOML_FLOAT,
	NM_TOML_BOOL,
	/* Text as RFC 3339 has it, with "T" and "Z", and checked. */
	NM_TOML_OFFSET_DATE_TIME,
	NM_TOML_LOCAL_DATE_TIME,
	NM_TOML_LOCAL_DATE,
	NM_TOML_LOCAL_TIME,
};

/* How far tables and arrays may be inside each other. */
#define NM_TOML_DEPTH_MAX 64

/* Bytes, with the NUL behind them; they may have others among them. */
struct nm_toml_text {
	char *ptr;
	size_t len;
};

struct nm_toml {
	enum nm_toml_kind kind;
	unsigned int line;	 /* of its key; in an array, of the value */
	struct nm_toml_text key; /* in a table; else ptr is NULL */
	struct nm_toml *next;	 /* in its table or array */
	union {
		struct {
			struct nm_toml *first, *last;
		} list; /* TABLE, ARRAY: what is in it, in the file's order */
		struct nm_toml_text text; /* STRING, and times */
		int64_t integer;
		double number; /* FLOAT */
		bool is_true;  /* BOOL */
	};

	/* The reader's own. */
	unsigned int depth;
	int made_by;
};

struct nm_toml_error {
	unsigned int line, column; /* from 1; a column is a character */
	char text[160];		   /* "a value is missing behind '='" */
};

/* The root table, or NULL and the error. */
struct nm_toml *nm_toml_parse(const char *text, size_t len,
			      struct nm_toml_error *error);
void nm_toml_free(struct nm_toml *root);

/* What a table has under this key, or NULL. */
struct nm_toml *nm_toml_get(const struct nm_toml *table, const char *key);

/* "a table", "an array", "a string", … for messages. */
const char *nm_toml_kind_name(enum nm_toml_kind kind);

#endif
