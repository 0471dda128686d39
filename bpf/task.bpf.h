/* SPDX-License-Identifier: MIT */
/*
 * Reading the fields of a task, which is done in two ways.
 */
#ifndef NM_TASK_BPF_H
#define NM_TASK_BPF_H

#include "config.bpf.h"
#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Before 5.11 there is no typed pointer to the current task, so its fields
 * are read by copying; afterwards by plain loads, which a kernel that is
 * locked down for confidentiality allows too.
 */
#define TASK_READ(task, field)                                     \
	(legacy ? BPF_CORE_READ((struct task_struct *)task, field) \
		: ((struct task_struct *)task)->field)

static __always_inline struct task_struct *current_task(void)
{
	if (legacy)
		return (struct task_struct *)bpf_get_current_task();
	return bpf_get_current_task_btf();
}

/* All its threads; the count of live ones is lowered before they are told of.
 */
static __always_inline bool task_has_ended(struct task_struct *task)
{
	if (legacy)
		return !BPF_CORE_READ(task, signal, live.counter);
	return !task->signal->live.counter;
}

/* 0: it is ending, and has left it. */
static __always_inline __u32 task_netns(struct task_struct *task)
{
	if (legacy)
		return BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	return task->nsproxy->net_ns->ns.inum;
}

static __always_inline __u32 task_euid(struct task_struct *task)
{
	if (legacy)
		return BPF_CORE_READ(task, cred, euid.val);
	return task->cred->euid.val;
}

#endif
