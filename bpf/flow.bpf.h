/* SPDX-License-Identifier: MIT */
/*
 * Where bytes are counted: for the process, and for the flow if there is
 * room. Every byte that comes in here is in exactly one flow entry, or in
 * the process's lost_detail, or (no room for the process) in `lost`.
 */
#ifndef NM_FLOW_BPF_H
#define NM_FLOW_BPF_H

#include "process.bpf.h"
#include "socket.bpf.h"

/*
 * Two maps take turns. nm-collect puts the empty one into the slot; the
 * kernel returns from that call only when no program uses the other any more
 * (map_update_elem on a map of maps waits for an RCU grace period, commit
 * 1ae80cf31938), so the other can be read and emptied without a race. What a
 * drain costs thus depends on the flows that moved bytes, not on those that
 * are open.
 */
struct flow_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct nm_flow_key);
	__type(value, struct nm_flow);
} flows_a SEC(".maps")
, flows_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct flow_map);
} flows SEC(".maps")
= {
	.values = { &flows_a },
};

/* The flow's entry, made if it is not there; without sk, laddr is unknown. */
static __always_inline struct nm_flow *
flow_get(struct sock *sk, struct nm_flow_key *key, struct socket_state *state)
{
	struct nm_flow *f, first = {};
	__u32 zero = 0;
	void *map;

	map = bpf_map_lookup_elem(&flows, &zero);
	if (!map)
		return NULL;
	f = bpf_map_lookup_elem(map, key);
	if (f)
		return f;

	if (sk)
		socket_laddr(sk, first.laddr);
	if (state) {
		first.lport = state->lport;
		first.dir = state->dir;
	}
	bpf_map_update_elem(map, key, &first, BPF_NOEXIST);
	LOG(FLOW_NEW, key->process.tgid, key->cookie);
	return bpf_map_lookup_elem(map, key);
}

static __always_inline void flow_key(struct nm_flow_key *key, struct sock *sk,
				     struct socket_state *state,
				     const struct peer *peer)
{
	key->cookie = socket_cookie(sk, state);
	key->proto = socket_proto(sk);
	key->peer = 0;
	key->netns = socket_netns(sk);
	socket_raddr(sk, key->raddr, &key->rport);
	if (peer) {
		__builtin_memcpy(key->raddr, peer->addr, sizeof(key->raddr));
		key->rport = peer->port;
		key->peer = 1;
	}
}

/* What is learnt of a socket at its use, in the context of its user. */
static __always_inline void socket_used(struct socket_state *state,
					struct sock *sk, __u8 dir,
					const struct nm_process_key *owner)
{
	__u16 port = sk->__sk_common.skc_num;

	if (!state->dir)
		state->dir = dir;
	if (port && sk->sk_type != SOCK_RAW)
		state->lport = port;
	state->netns = socket_netns(sk);
	state->proto = socket_proto(sk);
	state->owner = *owner;
	state->owned = 1;
}

/* Counts bytes that the current process sent or received. */
static __always_inline void account(struct sock *sk, bool sent, __u64 bytes,
				    const struct peer *peer)
{
	struct nm_flow_key key = {};
	struct socket_state *state;
	struct nm_process *p;
	struct nm_lost *l;
	struct nm_flow *f;
	bool stream;

	p = process_get(&key.process, socket_is_kernels(sk));
	if (!p) {
		l = lost_here();
		if (!l)
			return;
		__sync_fetch_and_add(&l->processes, 1);
		__sync_fetch_and_add(sent ? &l->tx_bytes : &l->rx_bytes, bytes);
		return;
	}
	__sync_fetch_and_add(sent ? &p->tx_bytes : &p->rx_bytes, bytes);

	/* Of a connection we were told who opened it, or missed it. */
	stream = sk->sk_protocol == IPPROTO_TCP ||
		 sk->sk_protocol == IPPROTO_MPTCP;
	state = socket_state(sk, true);
	if (state)
		socket_used(state, sk,
			    stream ? NM_DIR_UNKNOWN
			    : sent ? NM_DIR_OUT
				   : NM_DIR_IN,
			    &key.process);

	flow_key(&key, sk, state, peer);
	f = flow_get(sk, &key, state);
	if (f) {
		__sync_fetch_and_add(sent ? &f->tx_bytes : &f->rx_bytes, bytes);
		return;
	}
	__sync_fetch_and_add(sent ? &p->tx_lost_detail : &p->rx_lost_detail,
			     bytes);
	l = lost_here();
	if (l)
		__sync_fetch_and_add(&l->flows, 1);
	LOG(FLOW_FULL, key.process.tgid, 0);
}

/*
 * The socket was connected or closed: says so in the flow of the process that
 * used it last, which is not always the current one.
 */
static __always_inline void
flow_changed(struct sock *sk, struct socket_state *state, bool closed)
{
	struct nm_flow_key key = {};
	struct nm_flow *f;

	key.process = state->owner;
	if (!bpf_map_lookup_elem(&processes, &key.process))
		return;
	flow_key(&key, sk, state, NULL);
	f = flow_get(sk, &key, state);
	if (f && closed)
		f->closed = 1;
	if (closed)
		LOG(FLOW_CLOSED, key.process.tgid, key.cookie);
}

#endif
