/* SPDX-License-Identifier: MIT */
/*
 * The time, to reckon with.
 */
#ifndef NM_CLOCK_H
#define NM_CLOCK_H

#include <time.h>

/* In seconds, by any clock of clock_gettime(2). */
static inline double clock_seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
