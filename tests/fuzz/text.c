// SPDX-License-Identifier: MIT
/*
 * A libFuzzer target: whatever the bytes, what is written is JSON, and what is
 * cleaned is valid UTF-8 that says the same again and fits.
 */
#include <jansson.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

static void written_is_json(const char *bytes, size_t len)
{
	struct nm_buf b = { 0 };
	json_t *value;

	nm_json_quote(&b, bytes, len);
	value = json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);
	if (!json_is_string(value))
		abort();
	if (nm_utf8_valid(bytes, len) && !memchr(bytes, '\0', len) &&
	    (json_string_length(value) != len ||
	     memcmp(json_string_value(value), bytes, len)))
		abort();
	json_decref(value);
	nm_buf_free(&b);
}

static void cleaned_is_clean(const char *text, size_t size)
{
	char *once = malloc(size), *twice = malloc(size);
	size_t used, bytes, columns = size / 2;

	if (!once || !twice)
		abort();
	nm_clean(once, size, text);
	if (strlen(once) >= size || !nm_utf8_valid(once, strlen(once)))
		abort();
	nm_clean(twice, size, once);
	if (strcmp(once, twice))
		abort();
	bytes = nm_clip(once, columns, &used);
	if (used > columns || bytes > strlen(once) ||
	    !nm_utf8_valid(once, bytes) || nm_width(once) < used)
		abort();
	free(once);
	free(twice);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (!setlocale(LC_ALL, "C.UTF-8"))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	if (!text)
		abort();
	memcpy(text, bytes, len);
	text[len] = '\0';
	written_is_json(text, len);
	cleaned_is_clean(text, len + 1);
	cleaned_is_clean(text, len / 2 + 1);
	free(text);
	return 0;
}
