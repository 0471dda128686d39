/* SPDX-License-Identifier: MIT */
/*
 * The calls that the programs did not see; see bpf/understudy.bpf.h.
 */
#ifndef NM_BPF_MISSES_H
#define NM_BPF_MISSES_H

#include "bpf.h"

void bpf_misses_init(struct collect_bpf *const player[], size_t players);

/*
 * Calls that were not counted since the last time, at most: those that the
 * player with the fewest misses has missed. (Before 5.12 none are.)
 */
uint64_t bpf_misses_take(void);

#endif
