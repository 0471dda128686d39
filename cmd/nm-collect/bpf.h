/* SPDX-License-Identifier: MIT */
/*
 * The BPF backends: the programs of bpf/collect.bpf.c, loaded (bpf.c), and
 * their maps, read (bpf-drain.c).
 */
#ifndef NM_BPF_H
#define NM_BPF_H

#include "backend.h"
#include "collect.skel.h"

/*
 * How many times the programs are loaded where calls may be missed; see
 * bpf/understudy.bpf.h. The more, the fewer are lost and the dearer each is.
 */
#define BPF_PLAYERS 3

#define NS_PER_S 1000000000ULL

/* Where the programs stand. */
enum bpf_way {
	BPF_BY_FEXIT,
	BPF_BY_TP,
	BPF_BY_CGROUP,
};

/* Takes over the maps of running objects, which are those of the first. */
void bpf_drain_init(struct collect_bpf *const player[], size_t players,
		    enum bpf_way way, const struct settings *s);

/*
 * The first interval begins: forgets what was counted until now. 0, or -1 with
 * errno.
 */
int bpf_drain_begin(void);

int bpf_drain(struct losses *lost, bool last);

/* To be waited on between intervals, or -1; and then to be called. */
int bpf_drain_fd(void);
void bpf_drain_wake(void);

void bpf_drain_stop(void);

/* Adds one to the other, or with sign -1 takes it off. */
void bpf_wire_sum(struct nm_wire *to, const struct nm_wire *w, int sign);

/* Now, by the clock that the programs use. */
uint64_t bpf_boottime_ns(void);

#endif
