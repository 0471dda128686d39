/* SPDX-License-Identifier: MIT */
/*
 * What nm-collect sets before it loads the programs. Constant from then on:
 * the verifier drops the branches that a kernel or a user does without.
 */
#ifndef NM_CONFIG_BPF_H
#define NM_CONFIG_BPF_H

#include <linux/types.h>
#include <stdbool.h>

/*
 * A kernel before 5.11 lacks, for tracing programs: sk_storage_get,
 * get_socket_cookie, get_current_task_btf; by the last of these it is known.
 */
const volatile bool legacy = false;

/* bpf_probe_read_kernel is allowed: not under lockdown=confidentiality. */
const volatile bool may_read = true;

/* Atomic operations tell what was there before (since 5.12). */
const volatile bool fetches = true;

/* Flows in an interval that can have counters of their own. */
const volatile __u32 slots = 1;

/* Backend cgroup: what programs moved is told by their packets. */
const volatile bool by_packets = false;

/* So many first bytes of each direction of a flow are wanted; 0: none. */
const volatile __u32 peek_bytes = 0;

/* So many first bytes of command lines are wanted; 0: none. */
const volatile __u32 args_bytes = 0;

/* Of how many objects this is which; see understudy.bpf.h. */
const volatile __u32 players = 1;
const volatile __u32 player = 0;

/* The log's level: 0 off, 1 losses, 2 processes, 3 sockets too. */
const volatile __u32 log_level = 0;

#endif
