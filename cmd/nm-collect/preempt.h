/* SPDX-License-Identifier: MIT */
/*
 * Can a task be preempted while it is inside the kernel? There, a tracing
 * program may miss calls; see bpf/understudy.bpf.h.
 */
#ifndef NM_PREEMPT_H
#define NM_PREEMPT_H

#include <stdbool.h>

/* True also where it cannot be told: then the dearer way is the safe one. */
bool kernel_preempts(void);

#endif
