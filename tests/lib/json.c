// SPDX-License-Identifier: MIT
/*
 * lib/json: what is written is what nm-record(5) promises.
 */
#include <jansson.h>

#include "check.h"
#include "json.h"

/* The value that nm_json_quote makes of these bytes, quotes and all. */
static void quoted(const char *bytes, size_t n, const char *wanted)
{
	struct nm_buf b = { 0 };
	json_t *read;

	nm_json_quote(&b, bytes, n);
	CHECK_BYTES(b.data, b.len, wanted);
	read = json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);
	CHECK(read != NULL);
	json_decref(read);
	nm_buf_free(&b);
}

#define QUOTED(text, wanted) quoted(text, sizeof(text) - 1, wanted)

static void test_quoting(void)
{
	QUOTED("", "\"\"");
	QUOTED("plain / text", "\"plain / text\"");
	QUOTED("a\"b\\c", "\"a\\\"b\\\\c\"");
	QUOTED("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
	QUOTED("\x01\x1b[1m\x1f", "\"\\u0001\\u001b[1m\\u001f\"");
	QUOTED("del \x7f", "\"del \\u007f\"");
	QUOTED("c1 \xc2\x80 \xc2\x9f", "\"c1 \\u0080 \\u009f\"");
	QUOTED("\xc2\xa0", "\"\xc2\xa0\"");
	QUOTED("\xe6\xbc\xa2\xf0\x9f\x98\x80",
	       "\"\xe6\xbc\xa2\xf0\x9f\x98\x80\"");
	QUOTED("nul \0!", "\"nul \xef\xbf\xbd!\"");
	QUOTED("bad \xff\xc3(", "\"bad \xef\xbf\xbd\xef\xbf\xbd(\"");
	QUOTED("cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\"");
	QUOTED("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_record(void)
{
	struct nm_buf b = { 0 };

	nm_json_open(&b, "flow", 1795470001000123);
	nm_json_str(&b, "comm", "curl");
	nm_json_str(&b, "exe", "");
	nm_json_strn(&b, "host", "example.org.", 11);
	nm_json_strn(&b, "none", "x", 0);
	nm_json_u64(&b, "zero", 0);
	nm_json_u64(&b, "last", UINT64_C(9007199254740992));
	nm_json_u64(&b, "over", UINT64_C(9007199254740993));
	nm_json_u64(&b, "most", UINT64_MAX);
	nm_json_hex(&b, "flow", 0x2f);
	nm_json_hex(&b, "none", 0);
	nm_json_hex(&b, "all", UINT64_MAX);
	nm_json_bool(&b, "yes", true);
	nm_json_bool(&b, "no", false);
	nm_json_close(&b);
	CHECK_BYTES(
		b.data, b.len,
		"{\"v\":1,\"type\":\"flow\",\"ts_us\":1795470001000123,"
		"\"comm\":\"curl\",\"host\":\"example.org\",\"zero\":0,"
		"\"last\":9007199254740992,\"over\":9007199254740992,"
		"\"most\":9007199254740992,\"flow\":\"2f\",\"none\":\"0\","
		"\"all\":\"ffffffffffffffff\",\"yes\":true,\"no\":false}\n");
	nm_buf_free(&b);
}

int main(void)
{
	test_quoting();
	test_record();
	return checks_failed > 0;
}
