/* SPDX-License-Identifier: MIT */
/*
 * The flows of an interval: finding the entry of one, or making it.
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
	__uint(max_entries, 1); /* nm-collect sets it for both */
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

/* --- Keys: a multiplicative hash, a few instructions for each word --- */

static __always_inline __u64 mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL; /* 2^64 / 1.618... */
	return hash ^ hash >> 32;
}

static __always_inline __u64 use_by(const struct nm_process_key *process)
{
	return mix(mix(1, process->start_ns), process->tgid);
}

static __always_inline __u64 use_with(__u64 use, const struct peer *peer)
{
	return mix(mix(mix(use, peer->words[0]), peer->words[1]), peer->port);
}

/* --- Entries --- */

static __always_inline struct nm_flow *flow_find(const struct nm_flow_key *key)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(&flows, &zero);

	return map ? bpf_map_lookup_elem(map, key) : NULL;
}

/* Makes the entry, if nobody was faster. NULL: no room. */
static __always_inline struct nm_flow *flow_add(const struct nm_flow_key *key,
						const struct nm_flow *first)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(&flows, &zero);
	struct nm_flow *f;

	if (!map)
		return NULL;
	if (bpf_map_update_elem(map, key, first, BPF_NOEXIST) == 0)
		LOG(FLOW_NEW, first->process.tgid, key->cookie);
	f = bpf_map_lookup_elem(map, key);
	if (!f)
		LOG(FLOW_FULL, first->process.tgid, 0);
	return f;
}

static __always_inline void set_peer(struct nm_flow *first,
				     const struct peer *peer)
{
	__builtin_memcpy(first->raddr, peer->addr, sizeof(first->raddr));
	first->rport = peer->port;
	first->peer = 1;
}

/* The entry of a use of the socket. */
static __always_inline struct nm_flow *
flow_get(const struct nm_flow_key *key, const struct nm_process_key *process,
	 struct sock *sk, const struct socket_state *state,
	 const struct peer *peer)
{
	struct nm_flow *f = flow_find(key), first = {};

	if (f)
		return f;
	first.process = *process;
	first.proto = socket_proto(sk);
	first.netns = socket_netns(sk);
	socket_laddr(sk, first.laddr);
	socket_raddr(sk, first.raddr, &first.rport);
	if (peer)
		set_peer(&first, peer);
	if (state) {
		first.lport = state->lport;
		first.dir = state->dir;
	}
	return flow_add(key, &first);
}

/* --- What was on the wire --- */

static __always_inline void wire_add(struct nm_wire *to,
				     const struct nm_wire *w)
{
	if (w->tx_packets) {
		__sync_fetch_and_add(&to->tx_bytes, w->tx_bytes);
		__sync_fetch_and_add(&to->tx_packets, w->tx_packets);
		if (w->tx_split)
			__sync_fetch_and_add(&to->tx_split, w->tx_split);
	}
	if (w->rx_packets) {
		__sync_fetch_and_add(&to->rx_bytes, w->rx_bytes);
		__sync_fetch_and_add(&to->rx_packets, w->rx_packets);
		if (w->rx_split)
			__sync_fetch_and_add(&to->rx_split, w->rx_split);
	}
}

/* In every network namespace: include/net/flow.h */
#define LOOPBACK_IFINDEX 1

/* Of which sockets somebody takes over at this moment what waited. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u8);
} claims SEC(".maps");

/*
 * What came before somebody used the socket is told as that one's. Other
 * processors may be adding at this moment, so it is taken off, not cleared; and
 * if one of them is claiming it too, it is left to that one.
 */
static __always_inline void wire_claim(struct nm_flow *f,
				       struct socket_state *state)
{
	struct nm_lost *l = lost_here();
	struct nm_wire w, minus;
	__u8 one = 1;

	if (bpf_map_update_elem(&claims, &state->cookie, &one, BPF_NOEXIST))
		return;
	w = state->waiting;
	minus = (struct nm_wire){
		.tx_bytes = -w.tx_bytes,
		.rx_bytes = -w.rx_bytes,
		.tx_packets = -w.tx_packets,
		.rx_packets = -w.rx_packets,
		.tx_split = -w.tx_split,
		.rx_split = -w.rx_split,
	};
	wire_add(&f->wire, &w);
	wire_add(&state->waiting, &minus);
	f->ifindex = state->ifindex;
	if (l && state->ifindex != LOOPBACK_IFINDEX)
		wire_add(&l->waiting, &minus);
	bpf_map_delete_elem(&claims, &state->cookie);
}

/* The packet waits for somebody to use its socket. */
static __always_inline void wire_wait(struct socket_state *state,
				      const struct nm_wire *w)
{
	struct nm_lost *l = lost_here();

	wire_add(&state->waiting, w);
	if (l && state->ifindex != LOOPBACK_IFINDEX)
		wire_add(&l->waiting, w);
}

static __always_inline bool wire_waits(const struct socket_state *state)
{
	return state->waiting.tx_packets || state->waiting.rx_packets;
}

/* What came for a socket that nobody has used is nobody's. */
static __always_inline void nobody_owns(struct socket_state *state, __u8 proto)
{
	state->owner.start_ns = 0;
	state->owner.tgid = NM_NOBODY;
	state->use = use_by(&state->owner);
	state->proto = proto;
	state->owned = 1;
}

/* Nobody will tell what waits for the socket: it is told without it. */
static __always_inline void wire_lose(struct socket_state *state)
{
	struct nm_lost *l = lost_here();

	if (!l)
		return;
	wire_add(&l->wire, &state->waiting);
	state->waiting = (struct nm_wire){};
	__sync_fetch_and_add(&l->flows, 1);
}

/* Segments sent again since the last time. */
static __always_inline void
tell_retrans(struct nm_flow *f, struct socket_state *state, __u32 total)
{
	__u32 more = total - state->retrans;

	if (!more)
		return;
	state->retrans = total;
	__sync_fetch_and_add(&f->retrans_packets, more);
}

#endif
