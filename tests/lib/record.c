// SPDX-License-Identifier: MIT
/*
 * lib/record: what is read, refused, added, dropped and written. That scanner
 * and jansson agree on any input is in agree.c.
 */
#include "check.h"
#include "record.h"

static struct nm_record r;

static const char *scan(const char *line)
{
	return nm_record_scan(&r, line, strlen(line));
}

static void leaves_as(const char *wanted)
{
	struct nm_buf out = { 0 };

	nm_record_write(&r, &out);
	CHECK(out.len > 0 && out.data[out.len - 1] == '\n');
	CHECK_BYTES(out.data, out.len - 1, wanted);
	nm_buf_free(&out);
}

static void test_types(void)
{
	static const char *const line[] = {
		[NM_TYPE_OTHER] = "{\"type\":\"flows\",\"ts_us\":0}",
		[NM_TYPE_START] = "{\"type\":\"start\",\"ts_us\":1}",
		[NM_TYPE_FLOW] = "{\"type\":\"flow\",\"ts_us\":2}",
		[NM_TYPE_TICK] = "{\"ts_us\":3,\"type\":\"tick\"}",
		[NM_TYPE_DNS] = "{\"type\":\"dns\",\"ts_us\":4}",
		[NM_TYPE_EVENT] = "{\"type\":\"event\",\"ts_us\":5}",
		[NM_TYPE_ALERT] = "{\"type\":\"alert\",\"ts_us\":6}",
		[NM_TYPE_ACTION] = "{\"type\":\"acti\\u006fn\",\"ts_us\":7}",
		[NM_TYPE_NOTICE] = "{\"t\\u0079pe\":\"notice\",\"ts_us\":8}",
	};

	for (unsigned int i = 0; i < sizeof(line) / sizeof(*line); i++) {
		CHECK(!scan(line[i]));
		CHECK(r.type == (enum nm_type)i);
		CHECK(r.ts_us == i);
	}
	CHECK(!scan("{}"));
	CHECK(r.type == NM_TYPE_OTHER && r.ts_us == 0 && r.fields == 0);
	CHECK(!scan("{\"type\":7,\"ts_us\":\"7\"}"));
	CHECK(r.type == NM_TYPE_OTHER && r.ts_us == 0);
	CHECK(!scan("{\"ts_us\":-7}") && r.ts_us == 0);
	CHECK(!scan("{\"ts_us\":1795470001000123}"));
	CHECK(r.ts_us == 1795470001000123);
}

static void test_numbers(void)
{
	uint64_t u = 99;
	double d = 99;

	CHECK(!scan("{\"a\":0,\"b\":-1,\"c\":9223372036854775807,\"d\":1.5,"
		    "\"e\":2e3,\"f\":\"7\",\"g\":-2.5E-1,\"h\":-0}"));
	CHECK(nm_get_u64(&r, "a", &u) && u == 0);
	CHECK(nm_get_u64(&r, "c", &u) && u == INT64_MAX);
	u = 99;
	CHECK(!nm_get_u64(&r, "b", &u) && !nm_get_u64(&r, "d", &u));
	CHECK(!nm_get_u64(&r, "e", &u) && !nm_get_u64(&r, "f", &u));
	CHECK(!nm_get_u64(&r, "none", &u) && u == 99);
	CHECK(nm_get_double(&r, "a", &d) && d == 0);
	CHECK(nm_get_double(&r, "b", &d) && d == -1);
	CHECK(nm_get_double(&r, "d", &d) && d == 1.5);
	CHECK(nm_get_double(&r, "e", &d) && d == 2000);
	CHECK(nm_get_double(&r, "g", &d) && d == -0.25);
	CHECK(nm_get_double(&r, "h", &d) && d == 0);
	d = 99;
	CHECK(!nm_get_double(&r, "f", &d) && !nm_get_double(&r, "x", &d));
	CHECK(d == 99);

	CHECK(!scan("{\"small\":-9223372036854775808,\"real\":1.5e+300}"));
	CHECK(nm_get_double(&r, "small", &d) && d == -0x1p63);
	CHECK(nm_get_double(&r, "real", &d) && d == 1.5e300);
	CHECK_TEXT(scan("{\"a\":9223372036854775808}"), "number too big");
	CHECK_TEXT(scan("{\"a\":-9223372036854775809}"), "number too big");
	CHECK_TEXT(scan("{\"a\":1e309}"), "number too big");
}

static void test_booleans(void)
{
	CHECK(!scan("{\"t\":true,\"f\":false,\"n\":null,\"s\":\"true\"}"));
	CHECK(nm_get_true(&r, "t"));
	CHECK(!nm_get_true(&r, "f") && !nm_get_true(&r, "n"));
	CHECK(!nm_get_true(&r, "s") && !nm_get_true(&r, "none"));
	CHECK(nm_find(&r, "n")->kind == NM_NULL);
}

static void test_strings(void)
{
	char out[32], small[4];

	CHECK(!scan("{\"plain\":\"curl\",\"empty\":\"\",\"n\":1,"
		    "\"all\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\","
		    "\"uni\":\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\","
		    "\"raw\":\"\xc3\xa9\xe2\x82\xac\"}"));
	CHECK(nm_get_str(&r, "plain", out, sizeof(out)));
	CHECK_TEXT(out, "curl");
	CHECK(nm_get_str(&r, "empty", out, sizeof(out)));
	CHECK_TEXT(out, "");
	CHECK(nm_get_str(&r, "all", out, sizeof(out)));
	CHECK_TEXT(out, "\"\\/\b\f\n\r\t");
	CHECK(nm_get_str(&r, "uni", out, sizeof(out)));
	CHECK_TEXT(out, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	CHECK(!nm_get_str(&r, "n", out, sizeof(out)));
	CHECK_TEXT(out, "");
	strcpy(out, "x");
	CHECK(!nm_get_str(&r, "none", out, sizeof(out)));
	CHECK_TEXT(out, "");

	CHECK(nm_get_str(&r, "plain", small, sizeof(small)));
	CHECK_TEXT(small, "cur");
	CHECK(nm_get_str(&r, "raw", small, sizeof(small)));
	CHECK_TEXT(small, "\xc3\xa9"); /* no half character */
	CHECK(nm_get_str(&r, "raw", small, 1));
	CHECK_TEXT(small, "");

	CHECK(nm_is(&r, "plain", "curl"));
	CHECK(!nm_is(&r, "plain", "cur") && !nm_is(&r, "plain", "curls"));
	CHECK(!nm_is(&r, "plain", "") && nm_is(&r, "empty", ""));
	CHECK(nm_is(&r, "uni", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
	CHECK(!nm_is(&r, "n", "1") && !nm_is(&r, "none", ""));
}

static void test_bad_lines(void)
{
	static const char *const line[] = {
		"",
		" ",
		"x",
		"{",
		"}",
		"[]",
		"7",
		"\"a\"",
		"null",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{,}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":1}}",
		"{\"a\":1} {}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":01}",
		"{\"a\":+1}",
		"{\"a\":-}",
		"{\"a\":1.}",
		"{\"a\":.5}",
		"{\"a\":1e}",
		"{\"a\":0x10}",
		"{\"a\":NaN}",
		"{\"a\":tru}",
		"{\"a\":truex}",
		"{\"a\":TRUE}",
		"{\"a\":\"b}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\\"}",
		"{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"tab\there\"}",
		"{\"a\":\"\n\"}",
		"\xef\xbb\xbf{}",
		"{\"a\":[1,}",
		"{\"a\":{\"b\":1}",
		"{}\v",
	};

	for (size_t i = 0; i < sizeof(line) / sizeof(*line); i++) {
		const char *wrong = scan(line[i]);

		if (!CHECK(wrong && !strcmp(wrong, "not a JSON object")))
			fprintf(stderr, "  line '%s'\n", line[i]);
		CHECK(r.fields == 0);
	}
	CHECK(!scan("{\"v\":1}"));
	CHECK_TEXT(scan("{\"v\":2}"), "not version 1 of nm-record(5)");
	CHECK_TEXT(scan("{\"v\":\"1\"}"), "not version 1 of nm-record(5)");
	CHECK_TEXT(scan("{\"v\":[]}"), "not version 1 of nm-record(5)");
	CHECK(r.fields == 0);
	CHECK_TEXT(scan("{\"a\":1,\"a\":1}"), "key twice");
	CHECK_TEXT(scan("{\"a\":1,\"\\u0061\":1}"), "key twice");
	CHECK_TEXT(scan("{\"a\":{\"b\":1,\"b\":1}}"), "key twice");
	CHECK_TEXT(scan("{\"a\":\"\xff\"}"), "invalid UTF-8");
	CHECK_TEXT(scan("{\"\xc3\":1}"), "invalid UTF-8");
	CHECK_TEXT(scan("{\"a\":\"\xed\xa0\x80\"}"), "invalid UTF-8");
	CHECK_TEXT(scan("{\"a\":\"\\u0000\"}"), "NUL in a string");
	CHECK_TEXT(scan("{\"\\u0000\":1}"), "NUL in a string");
	CHECK_TEXT(nm_record_scan(&r, "{\"a\":\"\0\"}", 9), "NUL byte");
	CHECK_TEXT(nm_record_scan(&r, "{}\0", 3), "NUL byte");
}

static void test_nesting(void)
{
	static char deep[200002];

	CHECK(!scan("{\"a\": [1, {\"b\": \"]}\\\"\"}], \"c\": 7}"));
	CHECK(r.fields == 2);
	CHECK(nm_find(&r, "a")->kind == NM_NESTED);
	CHECK_BYTES(nm_find(&r, "a")->val.ptr, nm_find(&r, "a")->val.len,
		    "[1,{\"b\":\"]}\\\"\"}]");
	nm_add_bool(&r, "d", true);
	nm_drop(&r, "c");
	leaves_as("{\"a\":[1,{\"b\":\"]}\\\"\"}],\"d\":true}");

	memset(deep, '[', 100000);
	memset(deep + 100000, ']', 100000);
	CHECK_TEXT(scan(deep), "nested too deep");
	memcpy(deep, "{\"a\":", 5);
	CHECK_TEXT(scan(deep), "nested too deep");
	memset(deep, '{', 100000);
	CHECK_TEXT(scan(deep), "not a JSON object");
}

static void test_spelling_is_kept(void)
{
	CHECK(!scan(" {\t\"a\" : 1.50 ,\r\"b\" : \"\\u0041\" } \r"));
	leaves_as("{\t\"a\" : 1.50 ,\r\"b\" : \"\\u0041\" }");
	nm_add_u64(&r, "c", 3);
	leaves_as("{\t\"a\" : 1.50 ,\r\"b\" : \"\\u0041\" ,\"c\":3}");
	CHECK(!scan("{ }"));
	leaves_as("{ }");
	nm_add_u64(&r, "c", 3);
	leaves_as("{ \"c\":3}");
}

static void test_adding(void)
{
	CHECK(!scan("{\"a\":1}"));
	nm_add_str(&r, "s", "x\",\"y\":\"\x1b");
	nm_add_u64(&r, "u", 1);
	nm_add_bool(&r, "b", false);
	nm_add_u64(&r, "a", 2);	    /* was there */
	nm_add_u64(&r, "u", 2);	    /* was added */
	nm_add_u64(&r, "y", 2);	    /* is only text inside a value */
	nm_add_str(&r, "none", ""); /* not known: no key */
	leaves_as("{\"a\":1,\"s\":\"x\\\",\\\"y\\\":\\\"\\u001b\","
		  "\"u\":1,\"b\":false,\"y\":2}");
	CHECK(!scan("{\"a\":1}"));
	leaves_as("{\"a\":1}");
}

static void test_dropping(void)
{
	const char *line = "{\"a\":1, \"b\":\"x\\n\",\"c\" :[2],\"d\":null}";

	CHECK(!scan(line));
	nm_drop(&r, "b");
	nm_drop(&r, "none");
	leaves_as("{\"a\":1,\"c\":[2],\"d\":null}");
	nm_drop(&r, "a");
	nm_drop(&r, "c");
	leaves_as("{\"d\":null}");
	nm_drop(&r, "d");
	leaves_as("{}");
	nm_add_u64(&r, "e", 5);
	nm_add_u64(&r, "f", 6);
	leaves_as("{\"e\":5,\"f\":6}");
	CHECK(!scan("{\"b\":1,\"a\":\"s\"}"));
	nm_drop(&r, "b");
	leaves_as("{\"a\":\"s\"}");
	nm_add_str(&r, "a", "other");
	nm_add_str(&r, "b", "mine");
	nm_add_str(&r, "b", "again");
	leaves_as("{\"a\":\"s\",\"b\":\"mine\"}");
}

/* {"k0":0,"k1":1,…} with so many keys, and the last once more if twice. */
static void many_keys(struct nm_buf *b, unsigned int keys, bool twice)
{
	b->len = 0;
	for (unsigned int i = 0; i < keys; i++)
		nm_buf_printf(b, "%c\"k%u\":%u", i ? ',' : '{', i, i);
	if (twice)
		nm_buf_printf(b, ",\"k%u\":0", keys - 1);
	nm_buf_putc(b, '}');
}

static void test_many_keys(void)
{
	struct nm_buf b = { 0 };
	const char *wrong;
	uint64_t u;

	many_keys(&b, NM_FIELDS_MAX, false);
	CHECK(!nm_record_scan(&r, b.data, b.len));
	CHECK(r.fields == NM_FIELDS_MAX);
	CHECK(nm_get_u64(&r, "k255", &u) && u == 255);
	nm_drop(&r, "k255");
	nm_drop(&r, "k64");
	many_keys(&b, NM_FIELDS_MAX - 1, true);
	wrong = nm_record_scan(&r, b.data, b.len);
	CHECK(wrong && !strcmp(wrong, "key twice"));
	many_keys(&b, NM_FIELDS_MAX + 1, false);
	wrong = nm_record_scan(&r, b.data, b.len);
	CHECK(wrong && !strcmp(wrong, "more than 256 keys"));
	nm_buf_free(&b);
}

int main(void)
{
	test_types();
	test_numbers();
	test_booleans();
	test_strings();
	test_bad_lines();
	test_nesting();
	test_spelling_is_kept();
	test_adding();
	test_dropping();
	test_many_keys();
	nm_record_free(&r);
	return checks_failed > 0;
}
