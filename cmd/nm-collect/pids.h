/* SPDX-License-Identifier: MIT */
/*
 * The processes that -p names.
 */
#ifndef NM_PIDS_H
#define NM_PIDS_H

#include <stdbool.h>

/* Takes one, for the option table: 0, or -1 after a warning. */
int pids_add(const char *arg, void *into);

/*
 * Ends the program with status 1 if one of them is no process. To be called
 * before rights are dropped; then, only they are told of.
 */
void pids_apply(void);

/*
 * Have all of them ended, if any was named? To be asked once an interval,
 * before it is told: one that has ended by then is not told of in later ones.
 */
bool pids_ended(void);

#endif
