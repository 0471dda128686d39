/* SPDX-License-Identifier: MIT */
/*
 * The flows of an interval: finding the counters of one, or making it.
 *
 * That is done at each call and each packet, and what it takes is mostly the
 * memory that it touches. So a socket remembers where the counters of its last
 * user are, and only if that is of an earlier interval, or another uses it, or
 * each datagram has a remote side of its own, they are looked for by key.
 */
#ifndef NM_FLOW_BPF_H
#define NM_FLOW_BPF_H

#include "process.bpf.h"
#include "socket.bpf.h"

/* --- Intervals --- */

/*
 * nm-collect begins the next interval by its number, and then changes a map of
 * maps: the kernel returns from that call only when no program is under way
 * that has read the old number (it waits for an RCU grace period, commit
 * 1ae80cf31938). So what the last interval has can be read and emptied without
 * a race, and costs by the flows that moved bytes, not by those that are open.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nm_turn);
} turn SEC(".maps");

struct grace_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} grace_inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct grace_map);
} grace SEC(".maps")
= {
	.values = { &grace_inner },
};

/* nm-collect sets the sizes of both, and of the counters. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct nm_flow_key);
	__type(value, struct nm_flow);
} flows_a SEC(".maps")
, flows_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nm_counters);
} counters SEC(".maps");

/* Which slots are taken, where atomic operations do not tell. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} slots_taken SEC(".maps");

static __always_inline struct nm_turn *turn_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&turn, &zero);
}

static __always_inline __u32 interval_now(void)
{
	const struct nm_turn *t = turn_get();

	return t ? *(const volatile __u32 *)&t->interval : 0;
}

/* Is what is counted now told? */
static __always_inline bool has_begun(void)
{
	return interval_now() != NM_BEFORE;
}

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

/* --- Finding --- */

static __always_inline struct nm_counters *counters_at(__u32 slot)
{
	return bpf_map_lookup_elem(&counters, &slot);
}

/* Where the counters of the socket's last user are. */
static __always_inline struct nm_counters *
flow_last(const struct socket_state *state, __u32 interval)
{
	__u64 last = *(const volatile __u64 *)&state->last;

	return last >> 32 == interval ? counters_at(last) : NULL;
}

static __always_inline void flow_remember(struct socket_state *state,
					  __u32 interval, __u32 slot)
{
	/* In one piece: another processor may be reading it. */
	*(volatile __u64 *)&state->last = (__u64)interval << 32 | slot;
}

static __always_inline const struct nm_flow *
flow_lookup(const struct nm_flow_key *key, __u32 interval)
{
	return interval & 1 ? bpf_map_lookup_elem(&flows_b, key)
			    : bpf_map_lookup_elem(&flows_a, key);
}

static __always_inline struct nm_counters *
flow_find(const struct nm_flow_key *key, __u32 interval)
{
	const struct nm_flow *f = flow_lookup(key, interval);

	return f ? counters_at(f->slot) : NULL;
}

/* --- Making --- */

/* A slot that nobody has in this interval. False: all are taken. */
static __always_inline bool slot_take(__u32 interval, __u32 *slot)
{
	__u32 half = interval & 1, first = half ? slots : 0, n = 0;
	__u32 taken;
	struct nm_turn *t = turn_get();
	__u8 one = 1;

	if (!t || t->taken[half] >= slots)
		return false;
	if (fetches) {
		n = __sync_fetch_and_add(&t->taken[half], 1);
		*slot = first + n;
		return n < slots;
	}
#pragma unroll
	for (__u32 i = 0; i < NM_SLOT_TRIES; i++) {
		taken = *(const volatile __u32 *)&t->taken[half];
		/* Behind the last try, so that no slot is passed over. */
		n = i && n + 1 > taken ? n + 1 : taken;
		*slot = first + n;
		if (n < slots && bpf_map_update_elem(&slots_taken, slot, &one,
						     BPF_NOEXIST) == 0) {
			__sync_fetch_and_add(&t->taken[half], 1);
			return true;
		}
	}
	return false;
}

/* Makes the entry, if nobody was faster. NULL: no room. */
static __always_inline struct nm_counters *
flow_add(const struct nm_flow_key *key, struct nm_flow *first,
	 const struct nm_process_key *process, __u32 interval)
{
	struct nm_counters *c = NULL;
	const struct nm_flow *f;
	long error = -1;

	if (slot_take(interval, &first->slot))
		c = counters_at(first->slot);
	if (c) {
		c->process = *process;
		error = interval & 1 ? bpf_map_update_elem(&flows_b, key, first,
							   BPF_NOEXIST)
				     : bpf_map_update_elem(&flows_a, key, first,
							   BPF_NOEXIST);
	}
	if (!error) {
		LOG(FLOW_NEW, process->tgid, key->cookie);
		return c;
	}
	f = flow_lookup(key, interval);
	if (!f) {
		LOG(FLOW_FULL, process->tgid, 0);
		return NULL;
	}
	/* For the caller, who remembers it; the other is left unused. */
	first->slot = f->slot;
	return counters_at(f->slot);
}

static __always_inline void set_peer(struct nm_flow *first,
				     const struct peer *peer)
{
	__builtin_memcpy(first->raddr, peer->addr, sizeof(first->raddr));
	first->rport = peer->port;
	first->peer = 1;
}

/*
 * Where there is a state, from it: the verifier takes 1 ms for each way to
 * follow sk to its namespace. Volatile, or else clang joins it with the load
 * from sk, and the verifier refuses one instruction for two kinds of pointer.
 */
static __always_inline void flow_kind(struct nm_flow *first,
				      const struct sock *sk,
				      const volatile struct socket_state *state)
{
	if (state) {
		first->proto = state->proto;
		first->netns = state->netns;
	} else {
		first->proto = socket_proto(sk);
		first->netns = socket_netns(sk);
	}
}

/*
 * The entry of a use of the socket. Without a peer, the user is the owner of
 * the state, which remembers it.
 */
static __always_inline struct nm_counters *
flow_get(const struct nm_flow_key *key, const struct nm_process_key *process,
	 struct sock *sk, struct socket_state *state, const struct peer *peer,
	 __u32 interval)
{
	const struct nm_flow *f = flow_lookup(key, interval);
	struct nm_flow first = {};
	struct nm_counters *c;

	if (f) {
		first.slot = f->slot;
		c = counters_at(f->slot);
	} else {
		flow_kind(&first, sk, state);
		socket_laddr(sk, first.laddr);
		socket_raddr(sk, first.raddr, &first.rport);
		if (peer)
			set_peer(&first, peer);
		if (state) {
			first.lport = state->lport;
			first.dir = state->dir;
		}
		c = flow_add(key, &first, process, interval);
	}
	if (c && state && !peer)
		flow_remember(state, interval, first.slot);
	return c;
}

/* --- Without one --- */

/* Bytes that are in no flow. p: whose they are; NULL: no room to know it. */
static __always_inline void lose(struct nm_process *p, bool sent, __u64 bytes)
{
	struct nm_lost *l = lost_here();

	if (!has_begun())
		return;
	if (p)
		__sync_fetch_and_add(
			sent ? &p->lost.tx_bytes : &p->lost.rx_bytes, bytes);
	if (!l)
		return;
	__sync_fetch_and_add(p ? &l->flows : &l->processes, 1);
	if (!p)
		__sync_fetch_and_add(sent ? &l->tx_bytes : &l->rx_bytes, bytes);
}

#endif
