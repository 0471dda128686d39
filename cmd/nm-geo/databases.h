/* SPDX-License-Identifier: MIT */
/*
 * All files that are used: which they are, what they know together, and that
 * they are read anew when they change.
 */
#ifndef NM_DATABASES_H
#define NM_DATABASES_H

#include <stdbool.h>

#include "database.h"

/* A file, or a folder, that the user names. 0, or -1 after a warning. */
int databases_add_file(const char *path, void *into);
int databases_add_dir(const char *path, void *into);

/*
 * Opens those that were named, or else what is in the folders that were named,
 * or in the usual ones. Exits with status 1 if one that was named cannot be
 * read. verbose: tells on stderr what each holds.
 */
void databases_open(bool verbose);

/* Is there any? */
bool databases_any(void);

/*
 * Looks whether files have changed, came or went. tell (of what, why): a file
 * cannot be read; while it is open what it said before counts. True: what was
 * looked up before may not be right any more.
 */
bool databases_check(void (*tell)(const struct database *d, const char *why));

struct place databases_look_up(const struct nm_addr *a);

void databases_close(void);

#endif
