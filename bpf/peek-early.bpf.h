/* SPDX-License-Identifier: MIT */
/*
 * First bytes that came with the last packet of the handshake. It comes at the
 * listening socket; the connection is made of it, at once and on the same
 * processor, and no program sees it there again.
 */
#ifndef NM_PEEK_EARLY_BPF_H
#define NM_PEEK_EARLY_BPF_H

#include "heads.bpf.h"
#include "packet.bpf.h"

struct early {
	__u32 seq;
	__u32 data; /* how much the packet has; the head may be shorter */
	__be16 rport;
	__be16 zero[3];
	struct nm_head head; /* of no bytes: none */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct early);
} early_heads SEC(".maps");

/* Keeps it, if it is one; sk listens. */
static __always_inline void peek_early(struct __sk_buff *skb,
				       const struct bpf_sock *sk)
{
	__u32 zero = 0, at, ip_len = ip_header_len(skb);
	struct early *e = bpf_map_lookup_elem(&early_heads, &zero);
	__s64 bytes;

	if (!e)
		return;
	e->head.about.bytes = 0;
	if (!find_data(skb, sk, ip_len, &at, &e->data))
		return;
	bytes = e->data < peek_bytes ? e->data : peek_bytes;
	bpf_skb_load_bytes(skb, ip_len, &e->rport, sizeof(e->rport));
	bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_SEQ, &e->seq,
			   sizeof(e->seq));
	e->seq = bpf_ntohl(e->seq);
	if (head_has_room(bytes, NM_HEAD_MAX) &&
	    !bpf_skb_load_bytes(skb, at, e->head.data, bytes))
		e->head.about.bytes = bytes;
}

/* The connection was made: sends it, if it is what comes next in it. */
static __always_inline void peek_accepted(struct sock *sk,
					  struct socket_state *state)
{
	struct tcp_sock *tp = socket_tcp(sk);
	struct early *e;
	__u32 zero = 0;

	/* A subflow of MPTCP has the other's cookie. */
	if (!tp || !has_begun() || (!legacy && tcp_has_ulp(tp)))
		return;
	e = bpf_map_lookup_elem(&early_heads, &zero);
	if (!e || !e->head.about.bytes || e->seq != tp->rcv_nxt ||
	    e->rport != sk->__sk_common.skc_dport)
		return;
	/* A legacy kernel has one only when somebody has opened it. */
	if (!state->cookie)
		socket_own_cookie(state);
	e->head.about.cookie = state->cookie;
	head_copy(&e->head);
	state->peeked.begun[false] = 1;
	state->peeked.next[false] = e->seq + e->data;
	state->peeked.packets[false] = 1;
	state->peeked.bytes[false] = e->head.about.bytes;
	e->head.about.bytes = 0;
}

#endif
