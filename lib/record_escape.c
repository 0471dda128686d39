// SPDX-License-Identifier: MIT
/*
 * Escapes in JSON strings: checking them, and undoing them. Everything beyond
 * U+FFFF is two \u escapes, a high and a low surrogate (RFC 8259 section 7).
 */
#include <string.h>

#include "record_scan.h"
#include "text.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of \uXXXX at p, or -1. */
static long unicode_escape(const char *p, const char *end)
{
	long value = 0;
	int digit;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		digit = hex_digit(p[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static bool is_high_surrogate(long c)
{
	return c >= 0xd800 && c <= 0xdbff;
}

static bool is_low_surrogate(long c)
{
	return c >= 0xdc00 && c <= 0xdfff;
}

const char *nm_skip_escape(const char *p, const char *end)
{
	long c;

	if (end - p < 2)
		return NULL;
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? p + 2 : NULL;

	c = unicode_escape(p, end);
	if (c <= 0 || is_low_surrogate(c))
		return NULL;
	if (!is_high_surrogate(c))
		return p + 6;
	return is_low_surrogate(unicode_escape(p + 6, end)) ? p + 12 : NULL;
}

size_t nm_unescape(const char **p, const char *end, char out[4])
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *s = *p, *letter;
	size_t len;
	long c;

	if (s[0] != '\\') {
		len = nm_utf8_len(s, (size_t)(end - s));
		memcpy(out, s, len);
		*p = s + len;
		return len;
	}
	if (s[1] != 'u') {
		letter = strchr(from, s[1]);
		out[0] = letter ? to[letter - from] : s[1];
		*p = s + 2;
		return 1;
	}
	c = unicode_escape(s, end);
	*p = s + 6;
	if (is_high_surrogate(c)) {
		c = 0x10000 + ((c - 0xd800) << 10) +
		    (unicode_escape(s + 6, end) - 0xdc00);
		*p = s + 12;
	}
	return nm_utf8_put(out, (uint32_t)c);
}
