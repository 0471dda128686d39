// SPDX-License-Identifier: MIT
/*
 * lib/toml: what is TOML and what it means, what is not and why. Then documents
 * that are cut short at each byte, or spoiled in ways that are the same in
 * every run: those must not do harm, and what is TOML can be written and read
 * again (tests/fuzz/again.h).
 */
#include "toml.h"

#include "../fuzz/again.h"
#include "check.h"

#define SPOILED 100003

struct text_case {
	const char *toml, *shown;
};

#define HOUSE "[a]\nb.c = 1\nb.d = {e = [\"x\", 2.5]}\n[[f]]\ng = 07:32:00\n"

static const struct text_case valid[] = {
	{ "", "" },
	{ "# only a comment", "" },
	{ "\xef\xbb\xbf"
	  "a = 1",
	  "\"a\"=1\n" },
	{ "a=1\r\nb=2\r\n", "\"a\"=1\n\"b\"=2\n" },
	/* Keys. */
	{ "-_1 = 1", "\"-_1\"=1\n" },
	{ "'' = 1", "\"\"=1\n" },
	{ "\"a.b\" . 'c' = 1", "\"a.b\"={\"c\"=1}\n" },
	{ "1.2 = 3", "\"1\"={\"2\"=3}\n" },
	{ "a.b=1\na.c=2", "\"a\"={\"b\"=1,\"c\"=2}\n" },
	/* Tables. */
	{ HOUSE, "\"a\"={\"b\"={\"c\"=1,\"d\"={\"e\"=[\"x\",2.5]}}}\n"
		 "\"f\"=[{\"g\"=07:32:00}]\n" },
	{ "[a.b]\n[a]\nc=1", "\"a\"={\"b\"={},\"c\"=1}\n" },
	{ "[a]\nb.c=1\n[a.b.d]", "\"a\"={\"b\"={\"c\"=1,\"d\"={}}}\n" },
	{ "[[a]]\nb=1\n[[a]]\n[a.c]\nd=2", "\"a\"=[{\"b\"=1},{\"c\"={"
					   "\"d\"=2}}]\n" },
	{ "[ a . 'b c' ] # why", "\"a\"={\"b c\"={}}\n" },
	/* Arrays and tables on one line. */
	{ "a = [\n1, # one\n2,\n]", "\"a\"=[1,2]\n" },
	{ "a = [[], [1, '2'], {}]", "\"a\"=[[],[1,\"2\"],{}]\n" },
	{ "a = { b.c = 1, b.d = 2 }", "\"a\"={\"b\"={\"c\"=1,\"d\"=2}}\n" },
	/* Strings. */
	{ "a = \"\\b\\t\\n\\f\\r\\\"\\\\\\u00e9\\U0001F600\"",
	  "\"a\"=\"\\u0008\\u0009\\u000a\\u000c\\u000d\\u0022\\u005c\xc3\xa9"
	  "\xf0\x9f\x98\x80\"\n" },
	{ "a = '\\n\"'", "\"a\"=\"\\u005cn\\u0022\"\n" },
	{ "a = \"\"\"\r\n1\r\n2\"\"\"", "\"a\"=\"1\\u000a2\"\n" },
	{ "a = \"\"\"1 \\  \n\n\t 2\"\"\"", "\"a\"=\"1 2\"\n" },
	{ "a = \"\"\"\"\"1\"\"\"\"\"", "\"a\"=\"\\u0022\\u00221\\u0022"
				       "\\u0022\"\n" },
	{ "a = '''\\\n'''''", "\"a\"=\"\\u005c\\u000a''\"\n" },
	{ "a = \"\\u0000\"", "\"a\"=\"\\u0000\"\n" },
	/* Integers. */
	{ "a=[+1_0, -0, 0xFf_f, 0o17, 0b1_1]", "\"a\"=[10,0,4095,15,3]\n" },
	{ "a=[9223372036854775807, -9223372036854775808]",
	  "\"a\"=[9223372036854775807,-9223372036854775808]\n" },
	/* Floats. */
	{ "a=[1.0, -0.5, 1e3, 1E-2, 1_0.2_5e+01, -0.0]",
	  "\"a\"=[1.0,-0.5,1000.0,0.01,102.5,-0.0]\n" },
	{ "a=[inf, +inf, -inf, nan]", "\"a\"=[inf,inf,-inf,nan]\n" },
	{ "a=[true, false]", "\"a\"=[true,false]\n" },
	/* Dates and times. */
	{ "a=[1979-05-27T07:32:00Z, 1979-05-27 07:32:00.5-07:00]",
	  "\"a\"=[1979-05-27T07:32:00Z,1979-05-27T07:32:00.5-07:00]\n" },
	{ "a=[1979-05-27t00:00:00z, 1979-05-27 23:59:60]",
	  "\"a\"=[1979-05-27T00:00:00Z,1979-05-27T23:59:60]\n" },
	{ "a=[2000-02-29, 2024-02-29, 07:32:00.123456789]",
	  "\"a\"=[2000-02-29,2024-02-29,07:32:00.123456789]\n" },
	{ "a = 1979-05-27 # the day", "\"a\"=1979-05-27\n" },
};

#define NO_KEY "a key is missing here (one of other letters than A-Z is quoted)"

static const struct text_case invalid[] = {
	{ "a", "1:2: '=' is missing behind the key" },
	{ "a =", "1:4: a value is missing here" },
	{ "a = # b", "1:5: a value is missing here" },
	{ "= 1", "1:1: " NO_KEY },
	{ "a. = 1", "1:4: " NO_KEY },
	{ "\xc3\xa9 = 1", "1:1: " NO_KEY },
	{ "a = 1 b = 2", "1:7: the line should end here" },
	{ "a = 1\rb = 2", "1:6: the line should end here" },
	{ "\n\na = 'x\xff'", "3:7: not UTF-8" },
	{ "a = '\xc3\xa9\x01'", "1:7: U+0001 is not allowed in a string" },
	{ "# \x7f", "1:3: U+007F is not allowed in a comment" },
	/* Defined again. */
	{ "a=1\n\na=2", "3:1: 'a' is an integer already, since line 1" },
	{ "a=1\na.b=2", "2:1: 'a' is an integer already, since line 1" },
	{ "[a]\n[b]\n[a]", "3:2: 'a' is a table already, since line 1" },
	{ "[a]\nb.c=1\n[a.b]", "3:2: 'b' is a table already, since line 2" },
	{ "[a.b]\n[a]\nb.c=1", "3:1: 'b' is a table already, since line 1" },
	{ "a={}\n[a.b]", "2:2: 'a' is a table already, since line 1" },
	{ "a={}\na.b=1", "2:1: 'a' is a table already, since line 1" },
	{ "a={b={},b.c=1}", "1:9: 'b' is a table already, since line 1" },
	{ "a=[]\n[[a]]", "2:3: 'a' is an array already, since line 1" },
	{ "[[a]]\n[a]", "2:2: 'a' is an array already, since line 1" },
	{ "[a]\n[[a]]", "2:3: 'a' is a table already, since line 1" },
	{ "[[a]]\n[a.b]\n[a.b]", "3:2: 'b' is a table already, since line 2" },
	/* Tables and arrays. */
	{ "[a", "1:3: ']' is missing behind the table's name" },
	{ "[[a]", "1:4: ']]' is missing behind the table's name" },
	{ "[]", "1:2: " NO_KEY },
	{ "a=[1 2]", "1:6: ',' or ']' is missing in an array" },
	{ "a=[,]", "1:4: a value is missing here" },
	{ "a={b=1,}", "1:8: " NO_KEY },
	{ "a={b=1\n}", "1:7: ',' or '}' is missing in a table on one line" },
	/* Strings. */
	{ "a=\"b\n\"", "1:5: the string does not end on its line" },
	{ "a=\"\"\"b\"\"\"\"\"\"", "1:12: the line should end here" },
	{ "a=\"\"\"\nb\n", "3:1: the string of line 1 does not end" },
	{ "a=\"\\x41\"", "1:4: a backslash is written '\\\\', or the string "
			 "between single quotes" },
	{ "a=\"\\u12g4\"", "1:8: '\\u' is followed by 4 digits of base 16" },
	{ "a=\"\\uD800\"", "1:4: U+D800 is no character" },
	{ "a=\"\\U00110000\"", "1:4: U+110000 is no character" },
	/* Numbers. */
	{ "a=01", "1:3: a number does not begin with a 0" },
	{ "a=-01.5", "1:3: a number does not begin with a 0" },
	{ "a=1__0", "1:3: '1__0' is no value (a string has quotes)" },
	{ "a=1.", "1:3: '1.' is no value (a string has quotes)" },
	{ "a=.5", "1:3: '.5' is no value (a string has quotes)" },
	{ "a=1e", "1:3: '1e' is no value (a string has quotes)" },
	{ "a=0x", "1:3: '0x' is no value (a string has quotes)" },
	{ "a=-0x1", "1:3: '-0x1' is no value (a string has quotes)" },
	{ "a=0b2", "1:3: '0b2' is no value (a string has quotes)" },
	{ "a=True", "1:3: 'True' is no value (a string has quotes)" },
	{ "a=9223372036854775808", "1:3: an integer of more than 64 bits" },
	{ "a=0x8000000000000000", "1:3: an integer of more than 64 bits" },
	{ "a=1e999", "1:3: a float that is too large" },
	/* Dates and times. */
	{ "a=2023-02-29", "1:3: '2023-02-29' is no date or time" },
	{ "a=1900-02-29", "1:3: '1900-02-29' is no date or time" },
	{ "a=2023-13-01", "1:3: '2023-13-01' is no date or time" },
	{ "a=2023-04-31", "1:3: '2023-04-31' is no date or time" },
	{ "a=24:00:00", "1:3: '24:00:00' is no date or time" },
	{ "a=07:32", "1:3: '07:32' is no date or time" },
	{ "a=07:32:00.", "1:3: '07:32:00.' is no date or time" },
	{ "a=07:32:00Z", "1:3: '07:32:00Z' is no date or time" },
	{ "a=2023-01-01 1", "1:3: '2023-01-01 1' is no date or time" },
	{ "a=2023-01-01T07:32:00+24:00",
	  "1:3: '2023-01-01T07:32:00+24:00' is no date or time" },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void check_case(const struct text_case *c, const char *end)
{
	struct nm_buf b = again_read(c->toml, strlen(c->toml)), want = { 0 };

	nm_buf_printf(&want, "%s%s", c->shown, end);
	nm_buf_putc(&want, '\0');
	nm_buf_reserve(&b, 1);
	if (!CHECK_BYTES(b.data, b.len, want.data))
		fprintf(stderr, "for '%s'\n", c->toml);
	nm_buf_free(&want);
	nm_buf_free(&b);
}

/* "[[[…" as deep as asked. */
static bool nests(const char *before, const char *open, int times,
		  const char *last)
{
	struct nm_buf b = { 0 };
	bool good;

	nm_buf_puts(&b, before);
	for (int i = 0; i < times; i++)
		nm_buf_puts(&b, open);
	nm_buf_puts(&b, last);
	for (int i = 0; i < times && *open == '['; i++)
		nm_buf_putc(&b, ']');
	good = again(b.data, b.len);
	nm_buf_free(&b);
	return good;
}

static void check_depth(void)
{
	CHECK(nests("a = ", "[", NM_TOML_DEPTH_MAX, ""));
	CHECK(!nests("a = ", "[", NM_TOML_DEPTH_MAX, "1"));
	CHECK(!nests("a = ", "[", 1000003, ""));
	CHECK(nests("", "a.", NM_TOML_DEPTH_MAX - 1, "a=1"));
	CHECK(!nests("", "a.", NM_TOML_DEPTH_MAX, "a=1"));
	CHECK(!nests("", "a.", 1000003, "a=1"));
	CHECK(!nests("a=", "{a=", 1000003, "1"));
}

static void check_access(void)
{
	static const char text[] =
		"# x\n[a]\n\nb = '''\n\n'''\nc = [\n1,\n2]\n";
	struct nm_toml_error e;
	struct nm_toml *root = nm_toml_parse(text, strlen(text), &e), *a, *c;

	a = nm_toml_get(root, "a");
	CHECK(a && a->kind == NM_TOML_TABLE && a->line == 2);
	CHECK(!nm_toml_get(root, "b") && !nm_toml_get(a, "a"));
	CHECK(nm_toml_get(a, "b")->line == 4);
	c = nm_toml_get(a, "c");
	CHECK(c->line == 7 && c->list.first->line == 8);
	CHECK(c->list.first->next == c->list.last);
	CHECK(c->list.last->integer == 2 && c->list.last->line == 9);
	nm_toml_free(root);
}

static uint64_t state = 29;

/* xorshift64 (Marsaglia, 2003). */
static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % n;
}

static const char *any_valid(void)
{
	return valid[below(COUNT(valid))].toml;
}

/* Two that are valid, one behind the other, with some bytes changed. */
static void spoil(struct nm_buf *b)
{
	static const char marks[] = "[]{}=.,#\"'\\\n\r _-+:0e\xef\x01";

	b->len = 0;
	nm_buf_puts(b, any_valid());
	nm_buf_putc(b, '\n');
	nm_buf_puts(b, any_valid());
	for (uint32_t n = below(4); n && b->len; n--) {
		uint32_t at = below((uint32_t)b->len);

		if (below(2))
			b->data[at] = marks[below(sizeof(marks))];
		else
			memmove(b->data + at, b->data + at + 1, --b->len - at);
	}
}

static void check_spoiled(void)
{
	unsigned int good = 0;
	struct nm_buf b = { 0 };

	for (int i = 0; i < SPOILED; i++) {
		spoil(&b);
		good += again(b.data, b.len);
	}
	/* Enough of both kinds, or it would say little. */
	CHECK(good > SPOILED / 10 && good < SPOILED / 10 * 9);
	nm_buf_free(&b);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(valid); i++) {
		size_t len = strlen(valid[i].toml);

		check_case(&valid[i], "");
		CHECK(again(valid[i].toml, len));
		for (size_t n = 0; n < len; n++)
			again(valid[i].toml, n);
	}
	for (size_t i = 0; i < COUNT(invalid); i++)
		check_case(&invalid[i], "\n");
	check_depth();
	check_access();
	check_spoiled();
	return checks_failed > 0;
}
