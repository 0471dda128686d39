// SPDX-License-Identifier: MIT
/*
 * Scanner and jansson agree (tests/fuzz/agree.h), on inputs that are the same
 * in every run: half made from JSON's grammar, half of these spoiled.
 */
#include "../fuzz/agree.h"
#include "buf.h"

#define INPUTS 100003

static uint64_t state = 23;

/* xorshift64 (Marsaglia, 2003). */
static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % n;
}

static void put_space(struct nm_buf *b)
{
	static const char space[] = " \t\n\r";

	while (!below(12))
		nm_buf_putc(b, space[below(4)]);
}

static void put_string(struct nm_buf *b)
{
	static const char *const part[] = {
		"v",
		"type",
		"ts_us",
		"a",
		"plain",
		"longer than a word",
		"flow",
		"tick",
		"\\n",
		"\\\"",
		"\\\\",
		"\\/",
		"\\u0041",
		"\\u00e9",
		"\\u20ac",
		"\\ud83d\\ude00",
		"\xc3\xa9",
		"\x7f",
		"\xe2\x82\xac",
		"\xf0\x9f\x98\x80",
		"]}",
		"\\ud83d",
		"\\ude00",
		"\\u0000",
		"\xff",
		"\t",
		"\\x",
		"\xc3",
	};
	/* Those that spoil a string are last; take them seldom. */
	const uint32_t all = sizeof(part) / sizeof(*part), good = all - 7;

	nm_buf_putc(b, '"');
	while (below(3))
		nm_buf_puts(b, part[below(below(40) ? good : all)]);
	nm_buf_putc(b, '"');
}

static void put_value(struct nm_buf *b, int depth);

static void put_object(struct nm_buf *b, int depth)
{
	uint32_t keys = below(9);

	nm_buf_putc(b, '{');
	for (uint32_t i = 0; i < keys; i++) {
		put_space(b);
		if (i)
			nm_buf_putc(b, ',');
		put_space(b);
		if (below(3))
			nm_buf_printf(b, "\"k%u\"", below(30));
		else
			put_string(b);
		put_space(b);
		nm_buf_putc(b, ':');
		put_space(b);
		put_value(b, depth);
	}
	put_space(b);
	nm_buf_putc(b, '}');
}

static void put_value(struct nm_buf *b, int depth)
{
	static const char *const literal[] = {
		"true",
		"false",
		"null",
		"0",
		"-0",
		"7",
		"-1",
		"1.5",
		"2e3",
		"0.1E-7",
		"1e+300",
		"-1.25e99",
		"9007199254740993",
		"999999999999999999",
		"9223372036854775807",
		"-9223372036854775808",
		"9223372036854775808",
		"1e308",
		"1e309",
		"123456789012345678901234567890",
		"01",
		"1.",
		".5",
		"-",
		"+1",
		"1e",
		"tru",
		"nan",
	};
	const uint32_t all = sizeof(literal) / sizeof(*literal), good = 16;
	bool nested = depth < 4 && !below(4);
	uint32_t what = below(8);

	if (what == 0 && nested) {
		put_object(b, depth + 1);
	} else if (what == 1 && nested) {
		nm_buf_putc(b, '[');
		put_value(b, depth + 1);
		nm_buf_putc(b, ']');
	} else if (what < 3) {
		put_string(b);
	} else if (what < 5) {
		nm_buf_puts(b, literal[below(below(40) ? good : all)]);
	} else {
		nm_buf_printf(b, "%u", below(1000000000));
	}
}

/* Changes, removes, doubles or swaps a few bytes. */
static void spoil(struct nm_buf *b)
{
	static const char bytes[] =
		"\"\\{}[],:.-+eE019tfnu \t\r\n\0\x1f\x7f\xff";
	uint32_t times = 1 + below(3), at, n;

	while (times-- && b->len > 1) {
		at = below((uint32_t)b->len);
		switch (below(4)) {
		case 0:
			b->data[at] = bytes[below(sizeof(bytes))];
			break;
		case 1:
			b->data[at] = (char)below(256);
			break;
		case 2:
			n = 1 + below((uint32_t)b->len - at);
			memmove(b->data + at, b->data + at + n,
				b->len - at - n);
			b->len -= n;
			break;
		case 3:
			n = 1 + below((uint32_t)b->len - at);
			nm_buf_reserve(b, n);
			memmove(b->data + at + n, b->data + at, b->len - at);
			b->len += n;
			break;
		}
	}
}

int main(void)
{
	struct nm_buf b = { 0 };
	unsigned int taken = 0;
	static struct nm_record r;

	for (int i = 0; i < INPUTS; i++) {
		b.len = 0;
		put_object(&b, 0);
		if (i % 2)
			spoil(&b);
		agree(b.data, b.len);
		taken += nm_scan_flat(&r, b.data, b.len, NM_FROM_OUTSIDE);
	}
	/* An agreement that nothing is JSON would be worth nothing. */
	if (taken < INPUTS / 5 || taken > INPUTS * 4 / 5) {
		fprintf(stderr, "%u of %d inputs were flat\n", taken, INPUTS);
		return 1;
	}
	nm_buf_free(&b);
	return 0;
}
