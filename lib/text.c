// SPDX-License-Identifier: MIT
/*
 * UTF-8 as it may be in the stream, and strings made safe for a terminal.
 */
#include <ctype.h>
#include <err.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "text.h"

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t nm_utf8_len(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;

	if (!n)
		return 0;
	if (u[0] < 0x80)
		return 1;
	/* 0xc0 and 0xc1 could only begin an overlong form. */
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	if (n < 2 || !is_continuation(u[1]))
		return 0;
	if (u[0] < 0xe0)
		return 2;
	if (n < 3 || !is_continuation(u[2]))
		return 0;
	if (u[0] < 0xf0) {
		if (u[0] == 0xe0 && u[1] < 0xa0) /* overlong */
			return 0;
		if (u[0] == 0xed && u[1] > 0x9f) /* surrogate */
			return 0;
		return 3;
	}
	if (n < 4 || !is_continuation(u[3]))
		return 0;
	if (u[0] == 0xf0 && u[1] < 0x90) /* overlong */
		return 0;
	if (u[0] == 0xf4 && u[1] > 0x8f) /* above U+10FFFF */
		return 0;
	return 4;
}

bool nm_utf8_valid(const char *s, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i += len) {
		len = nm_utf8_len(s + i, n - i);
		if (!len)
			return false;
	}
	return true;
}

/* The character of `len` bytes at s, which nm_utf8_len has looked at. */
static uint32_t decode(const char *s, size_t len)
{
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c = u[0] & first_bits[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | (u[i] & 0x3f);
	return c;
}

size_t nm_utf8_put(char out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/*
 * Unicode's Bidi_Control characters: with them a name can be shown in another
 * order than it is read ("Trojan Source", CVE-2021-42574).
 */
static bool is_bidi_control(uint32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Columns of a character; below 1 it cannot be shown by itself. */
static int columns_of(uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	if (is_bidi_control(c))
		return 0;
	return wcwidth((wchar_t)c);
}

void nm_clean(char *out, size_t size, const char *s)
{
	size_t n = strlen(s), used = 0, len;

	if (!size)
		return;
	for (; n; s += len, n -= len) {
		len = nm_utf8_len(s, n);
		if (len && columns_of(decode(s, len)) > 0) {
			if (used + len >= size)
				break;
			memcpy(out + used, s, len);
			used += len;
		} else {
			if (used + 1 >= size)
				break;
			out[used++] = '?';
			len = len ? len : 1;
		}
	}
	out[used] = '\0';
}

void nm_cmdline(char *text, size_t n, size_t limit)
{
	static const char more[] = "…";
	size_t to = 0, len;

	while (n && !text[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	text[n] = '\0';
	if (n <= limit)
		return;
	while (to < limit) {
		len = nm_utf8_len(text + to, n - to);
		if (to + (len ? len : 1) > limit)
			break;
		to += len ? len : 1;
	}
	memcpy(text + to, more, sizeof(more));
}

size_t nm_clip(const char *s, size_t columns, size_t *used)
{
	size_t n = strlen(s), taken = 0, bytes = 0, len;
	int width;

	while (bytes < n) {
		len = nm_utf8_len(s + bytes, n - bytes);
		width = len ? columns_of(decode(s + bytes, len)) : 1;
		if (width < 0)
			width = 0;
		if (taken + (size_t)width > columns)
			break;
		taken += (size_t)width;
		bytes += len ? len : 1;
	}
	if (used)
		*used = taken;
	return bytes;
}

size_t nm_width(const char *s)
{
	size_t used;

	nm_clip(s, SIZE_MAX, &used);
	return used;
}

bool nm_is_host_name(const char *s)
{
	for (const char *c = s; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return false;
	return s[0] && s[0] != '.';
}

double nm_strtod(const char *s, char **end)
{
	static locale_t c_locale;

	if (!c_locale) {
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
		if (!c_locale)
			err(1, "cannot use the C locale");
	}
	return strtod_l(s, end, c_locale);
}
