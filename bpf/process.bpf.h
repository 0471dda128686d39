/* SPDX-License-Identifier: MIT */
/*
 * Processes: who the current task is, and what it is called. The identity is
 * read here, at the first use of the network and at each exec, so that a
 * process that lived for 5 ms has its name.
 */
#ifndef NM_PROCESS_BPF_H
#define NM_PROCESS_BPF_H

#include "kernel.h"
#include "collect.h"
#include "config.bpf.h"
#include "args.bpf.h"
#include "log.bpf.h"
#include "exe.bpf.h"
#include "task.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Never an LRU map: under pressure it would throw bytes away. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct nm_process_key);
	__type(value, struct nm_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nm_lost);
} lost SEC(".maps");

static const struct nm_process new_process;

static __always_inline struct nm_lost *lost_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lost, &zero);
}

static __always_inline void process_key(struct nm_process_key *key,
					struct task_struct *task)
{
	struct task_struct *leader = TASK_READ(task, group_leader);

	key->start_ns = TASK_READ(leader, start_boottime);
	key->tgid = TASK_READ(task, tgid);
	key->zero = 0;
}

static __always_inline void read_identity(struct nm_process *p,
					  struct task_struct *task)
{
	struct task_struct *leader = TASK_READ(task, group_leader), *parent;

	if (legacy) {
		p->ppid = BPF_CORE_READ(leader, real_parent, tgid);
		BPF_CORE_READ_STR_INTO(&p->comm, leader, comm);
		BPF_CORE_READ_STR_INTO(&p->parent, leader, real_parent,
				       group_leader, comm);
		p->cgroup_id = bpf_get_current_cgroup_id();
	} else {
		parent = leader->real_parent->group_leader;
		p->ppid = parent->tgid;
		__builtin_memcpy(p->comm, leader->comm, NM_COMM_LEN);
		__builtin_memcpy(p->parent, parent->comm, NM_COMM_LEN);
		p->cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	}
	p->netns = task_netns(task);
	p->uid = task_euid(task);
}

/*
 * What the current process runs, by which words, and then who it is. Functions
 * by themselves for the verifier, which else goes through them once for each
 * way to come here, and three of them, because their stacks and the caller's
 * share 512 bytes.
 */
__noinline int know_exe(__u64 start_ns, __u32 tgid)
{
	struct nm_process_key key = { .start_ns = start_ns, .tgid = tgid };

	if (bpf_map_lookup_elem(&processes, &key))
		read_exe(&key, current_task());
	return 0;
}

__noinline int know_args(__u64 start_ns, __u32 tgid)
{
	struct nm_process_key key = { .start_ns = start_ns, .tgid = tgid };

	if (args_bytes && bpf_map_lookup_elem(&processes, &key))
		read_args(&key, current_task());
	return 0;
}

__noinline int know_identity(__u64 start_ns, __u32 tgid)
{
	struct task_struct *task = current_task();
	struct nm_process_key key = { .start_ns = start_ns, .tgid = tgid };
	struct nm_process *p = bpf_map_lookup_elem(&processes, &key);

	if (!p)
		return 0;
	read_identity(p, task);
	__sync_fetch_and_add(&p->execs, 1);
	/* It closes its sockets behind on_exit(), which has not seen it. */
	if (task_has_ended(task))
		p->ended_ns = bpf_ktime_get_boot_ns();
	return 0;
}

static __always_inline void know_current(const struct nm_process_key *key)
{
	know_exe(key->start_ns, key->tgid);
	know_args(key->start_ns, key->tgid);
	know_identity(key->start_ns, key->tgid);
}

/* Whose doing the current call is. */
struct user {
	struct nm_process_key process;
	__u32 uid; /* effective */
	__u32 kernel;
};

static __always_inline void user_of(struct user *user, struct task_struct *task,
				    bool kernels_socket)
{
	user->kernel = kernels_socket || TASK_READ(task, flags) & PF_KTHREAD;
	user->uid = 0;
	if (user->kernel) {
		__builtin_memset(&user->process, 0, sizeof(user->process));
		return;
	}
	process_key(&user->process, task);
	user->uid = task_euid(task);
}

static __always_inline void user_get(struct user *user, bool kernels_socket)
{
	user_of(user, current_task(), kernels_socket);
}

/* The user's entry; it is made if it is not there. NULL: no room. */
static __always_inline struct nm_process *process_get(const struct user *user)
{
	const struct nm_process_key *key = &user->process;
	struct nm_process *p;

	p = bpf_map_lookup_elem(&processes, key);
	if (p) {
		/* A server becomes another user after it has opened a port. */
		p->uid = user->uid;
		return p;
	}

	/*
	 * Filled in place: a copy on the stack would not fit, and one per CPU
	 * could be overwritten by a task that preempts this one.
	 */
	if (bpf_map_update_elem(&processes, key, &new_process, BPF_NOEXIST) ==
	    0) {
		p = bpf_map_lookup_elem(&processes, key);
		if (p && !user->kernel)
			know_current(key);
		LOG(PROCESS_NEW, key->tgid, 0);
		return p;
	}
	/* Another thread was faster, or there is no room. */
	p = bpf_map_lookup_elem(&processes, key);
	if (!p)
		LOG(PROCESS_FULL, key->tgid, 0);
	return p;
}

#endif
