// SPDX-License-Identifier: MIT
/*
 * By three bytes, which are four characters.
 */
#include "base64.h"

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void nm_base64_put(struct nm_buf *b, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t three = (uint32_t)bytes[i] << 16 |
				 (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
				 (left > 2 ? bytes[i + 2] : 0);

		nm_buf_putc(b, digits[three >> 18]);
		nm_buf_putc(b, digits[three >> 12 & 63]);
		nm_buf_putc(b, left > 1 ? digits[three >> 6 & 63] : '=');
		nm_buf_putc(b, left > 2 ? digits[three & 63] : '=');
	}
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int nm_base64_decode(const char *text, size_t n, uint8_t *out, size_t size)
{
	size_t bytes = 0, bits = 0;
	uint32_t held = 0;

	if (n % 4)
		return -1;
	for (int pad = 0; n && pad < 2 && text[n - 1] == '='; pad++)
		n--;
	for (size_t i = 0; i < n; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return -1;
		held = held << 6 | (uint32_t)value;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (bytes == size)
			return -1;
		out[bytes++] = (uint8_t)(held >> bits);
	}
	return (int)bytes;
}
