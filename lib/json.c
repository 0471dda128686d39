// SPDX-License-Identifier: MIT
/*
 * Writing records: flat JSON objects, one per line.
 */
#include <string.h>

#include "json.h"
#include "text.h"

/* The largest integer up to which a double holds every one. */
#define INTEGER_MAX (UINT64_C(1) << 53)

/* For bytes that are not UTF-8, and for NUL, which many readers refuse. */
#define REPLACEMENT "\xef\xbf\xbd"

/* The decimal digits of a number below 2^53 and some more. */
#define DIGITS_MAX 20

void nm_json_put_u64(struct nm_buf *b, uint64_t value)
{
	uint64_t least = 10;
	size_t n = 1;
	char *end;

	if (value > INTEGER_MAX)
		value = INTEGER_MAX;
	for (; value >= least; least *= 10)
		n++;
	nm_buf_reserve(b, DIGITS_MAX);
	end = b->data + b->len + n;
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	b->len += n;
}

static void add_escape(struct nm_buf *b, unsigned char c)
{
	static const char letters[] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
		['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'
	};

	nm_buf_putc(b, '\\');
	if (c < sizeof(letters) && letters[c])
		nm_buf_putc(b, letters[c]);
	else
		nm_buf_printf(b, "u%04x", c);
}

/*
 * DEL and the C1 controls (U+0080..U+009F) need no escape in JSON, but a
 * terminal that a record is printed on would obey them.
 */
static bool is_c1(const char *s)
{
	return (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0;
}

void nm_json_quote(struct nm_buf *b, const char *value, size_t n)
{
	size_t from, i, len;
	unsigned char c;

	nm_buf_putc(b, '"');
	/* from..i are bytes that can be taken as they are. */
	for (from = i = 0; i < n; i += len) {
		c = (unsigned char)value[i];
		len = 1;
		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			continue;
		if (c >= 0x80) {
			len = nm_utf8_len(value + i, n - i);
			if (len && !is_c1(value + i))
				continue;
		}
		nm_buf_add(b, value + from, i - from);
		if (c == 0 || len == 0)
			nm_buf_puts(b, REPLACEMENT);
		else
			add_escape(b,
				   len == 2 ? (unsigned char)value[i + 1] : c);
		len = len ? len : 1;
		from = i + len;
	}
	nm_buf_add(b, value + from, i - from);
	nm_buf_putc(b, '"');
}

void nm_json_open(struct nm_buf *b, const char *type, uint64_t ts_us)
{
	nm_buf_puts(b, "{\"v\":1,\"type\":\"");
	nm_buf_puts(b, type);
	nm_buf_puts(b, "\"");
	nm_json_u64(b, "ts_us", ts_us);
}

void nm_json_strn(struct nm_buf *b, const char *key, const char *value,
		  size_t n)
{
	if (!n)
		return;
	nm_json_key(b, key);
	nm_json_quote(b, value, n);
}

void nm_json_hex(struct nm_buf *b, const char *key, uint64_t value)
{
	static const char hex[] = "0123456789abcdef";
	char digits[16];
	size_t at = sizeof(digits);

	do {
		digits[--at] = hex[value & 15];
		value >>= 4;
	} while (value);
	nm_json_key(b, key);
	nm_buf_putc(b, '"');
	nm_buf_add(b, digits + at, sizeof(digits) - at);
	nm_buf_putc(b, '"');
}

void nm_json_bool(struct nm_buf *b, const char *key, bool value)
{
	nm_json_key(b, key);
	nm_buf_puts(b, value ? "true" : "false");
}

void nm_json_close(struct nm_buf *b)
{
	nm_buf_add(b, "}\n", 2);
}
