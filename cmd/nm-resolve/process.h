/* SPDX-License-Identifier: MIT */
/*
 * What /proc and the user database know of a process.
 */
#ifndef NM_PROCESS_H
#define NM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is it still the process that started then (microseconds since boot)? A pid
 * alone may be another's by now. *ppid: who is its parent now.
 */
bool process_is(uint64_t pid, uint64_t start_us, uint64_t *ppid);

/* Its parent's name, by the parent's pid. Empty: gone, or not to be read. */
void process_comm(uint64_t pid, char *out, size_t size);

/*
 * Its command line, words joined by blanks and cut to `limit` bytes with "…"
 * in place of the rest. Empty: it has none, or it may not be read.
 */
void process_cmdline(uint64_t pid, char *out, size_t size, size_t limit);

/* Name of a user, or NULL; valid until the next call. */
const char *process_user(uint64_t uid);

#endif
