/* SPDX-License-Identifier: MIT */
/*
 * Ends the fuzzer, or the test, where something is not as it must be.
 */
#ifndef HOLDS_H
#define HOLDS_H

#include <stdio.h>
#include <stdlib.h>

#define HOLDS(is_so)                                                     \
	do {                                                             \
		if (!(is_so)) {                                          \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #is_so);                       \
			abort();                                         \
		}                                                        \
	} while (0)

#endif
