/* SPDX-License-Identifier: MIT */
/*
 * A kernel does not run a tracing program while the same one is under way on
 * the same CPU (ca06f55b9002, 5.12). Where tasks can be preempted inside the
 * kernel, that loses calls: one task is preempted in the middle of a program,
 * and until it runs again the calls of all others on that CPU are not seen.
 *
 * There, everything is loaded and attached several times. The programs of the
 * other objects, the understudies, run right behind those of the first, one
 * after the other, and one of them plays if those before it did not appear.
 * A call is lost only if all are under way on its CPU at once. What may be
 * done twice (a state, an end, how far a reader has come) simply is; what must
 * not, asks my_call().
 */
#ifndef NM_UNDERSTUDY_BPF_H
#define NM_UNDERSTUDY_BPF_H

#include "config.bpf.h"
#include "task.bpf.h"

/*
 * Who has seen the call that this task is in, and that it is counted: a bit
 * for each player. 0: nobody yet.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} seen SEC(".maps");

/* Is this call this program's to count? To be asked once a program. */
static __always_inline bool my_call(void)
{
	__u32 me = 1U << player, last = 1U << (players - 1);
	bool mine;
	__u32 *by;

	if (players == 1)
		return true;
	by = bpf_task_storage_get(&seen, bpf_get_current_task_btf(), 0,
				  BPF_LOCAL_STORAGE_GET_F_CREATE);
	/* No memory for the mark: leave it to the last. */
	if (!by)
		return me == last;
	/*
	 * The first begins a call. If it is not there, the next does: it finds
	 * nothing, or what it has seen before, because the last was not there
	 * to clear it.
	 */
	mine = player == 0 || *by == 0 || *by & me;
	*by = me == last ? 0 : mine ? me : *by | me;
	return mine;
}

#endif
