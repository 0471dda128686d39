// SPDX-License-Identifier: MIT
/*
 * lib/base64: the examples of RFC 4648, section 10, what is none, and that
 * everything comes back.
 */
#include <string.h>

#include "base64.h"
#include "check.h"

static void test_examples(void)
{
	static const struct {
		const char *bytes, *text;
	} is[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xef\xbe", "/+++" },
	};

	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		size_t n = strlen(is[i].bytes), len = strlen(is[i].text);
		struct nm_buf b = { 0 };
		uint8_t out[16];

		nm_base64_put(&b, (const uint8_t *)is[i].bytes, n);
		CHECK(b.len == len &&
		      !memcmp(b.data ? b.data : "", is[i].text, len));
		CHECK(nm_base64_decode(is[i].text, len, out, sizeof(out)) ==
		      (int)n);
		CHECK(!memcmp(out, is[i].bytes, n));
		CHECK(n == 0 ||
		      nm_base64_decode(is[i].text, len, out, n - 1) == -1);
		nm_buf_free(&b);
	}
}

static void test_none(void)
{
	static const char *const none[] = { "Z",    "Zg",   "Zg=", "Zm9v\n",
					    "Zm-_", "====", "Z===" };
	uint8_t out[16];

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		CHECK(nm_base64_decode(none[i], strlen(none[i]), out,
				       sizeof(out)) < 0);
}

static void test_round(void)
{
	uint8_t bytes[300], back[300];

	for (size_t n = 0; n < sizeof(bytes); n++) {
		struct nm_buf b = { 0 };

		bytes[n] = (uint8_t)(n * 167);
		nm_base64_put(&b, bytes, n);
		CHECK(nm_base64_decode(b.data ? b.data : "", b.len, back,
				       sizeof(back)) == (int)n);
		CHECK(!memcmp(bytes, back, n));
		nm_buf_free(&b);
	}
}

int main(void)
{
	test_examples();
	test_none();
	test_round();
	return checks_failed > 0;
}
