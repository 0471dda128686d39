/* SPDX-License-Identifier: MIT */
/*
 * The command line of a process, for nm-collect --cmdline: the beginning of
 * what exec has laid into its memory. Only the current task's can be read, and
 * only what is in memory; else it stays unknown.
 */
#ifndef NM_ARGS_BPF_H
#define NM_ARGS_BPF_H

#include "collect.h"
#include "config.bpf.h"
#include "task.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct nm_process_key);
	__type(value, struct nm_args);
} args SEC(".maps");

static const struct nm_args new_args;

static __always_inline void copy_args(struct nm_args *a,
				      const struct mm_struct *mm)
{
	__u64 room = args_bytes + NM_ARGS_MORE, from, to, bytes;
	char last = 0;
	long title;

	from = legacy ? BPF_CORE_READ(mm, arg_start) : mm->arg_start;
	to = legacy ? BPF_CORE_READ(mm, arg_end) : mm->arg_end;
	if (from >= to || room > sizeof(a->text))
		return;
	/* As in /proc: a title was written over the words, and maybe beyond. */
	bpf_probe_read_user(&last, 1, (const void *)(to - 1));
	if (last) {
		title = bpf_probe_read_user_str(a->text, room,
						(const void *)from);
		a->bytes = title > 0 ? title : 0;
		return;
	}
	bytes = to - from;
	if (bytes > room)
		bytes = room;
	if (!bpf_probe_read_user(a->text, bytes, (const void *)from))
		a->bytes = to - from;
}

/* Without room, it is unknown; and so is that of the program before. */
static __always_inline void read_args(const struct nm_process_key *key,
				      struct task_struct *task)
{
	const struct mm_struct *mm = TASK_READ(task, mm);
	struct nm_args *a;

	if (!mm || bpf_map_update_elem(&args, key, &new_args, BPF_ANY))
		return;
	a = bpf_map_lookup_elem(&args, key);
	if (a)
		copy_args(a, mm);
}

#endif
