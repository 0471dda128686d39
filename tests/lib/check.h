/* SPDX-License-Identifier: MIT */
/*
 * For the test programs of the library: CHECK tells what was not so and goes
 * on; main ends with `return checks_failed > 0`.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned int checks_failed;

#define CHECK(is_so) check(is_so, #is_so, __FILE__, __LINE__)

static inline bool check(bool is_so, const char *what, const char *file,
			 int line)
{
	if (!is_so) {
		fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
		checks_failed++;
	}
	return is_so;
}

#define CHECK_TEXT(got, wanted) \
	check_bytes(got, strlen(got), wanted, __FILE__, __LINE__)
#define CHECK_BYTES(got, n, wanted) \
	check_bytes(got, n, wanted, __FILE__, __LINE__)

static inline bool check_bytes(const char *got, size_t n, const char *wanted,
			       const char *file, int line)
{
	if (n == strlen(wanted) && !memcmp(got, wanted, n))
		return true;
	fprintf(stderr, "%s:%d: got '%.*s', not '%s'\n", file, line, (int)n,
		got, wanted);
	checks_failed++;
	return false;
}

#endif
