// SPDX-License-Identifier: MIT
/*
 * lib/addr: the same address has one spelling, and IPv4 is always IPv4.
 */
#include <arpa/inet.h>

#include "addr.h"
#include "check.h"

static void spelled(const char *text, const char *wanted)
{
	char out[NM_ADDR_TEXT];
	struct nm_addr a;

	if (CHECK(nm_addr_parse(&a, text)))
		CHECK_TEXT(nm_addr_text(&a, out), wanted);
}

int main(void)
{
	static const char *const not_addresses[] = {
		"",	    "localhost", "1.2.3",     "1.2.3.4.5", "1.2.3.256",
		"1.2.3.04", "1.2.3.4 ",	 "::1%lo",    "fe80::1::", ":",
		"[::1]",    "12345::",	 "1.2.3.4/8",
	};
	struct nm_addr v4 = nm_addr_v4(htonl(0xc0000207)), a;
	char out[NM_ADDR_TEXT];

	CHECK(nm_addr_is_v4(&v4));
	CHECK_TEXT(nm_addr_text(&v4, out), "192.0.2.7");
	spelled("192.0.2.7", "192.0.2.7");
	spelled("::ffff:192.0.2.7", "192.0.2.7");
	spelled("::FFFF:C000:207", "192.0.2.7");
	spelled("2001:DB8:0:0:0::1", "2001:db8::1");
	spelled("::", "::");
	spelled("::1", "::1");
	spelled("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	for (size_t i = 0; i < sizeof(not_addresses) / sizeof(char *); i++)
		CHECK(!nm_addr_parse(&a, not_addresses[i]));

	CHECK(nm_addr_parse(&a, "0.0.0.0") && nm_addr_is_any(&a));
	CHECK(nm_addr_parse(&a, "::") && nm_addr_is_any(&a));
	CHECK(!nm_addr_is_v4(&a));
	CHECK(nm_addr_parse(&a, "::1") && !nm_addr_is_any(&a));
	CHECK(!nm_addr_is_any(&v4));
	return checks_failed > 0;
}
