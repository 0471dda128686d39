/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of flows (--peek), from where the programs send them to where
 * their flow is told; they may come an interval before it.
 */
#ifndef NM_BPF_HEADS_H
#define NM_BPF_HEADS_H

#include "bpf.h"

/* Sets the sizes of their maps before these are made, or leaves them out. */
void bpf_heads_size(struct collect_bpf *skel, const struct settings *s);

/* If the programs send any. Without the memory for them, it is said. */
void bpf_heads_open(const struct collect_bpf *skel, const struct settings *s);
void bpf_heads_close(void);

/* Becomes readable when they should be read early; -1: there are none. */
int bpf_heads_fd(void);

/* Reads what has come. */
void bpf_heads_read(void);

/* Those of a flow, which are the caller's now; NULL: none. */
struct head *bpf_heads_take(const struct nm_flow_key *key,
			    const struct nm_flow *flow);

/* How many were thrown away since this was called last: too many waited. */
uint64_t bpf_heads_lost(void);

#endif
