/* SPDX-License-Identifier: MIT */
/*
 * The way out of first bytes (--peek): each packet's in a message of its own,
 * which nm-collect puts with the flow.
 */
#ifndef NM_HEADS_BPF_H
#define NM_HEADS_BPF_H

#include "flow.bpf.h"

/* nm-collect sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} heads SEC(".maps");

static __always_inline void head_lost(void)
{
	struct nm_lost *l = lost_here();

	if (l)
		l->heads++;
}

/* Woken up only when it fills up: it is read once an interval. */
static __always_inline __u64 heads_flags(void)
{
	return bpf_ringbuf_query(&heads, BPF_RB_AVAIL_DATA) > NM_HEADS_WAKE
		       ? BPF_RB_FORCE_WAKEUP
		       : BPF_RB_NO_WAKEUP;
}

/*
 * Is the number of bytes one of 1 to max? A signed one, as only then older
 * verifiers see that it is not 0; and asked in two steps, which the compiler is
 * not to make one.
 */
#define head_has_room(bytes, max)           \
	({                                  \
		barrier_var(bytes);         \
		(bytes) > 0 && ({           \
			barrier_var(bytes); \
			(bytes) <= (max);   \
		});                         \
	})

/* bytes: has room; of which the verifier must not be asked again. */
static __always_inline void head_fill(struct __sk_buff *skb, __u32 at,
				      const struct nm_head_about *about,
				      __s64 bytes, const __u32 room)
{
	struct nm_head *h;

	h = bpf_ringbuf_reserve(&heads, sizeof(h->about) + room, 0);
	if (!h) {
		head_lost();
		return;
	}
	h->about = *about;
	if (bpf_skb_load_bytes(skb, at, h->data, bytes))
		bpf_ringbuf_discard(h, 0);
	else
		bpf_ringbuf_submit(h, heads_flags());
}

/* From a packet, the bytes at that place. */
static __always_inline void head_send(struct __sk_buff *skb, __u32 at,
				      const struct nm_head_about *about)
{
	__s64 bytes = about->bytes;

	if (!head_has_room(bytes, NM_HEAD_MAX))
		return;
	if (bytes > NM_HEAD_SHORT)
		head_fill(skb, at, about, bytes, NM_HEAD_MAX);
	else
		head_fill(skb, at, about, bytes, NM_HEAD_SHORT);
}

/* From memory. */
static __always_inline void head_copy(struct nm_head *h)
{
	__s64 bytes = h->about.bytes;

	if (!head_has_room(bytes, NM_HEAD_MAX))
		return;
	if (bpf_ringbuf_output(&heads, h, sizeof(h->about) + bytes,
			       heads_flags()))
		head_lost();
}

#endif
