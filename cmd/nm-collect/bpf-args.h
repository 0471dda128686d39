/* SPDX-License-Identifier: MIT */
/*
 * The command lines of processes (--cmdline), as the kernel's map has them.
 */
#ifndef NM_BPF_ARGS_H
#define NM_BPF_ARGS_H

#include "bpf.h"

void bpf_args_open(const struct collect_bpf *skel);

/* For the caller to free; NULL: not known, or not asked for. */
char *bpf_args_cmdline(const struct nm_process_key *key);

/* Its entry is needed no more. */
void bpf_args_remove(const struct nm_process_key *key);

#endif
