/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces that are mounted, and so live without a process: those
 * of ip-netns(8) in /run/netns, of containers while nothing runs in them.
 */
#ifndef NM_NETNS_MOUNTS_H
#define NM_NETNS_MOUNTS_H

#include <stdint.h>

/* Calls fn for each, with the path of a descriptor of it. */
void mounts_each(void (*fn)(uint32_t inode, const char *path));

void mounts_free(void);

#endif
