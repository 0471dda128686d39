/* SPDX-License-Identifier: MIT */
/*
 * The processes of the BPF backends, as the kernel's map has them.
 */
#ifndef NM_BPF_PROCESSES_H
#define NM_BPF_PROCESSES_H

#include "bpf.h"

void bpf_processes_init(const struct collect_bpf *skel,
			const struct settings *s, bool inferred);
void bpf_processes_stop(void);

/*
 * A long interval would fill the map with processes that came and went. So
 * from time to time, when this descriptor is readable, the ended ones are to
 * be swept out of it; until they are told, they are known here. -1: the
 * interval is short, and its end does it.
 */
int bpf_processes_fd(void);
void bpf_processes_sweep(void);

/*
 * The part of a drain before the flows: who is new, who became another
 * program, what is in no flow. `turned_ns` is when the next interval
 * began. 0, or -1 with errno.
 */
int bpf_processes_tell(uint64_t turned_ns);

/* The part behind the flows, so that a process's end is its last record. */
void bpf_processes_tell_ended(void);

/* How many the kernel's map had at the last drain. */
size_t bpf_processes_count(void);

#endif
