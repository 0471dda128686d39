/* SPDX-License-Identifier: MIT */
/*
 * Which network namespaces there are: those that processes live in, and those
 * that are mounted.
 */
#ifndef NM_NETNS_LOOK_H
#define NM_NETNS_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looking goes through /proc: it may take 0.5 % of a processor. */
bool look_is_due(void);

/*
 * Calls fn for each, once or more often, with the path of a descriptor of it,
 * which is relative to dir. Returns of how many processes it may not be known,
 * as without CAP_SYS_PTRACE of most.
 */
typedef void look_fn(uint32_t inode, int dir, const char *path);
size_t look(look_fn *fn);

void look_end(void);

#endif
