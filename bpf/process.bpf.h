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
#include "log.bpf.h"
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

static __always_inline __u32 task_euid(struct task_struct *task)
{
	if (legacy)
		return BPF_CORE_READ(task, cred, euid.val);
	return task->cred->euid.val;
}

static __always_inline void process_key(struct nm_process_key *key,
					struct task_struct *task)
{
	struct task_struct *leader = TASK_READ(task, group_leader);

	key->start_ns = TASK_READ(leader, start_boottime);
	key->tgid = TASK_READ(task, tgid);
	key->zero = 0;
}

/*
 * Locked down, the kernel lets us read its structures but not follow a bare
 * pointer. A short name is in the dentry itself; a longer one stays unknown.
 */
static __always_inline bool copy_short_name(char *to, struct dentry *d)
{
	struct dentry___6_14 *n = (struct dentry___6_14 *)d;
	const char *from = (const char *)d;
	bool whole = false;
	int i;

	if (bpf_core_field_exists(d->d_iname))
		from += bpf_core_field_offset(d->d_iname);
	else
		from += bpf_core_field_offset(n->d_shortname);
	if ((unsigned long)d->d_name.name != (unsigned long)from)
		return false;
#pragma unroll
	for (i = 0; i < NM_SHORT_NAME_LEN; i++) {
		to[i] = from[i];
		whole |= !to[i];
	}
	return whole;
}

/* One name of a path; false if it does not fit or cannot be read. */
static __always_inline bool copy_name(char *to, struct dentry *d)
{
	const unsigned char *name;
	long n;

	if (!may_read)
		return copy_short_name(to, d);
	name = legacy ? BPF_CORE_READ(d, d_name.name) : d->d_name.name;
	n = bpf_probe_read_kernel_str(to, NM_PATH_NAME_LEN, name);
	return n > 0 && n < NM_PATH_NAME_LEN;
}

/*
 * The names of the program's path within its filesystem, leaf first. Where
 * that is mounted is for user space to find out: it has the device number.
 */
static __always_inline void read_exe(struct nm_process *p,
				     struct task_struct *task)
{
	struct mm_struct *mm = TASK_READ(task, mm);
	struct dentry *d, *parent;
	struct file *exe;
	__u32 i;

	p->exe_names = 0;
	if (!mm)
		return;
	if (legacy) {
		exe = BPF_CORE_READ(mm, exe_file);
		p->exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
		p->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
		d = BPF_CORE_READ(exe, f_path.dentry);
	} else {
		exe = mm->exe_file;
		if (!exe)
			return;
		p->exe_ino = exe->f_inode->i_ino;
		p->exe_dev = exe->f_inode->i_sb->s_dev;
		d = exe->f_path.dentry;
	}
	for (i = 0; i < NM_PATH_NAMES; i++) {
		parent = legacy ? BPF_CORE_READ(d, d_parent) : d->d_parent;
		if (!parent || parent == d)
			break;
		if (!copy_name(p->exe[i], d))
			return;
		d = parent;
	}
	if (i < NM_PATH_NAMES)
		p->exe_names = i;
}

static __always_inline void read_identity(struct nm_process *p,
					  struct task_struct *task)
{
	struct task_struct *leader = TASK_READ(task, group_leader);

	if (legacy) {
		p->ppid = BPF_CORE_READ(leader, real_parent, tgid);
		p->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
		BPF_CORE_READ_STR_INTO(&p->comm, leader, comm);
	} else {
		p->ppid = leader->real_parent->tgid;
		p->netns = task->nsproxy->net_ns->ns.inum;
		__builtin_memcpy(p->comm, leader->comm, NM_COMM_LEN);
	}
	p->uid = task_euid(task);
	p->cgroup_id = bpf_get_current_cgroup_id();
	read_exe(p, task);
	__sync_fetch_and_add(&p->execs, 1);
}

/*
 * The entry of the process that the current task belongs to, or of the
 * kernel itself; it is made if it is not there. NULL: no room. The key is set
 * in any case.
 */
static __always_inline struct nm_process *
process_get(struct nm_process_key *key, bool kernels_socket)
{
	struct task_struct *task = current_task();
	struct nm_process *p;
	bool kernel;

	kernel = kernels_socket || TASK_READ(task, flags) & PF_KTHREAD;
	if (kernel)
		__builtin_memset(key, 0, sizeof(*key));
	else
		process_key(key, task);

	p = bpf_map_lookup_elem(&processes, key);
	if (p) {
		/* A server becomes another user after it has opened a port. */
		if (!kernel && p->uid != task_euid(task))
			p->uid = task_euid(task);
		return p;
	}

	/*
	 * Filled in place: a copy on the stack would not fit, and one per CPU
	 * could be overwritten by a task that preempts this one.
	 */
	if (bpf_map_update_elem(&processes, key, &new_process, BPF_NOEXIST) ==
	    0) {
		p = bpf_map_lookup_elem(&processes, key);
		if (p && !kernel)
			read_identity(p, task);
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
