/* SPDX-License-Identifier: MIT */
/*
 * Choosing a backend.
 */
#ifndef NM_CHOOSE_H
#define NM_CHOOSE_H

#include "backend.h"

/* Prints which backends work here; the exit status: does any? */
int choose_probe(const struct settings *s);

/*
 * Starts the best backend that works, or only the one of this name if it is not
 * NULL. NULL: none works, and standard error says why.
 */
const struct backend *choose_start(const struct settings *s,
				   const char *wanted);

/* Notices: what it lacks, and why no better one is used. */
void choose_tell(const struct backend *used, const struct settings *s,
		 const char *wanted);

#endif
