/* SPDX-License-Identifier: MIT */
/*
 * The kernel side's own log, for nm-collect -v. The level is constant at
 * load time: at 0 the verifier removes every trace of it.
 */
#ifndef NM_LOG_BPF_H
#define NM_LOG_BPF_H

#include "kernel.h"
#include "collect.h"
#include "config.bpf.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} messages SEC(".maps");

enum {
#define X(name, level, text) NM_LOG_LEVEL_##name = level,
	NM_LOG_MESSAGES(X)
#undef X
};

static __always_inline void log_write(__u32 message, __u32 level, __u64 a,
				      __u64 b)
{
	struct nm_log *l = bpf_ringbuf_reserve(&messages, sizeof(*l), 0);

	if (!l)
		return;
	l->message = message;
	l->level = level;
	l->a = a;
	l->b = b;
	bpf_ringbuf_submit(l, 0);
}

#define LOG(name, a, b)                                                      \
	do {                                                                 \
		if (log_level && log_level >= NM_LOG_LEVEL_##name)           \
			log_write(NM_LOG_##name, NM_LOG_LEVEL_##name, a, b); \
	} while (0)

#endif
