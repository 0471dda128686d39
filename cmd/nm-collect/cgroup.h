/* SPDX-License-Identifier: MIT */
/*
 * The cgroup (version 2) hierarchy, also where it is mounted beside the old
 * one.
 */
#ifndef NM_CGROUP_H
#define NM_CGROUP_H

#include <stdint.h>

/* A descriptor of the root cgroup, opened once; -1: none is mounted. */
int cgroup_root(void);

/* Why not, and what would help. */
const char *cgroup_root_missing(const char **remedy);

/*
 * Path of a cgroup below the root ("/" is the root) by its id, for the caller
 * to free. NULL: gone, or CAP_DAC_READ_SEARCH is missing.
 */
char *cgroup_path(uint64_t id);

#endif
