// SPDX-License-Identifier: MIT
/*
 * Lines that are not surely flat: jansson is the judge. What it takes is
 * printed again, compact and with plain keys, and scanned in that form; what
 * it refuses gets the word that the user sees.
 */
#include <err.h>
#include <jansson.h>
#include <string.h>

#include "record.h"
#include "record_scan.h"
#include "text.h"

#define STRING(x)  STRING_(x)
#define STRING_(x) #x

static const char *what_is_wrong(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		return "key twice";
	case json_error_stack_overflow:
		return "nested too deep";
	case json_error_numeric_overflow:
		return "number too big";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "NUL in a string";
	default:
		return "not a JSON object";
	}
}

static void print_compact(struct nm_buf *out, const json_t *object)
{
	size_t size = json_dumpb(object, NULL, 0, JSON_COMPACT);

	nm_buf_reserve(out, size);
	if (!size || json_dumpb(object, out->data, size, JSON_COMPACT) != size)
		errx(1, "jansson cannot print what it has read");
	out->len = size;
}

const char *nm_scan_slow(struct nm_record *r, const char *line, size_t len)
{
	const char *wrong = NULL;
	json_error_t error;
	json_t *object;

	/* Nothing may point into a line that was refused. */
	r->fields = 0;
	r->line.len = 0;
	r->type = NM_TYPE_OTHER;
	r->ts_us = 0;
	if (memchr(line, '\0', len))
		return "NUL byte";
	if (!nm_utf8_valid(line, len))
		return "invalid UTF-8";

	object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return what_is_wrong(&error);
	if (!json_is_object(object)) {
		wrong = "not a JSON object";
	} else if (json_object_size(object) > NM_FIELDS_MAX) {
		wrong = "more than " STRING(NM_FIELDS_MAX) " keys";
	} else {
		print_compact(&r->rebuilt, object);
		if (!nm_scan_flat(r, r->rebuilt.data, r->rebuilt.len,
				  NM_FROM_JANSSON))
			errx(1, "cannot read what jansson has printed");
	}
	json_decref(object);
	return wrong;
}
