/* SPDX-License-Identifier: MIT */
/*
 * The program of a process: the names of its path within its filesystem.
 * Where that is mounted is for user space to find out, by the device number
 * and the mount namespace.
 */
#ifndef NM_EXE_BPF_H
#define NM_EXE_BPF_H

#include "collect.h"
#include "task.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct nm_process_key);
	__type(value, struct nm_exe);
} exes SEC(".maps");

static const struct nm_exe new_exe;

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

static __always_inline struct dentry *read_file(struct nm_exe *p,
						struct mm_struct *mm)
{
	struct file *exe;

	if (legacy) {
		exe = BPF_CORE_READ(mm, exe_file);
		p->dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
		return BPF_CORE_READ(exe, f_path.dentry);
	}
	exe = mm->exe_file;
	if (!exe)
		return NULL;
	p->dev = exe->f_inode->i_sb->s_dev;
	return exe->f_path.dentry;
}

static __always_inline void read_names(struct nm_exe *p, struct dentry *d)
{
	struct dentry *parent;
	__u32 i;

	for (i = 0; i < NM_PATH_NAMES; i++) {
		parent = legacy ? BPF_CORE_READ(d, d_parent) : d->d_parent;
		if (!parent || parent == d) {
			p->names = i;
			return;
		}
		if (!copy_name(p->name[i], d))
			return;
		d = parent;
	}
}

/* Without room, or without names, the path is unknown and nothing else. */
static __always_inline void read_exe(const struct nm_process_key *key,
				     struct task_struct *task)
{
	struct mm_struct *mm = TASK_READ(task, mm);
	struct nm_exe *p;
	struct dentry *d;

	if (!mm || bpf_map_update_elem(&exes, key, &new_exe, BPF_ANY))
		return;
	p = bpf_map_lookup_elem(&exes, key);
	if (!p)
		return;
	if (legacy)
		p->mnt_ns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	else
		p->mnt_ns = task->nsproxy->mnt_ns->ns.inum;
	d = read_file(p, mm);
	if (d)
		read_names(p, d);
}

#endif
