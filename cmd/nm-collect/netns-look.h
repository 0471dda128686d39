/* SPDX-License-Identifier: MIT */
/*
 * Which network namespaces there are: those that processes live in, and those
 * that are mounted.
 */
#ifndef NM_NETNS_LOOK_H
#define NM_NETNS_LOOK_H

#include <stdbool.h>
#include <stdint.h>

/* Looking goes through /proc: it may take 0.5 % of a processor. */
bool look_is_due(void);

/*
 * Calls fn for each, once or more often, with the path of a descriptor of it,
 * which is relative to dir. Without CAP_SYS_PTRACE only few processes are seen.
 */
typedef void look_fn(uint32_t inode, int dir, const char *path);
void look(look_fn *fn);

void look_end(void);

#endif
