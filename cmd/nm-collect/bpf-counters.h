/* SPDX-License-Identifier: MIT */
/*
 * The BPF backends' flows and their counters, which two intervals share in
 * turn; see bpf/flow.bpf.h. The counters are mapped, so that reading and
 * clearing them takes no system call.
 */
#ifndef NM_BPF_COUNTERS_H
#define NM_BPF_COUNTERS_H

#include "bpf.h"

/* To be called between loading and attaching. 0, or -1 with errno. */
int bpf_counters_open(const struct collect_bpf *skel);
void bpf_counters_close(void);

/* Begins the next interval. */
void bpf_counters_turn(void);

/*
 * When it returns, no program uses what the last interval has any more, which
 * takes some milliseconds. 0, or -1 with errno.
 */
int bpf_counters_settle(void);

/* Is that still allowed? */
bool bpf_counters_usable(void);

/* Its last bit: which of two it has, of all that there is by interval. */
unsigned bpf_counters_half(void);

/* The map of the flows of the last interval: nm_flow_key -> nm_flow. */
int bpf_counters_flows(void);

const struct nm_counters *bpf_counters_at(__u32 slot);

/* All flows of the last interval are told. 0, or -1 with errno. */
int bpf_counters_clear(void);

#endif
