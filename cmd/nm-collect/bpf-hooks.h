/* SPDX-License-Identifier: MIT */
/*
 * What of bpf/collect.bpf.c a backend needs and the running kernel has: read
 * from its BTF, never from its version.
 */
#ifndef NM_BPF_HOOKS_H
#define NM_BPF_HOOKS_H

#include <bpf/btf.h>

#include "bpf.h"

/* Has the kernel what the backend cannot do without? 0, or -1 and why. */
int bpf_check_hooks(struct btf *btf, enum bpf_way way, struct reason *why);

/* Sets which programs are to be loaded; the constants must be set before. */
void bpf_choose_programs(struct collect_bpf *skel, enum bpf_way way, bool wire);

/* Is it one of the kernels that bpf/config.bpf.h calls legacy? */
bool bpf_is_legacy(const struct btf *btf);

/* Has it what bpf/config.bpf.h calls `fetches`? */
bool bpf_fetches(void);

/* If not: takes the instructions for it out of all programs. 0 or -errno. */
int bpf_hide_fetches(struct bpf_object *obj);

/* Is it to be attached to a cgroup? See bpf/peer.bpf.h. */
bool bpf_at_cgroup(const struct bpf_program *prog);

/* Attaches those that were loaded for it, as far as the kernel lets them. */
void bpf_attach_to_cgroup(struct collect_bpf *skel, const char *name,
			  bool verbose);

#endif
