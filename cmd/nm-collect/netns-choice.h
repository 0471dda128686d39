/* SPDX-License-Identifier: MIT */
/*
 * The network namespaces that --netns names.
 */
#ifndef NM_NETNS_CHOICE_H
#define NM_NETNS_CHOICE_H

#include <stdbool.h>

/* Takes one, for the option table: 0, or -1 after a warning. */
int netns_choice_add(const char *arg, void *into);

/* Was one named? Were all? */
bool netns_choice_any(void);
bool netns_choice_all(void);

/*
 * Opens them. Ends the program with status 1 if one is no network namespace, 3
 * if they cannot be entered. Until they are closed they stay alive.
 */
void netns_choice_open(void);
void netns_choice_close(void);

/* Calls fn with a descriptor of each. */
void netns_choice_each(void (*fn)(int fd, const char *name));

#endif
