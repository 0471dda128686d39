/* SPDX-License-Identifier: MIT */
/*
 * The maps of the BPF programs, before these are loaded. The constants of the
 * object (rodata) are to be set by then.
 */
#ifndef NM_BPF_MAPS_H
#define NM_BPF_MAPS_H

#include "bpf.h"

/* Left unused when several processors make the same flow at once. */
#define BPF_SPARE_SLOTS 256

void bpf_maps_size(struct collect_bpf *skel, const struct settings *s);

/*
 * Those of an object that works beside the first are the first's; only the
 * constants are its own. 0, or an errno, negative.
 */
int bpf_maps_share(struct collect_bpf *skel, struct collect_bpf *first);

#endif
