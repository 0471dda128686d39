/* SPDX-License-Identifier: MIT */
/*
 * Backends fexit and tp: the programs of bpf/collect.bpf.c, loaded (bpf.c),
 * and their maps, read (bpf-drain.c).
 */
#ifndef NM_BPF_H
#define NM_BPF_H

#include "backend.h"
#include "collect.skel.h"

/* Takes over the maps of a running object. */
void bpf_drain_init(struct collect_bpf *skel, const struct settings *s);

int bpf_drain(struct losses *lost);

/* Is the map access of a drain still allowed? */
bool bpf_drain_usable(void);

void bpf_drain_stop(void);

#endif
