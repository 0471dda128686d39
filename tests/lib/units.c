// SPDX-License-Identifier: MIT
/*
 * lib/units: rounding where a digit more would appear, and the largest.
 */
#include <math.h>

#include "check.h"
#include "units.h"

static void test_amounts(void)
{
	static const struct {
		double bytes;
		const char *in_bytes, *in_bits;
	} is[] = {
		{ 0, "0 B", "0 bit" },
		{ 1, "1 B", "8 bit" },
		{ 999, "999 B", "7.99 kbit" },
		{ 999.4, "999 B", "8.00 kbit" },
		{ 999.5, "1.00 kB", "8.00 kbit" },
		{ 1000, "1.00 kB", "8.00 kbit" },
		{ 1234.9, "1.23 kB", "9.88 kbit" },
		{ 9994, "9.99 kB", "80.0 kbit" },
		{ 9996, "10.0 kB", "80.0 kbit" },
		{ 99940, "99.9 kB", "800 kbit" },
		{ 99960, "100 kB", "800 kbit" },
		{ 999499, "999 kB", "8.00 Mbit" },
		{ 999501, "1.00 MB", "8.00 Mbit" },
		{ 1500000, "1.50 MB", "12.0 Mbit" },
		{ 2e9, "2.00 GB", "16.0 Gbit" },
		{ 3e12, "3.00 TB", "24.0 Tbit" },
		{ 4e15, "4.00 PB", "32.0 Pbit" },
		{ 1.8e19, "18.0 EB", "144 Ebit" },
		{ 1e30, "999 EB", "999 Ebit" },
		{ -5, "0 B", "0 bit" },
	};
	char out[NM_UNIT_TEXT];

	for (size_t i = 0; i < sizeof(is) / sizeof(*is); i++) {
		CHECK_TEXT(nm_amount_text(is[i].bytes, NM_BYTES, out),
			   is[i].in_bytes);
		CHECK_TEXT(nm_amount_text(is[i].bytes, NM_BITS, out),
			   is[i].in_bits);
	}
	CHECK_TEXT(nm_amount_text(NAN, NM_BYTES, out), "0 B");
	CHECK_TEXT(nm_rate_text(1500000, NM_BYTES, out), "1.50 MB/s");
	CHECK_TEXT(nm_rate_text(1500000, NM_BITS, out), "12.0 Mbit/s");
}

static void test_spans(void)
{
	static const struct {
		uint64_t us;
		const char *text;
	} is[] = {
		{ 0, "0 us" },
		{ 54, "54 us" },
		{ 999, "999 us" },
		{ 1000, "1 ms" },
		{ 450999, "450 ms" },
		{ 12000000, "12 s" },
		{ 59999999, "59 s" },
		{ 60000000, "1 min" },
		{ 200000000, "3 min 20 s" },
		{ UINT64_C(7500000000), "2 h 5 min" },
		{ UINT64_C(7200000000), "2 h" },
		{ UINT64_C(273600000000), "3 d 4 h" },
		{ UINT64_MAX, "213503982 d 8 h" },
	};
	char out[NM_UNIT_TEXT];

	for (size_t i = 0; i < sizeof(is) / sizeof(*is); i++)
		CHECK_TEXT(nm_span_text(is[i].us, out), is[i].text);
}

int main(void)
{
	test_amounts();
	test_spans();
	return checks_failed > 0;
}
