// SPDX-License-Identifier: MIT
/*
 * lib/text: UTF-8 to the letter of RFC 3629, and strings for terminals.
 */
#include <err.h>
#include <locale.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "text.h"

static void test_utf8(void)
{
	static const struct {
		const char *bytes;
		size_t len;
	} is[] = {
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 },	   /* U+D7FF */
		{ "\xee\x80\x80", 3 },	   /* U+E000 */
		{ "\xef\xbf\xbf", 3 },	   /* U+FFFF */
		{ "\xf0\x90\x80\x80", 4 }, /* U+10000 */
		{ "\xf4\x8f\xbf\xbf", 4 }, /* U+10FFFF */
		{ "\x80", 0 },		   /* a continuation first */
		{ "\xc0\x80", 0 },	   /* overlong NUL */
		{ "\xc1\xbf", 0 },
		{ "\xe0\x9f\xbf", 0 },	   /* overlong */
		{ "\xf0\x8f\xbf\xbf", 0 }, /* overlong */
		{ "\xed\xa0\x80", 0 },	   /* surrogate U+D800 */
		{ "\xed\xbf\xbf", 0 },	   /* surrogate U+DFFF */
		{ "\xf4\x90\x80\x80", 0 }, /* U+110000 */
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },
		{ "\xc2", 0 }, /* cut */
		{ "\xe2\x82", 0 },
		{ "\xf0\x9f\x98", 0 },
		{ "\xe2\x28\xa1", 0 }, /* a continuation is missing */
	};

	for (size_t i = 0; i < sizeof(is) / sizeof(*is); i++) {
		size_t n = strlen(is[i].bytes);

		if (!CHECK(nm_utf8_len(is[i].bytes, n) == is[i].len))
			fprintf(stderr, "  case %zu\n", i);
		CHECK(nm_utf8_valid(is[i].bytes, n) == (is[i].len > 0));
	}
	CHECK(nm_utf8_len("", 0) == 0);
	CHECK(nm_utf8_len("\xe2\x82\xac", 2) == 0);
	CHECK(nm_utf8_valid("", 0));
	CHECK(nm_utf8_len("\0", 1) == 1);
}

static void test_clean(void)
{
	char out[64], small[5];

	nm_clean(out, sizeof(out), "plain, na\xc3\xafve, \xe6\xbc\xa2");
	CHECK_TEXT(out, "plain, na\xc3\xafve, \xe6\xbc\xa2");
	nm_clean(out, sizeof(out), "a\x1b[31mred\a\x7f\n");
	CHECK_TEXT(out, "a?[31mred???");
	nm_clean(out, sizeof(out), "c1 \xc2\x9b, bad \xff\xc3");
	CHECK_TEXT(out, "c1 ?, bad ??");
	nm_clean(out, sizeof(out), "bidi \xe2\x80\xae|\xe2\x81\xa6|\xd8\x9c");
	CHECK_TEXT(out, "bidi ?|?|?");
	nm_clean(out, sizeof(out), "zero \xe2\x80\x8b, accent e\xcc\x81");
	CHECK_TEXT(out, "zero ?, accent e?");

	nm_clean(small, sizeof(small), "ab\xe6\xbc\xa2");
	CHECK_TEXT(small, "ab");
	nm_clean(small, sizeof(small), "a\xe6\xbc\xa2");
	CHECK_TEXT(small, "a\xe6\xbc\xa2");
	nm_clean(small, 1, "abc");
	CHECK_TEXT(small, "");
	small[0] = 'x';
	nm_clean(small, 0, "abc");
	CHECK(small[0] == 'x');
}

/* The n bytes, cut to limit, are `is`. */
static void check_cmdline(const char *bytes, size_t n, size_t limit,
			  const char *is)
{
	char text[64];

	memset(text, 'x', sizeof(text));
	memcpy(text, bytes, n);
	nm_cmdline(text, n, limit);
	CHECK_TEXT(text, is);
	CHECK(text[n + NM_CMDLINE_ROOM] == 'x');
}

static void test_cmdline(void)
{
	check_cmdline("curl\0-s\0url", 12, 64, "curl -s url");
	check_cmdline("curl\0\0\0x\0\0\0", 11, 8, "curl   x");
	check_cmdline("curl\0\0\0x\0\0\0", 11, 7, "curl   …");
	check_cmdline("a\0b", 4, 3, "a b");
	check_cmdline("a\0b", 3, 3, "a b");
	check_cmdline("a\0b", 3, 1, "a…");
	check_cmdline("\0\0", 2, 1, "");
	check_cmdline("", 0, 1, "");
	check_cmdline("a\xe6\xbc\xa2", 4, 4, "a\xe6\xbc\xa2");
	check_cmdline("a\xe6\xbc\xa2", 4, 3, "a…");
	check_cmdline("\xe6\xbc\xa2", 3, 2, "…");
	check_cmdline("a\xff\xff", 3, 2, "a\xff…");
}

static void test_width(void)
{
	size_t used;

	CHECK(nm_width("") == 0);
	CHECK(nm_width("abc") == 3);
	CHECK(nm_width("na\xc3\xafve") == 5);
	CHECK(nm_width("\xe6\xbc\xa2\xe5\xad\x97") == 4);

	CHECK(nm_clip("abcdef", 4, &used) == 4 && used == 4);
	CHECK(nm_clip("abc", 4, &used) == 3 && used == 3);
	CHECK(nm_clip("a\xe6\xbc\xa2\xe5\xad\x97", 4, &used) == 4 && used == 3);
	CHECK(nm_clip("\xe6\xbc\xa2", 1, &used) == 0 && used == 0);
	CHECK(nm_clip("abc", 0, NULL) == 0);
}

static void test_strtod(void)
{
	char *end;

	CHECK(nm_strtod("2.5 s", &end) == 2.5 && *end == ' ');
	CHECK(nm_strtod("1e3}", NULL) == 1000);
	CHECK(nm_strtod("x", &end) == 0 && *end == 'x');
}

int main(void)
{
	if (!setlocale(LC_ALL, "C.UTF-8"))
		errx(1, "there is no locale C.UTF-8");
	test_utf8();
	test_clean();
	test_cmdline();
	test_width();
	test_strtod();
	return checks_failed > 0;
}
