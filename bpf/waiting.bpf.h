/* SPDX-License-Identifier: MIT */
/*
 * What was on the wire, added up; and what of it waits in the state of a
 * socket, for somebody to use it.
 */
#ifndef NM_WAITING_BPF_H
#define NM_WAITING_BPF_H

#include "flow.bpf.h"

static __always_inline void wire_add_sent(struct nm_wire *to,
					  const struct nm_wire *w)
{
	if (!w->tx_packets)
		return;
	__sync_fetch_and_add(&to->tx_bytes, w->tx_bytes);
	__sync_fetch_and_add(&to->tx_packets, w->tx_packets);
	if (w->tx_split)
		__sync_fetch_and_add(&to->tx_split, w->tx_split);
}

static __always_inline void wire_add_received(struct nm_wire *to,
					      const struct nm_wire *w)
{
	if (!w->rx_packets)
		return;
	__sync_fetch_and_add(&to->rx_bytes, w->rx_bytes);
	__sync_fetch_and_add(&to->rx_packets, w->rx_packets);
	if (w->rx_split)
		__sync_fetch_and_add(&to->rx_split, w->rx_split);
}

static __always_inline void wire_add(struct nm_wire *to,
				     const struct nm_wire *w)
{
	wire_add_sent(to, w);
	wire_add_received(to, w);
}

static __always_inline bool wire_waits(const struct socket_state *state)
{
	return state->waiting.tx_packets || state->waiting.rx_packets;
}

/*
 * Of all that waits, for the ledger: loopback is not in it. What is sent before
 * anybody has used the socket is a connection's, which acknowledges; or it is
 * an answer by a socket of the kernel, which nobody will use.
 */
static __always_inline void wire_waiting(const struct socket_state *state,
					 __u32 ifindex,
					 const struct nm_wire *more)
{
	struct nm_lost *l = lost_here();
	struct nm_wire *waiting;

	if (!l || ifindex == NM_LOOPBACK_IFINDEX)
		return;
	waiting = &l->waiting[interval_now() & 1];
	wire_add_received(waiting, more);
	if (state->proto == NM_PROTO_TCP || state->proto == NM_PROTO_MPTCP)
		wire_add_sent(waiting, more);
}

/* The packet waits. */
static __always_inline void wire_wait(struct socket_state *state,
				      const struct nm_wire *w)
{
	if (!has_begun())
		return;
	if (!wire_waits(state))
		state->waits_at = state->ifindex;
	wire_add(&state->waiting, w);
	wire_waiting(state, state->waits_at, w);
}

/* Of which sockets somebody takes at this moment what waits. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u8);
} claims SEC(".maps");

/*
 * Takes what waits. Other processors may be adding at this moment, so it is
 * taken off, not cleared, and packets are read before their bytes, which are
 * added first: what comes between still counts as waiting. False: another
 * processor is taking it.
 */
static __always_inline bool wire_take(struct socket_state *state,
				      struct nm_wire *w)
{
	const volatile struct nm_wire *from = &state->waiting;
	__u32 waits_at = state->waits_at;
	struct nm_wire minus;
	__u8 one = 1;

	if (bpf_map_update_elem(&claims, &state->cookie, &one, BPF_NOEXIST))
		return false;
	w->tx_packets = from->tx_packets;
	w->rx_packets = from->rx_packets;
	w->tx_bytes = from->tx_bytes;
	w->rx_bytes = from->rx_bytes;
	w->tx_split = from->tx_split;
	w->rx_split = from->rx_split;
	minus = (struct nm_wire){
		.tx_bytes = -w->tx_bytes,
		.rx_bytes = -w->rx_bytes,
		.tx_packets = -w->tx_packets,
		.rx_packets = -w->rx_packets,
		.tx_split = -w->tx_split,
		.rx_split = -w->rx_split,
	};
	wire_add(&state->waiting, &minus);
	wire_waiting(state, waits_at, &minus);
	bpf_map_delete_elem(&claims, &state->cookie);
	return true;
}

/* What came before somebody used the socket is told as that one's. */
static __always_inline void wire_claim(struct nm_counters *c,
				       struct socket_state *state)
{
	struct nm_wire w;

	if (!wire_take(state, &w))
		return;
	wire_add(&c->wire, &w);
	c->ifindex = state->ifindex;
}

/* Last of all, because then packets on other processors are the owner's. */
static __always_inline void owner_known(struct socket_state *state, __u8 proto,
					const struct nm_process_key *owner)
{
	state->owner = *owner;
	state->use = use_by(owner);
	state->proto = proto;
	*(volatile __u8 *)&state->owned = 1;
}

/* What came for a connection that nobody has accepted is nobody's. */
static __always_inline void nobody_owns(struct socket_state *state, __u8 proto)
{
	const struct nm_process_key nobody = { .tgid = NM_NOBODY };

	owner_known(state, proto, &nobody);
}

/*
 * What came for a socket that nobody has used is the current process's, which
 * closes it: a port that was only bound, a connection that was accepted and
 * nothing else, the socket of SCTP where connections are accepted. A worker of
 * the kernel does it for somebody.
 */
static __always_inline void closer_owns(struct socket_state *state, __u8 proto,
					bool kernels_socket)
{
	struct nm_process *p;
	struct user user;

	user_get(&user, kernels_socket);
	p = user.kernel == kernels_socket ? process_get(&user) : NULL;
	if (!p) {
		nobody_owns(state, proto);
		return;
	}
	if (!state->netns)
		state->netns = p->netns;
	state->uid = user.uid;
	owner_known(state, proto, &user.process);
}

/* No flow will tell what waits for the socket: it is told without one. */
static __always_inline void wire_lose(struct socket_state *state)
{
	struct nm_lost *l = lost_here();
	__u32 ifindex = state->waits_at;
	struct nm_process *p;
	struct nm_wire w;

	if (!l || !wire_take(state, &w))
		return;
	if (!w.tx_packets && !w.rx_packets)
		return;
	__sync_fetch_and_add(&l->flows, 1);
	/* Not copied: the verifier counts each byte of the stack. */
	p = state->owned ? bpf_map_lookup_elem(&processes, &state->owner)
			 : NULL;
	if (!p) {
		wire_add(&l->wire, &w);
	} else if (ifindex == NM_LOOPBACK_IFINDEX) {
		wire_add(&p->lost.loopback, &w);
	} else {
		wire_add(&p->lost.wire, &w);
		/* In one piece, as flow_remember() does. */
		*(volatile __u64 *)&p->lost_at =
			(__u64)state->netns << 32 | ifindex;
	}
}

/* Segments sent again since the last time. */
static __always_inline void
tell_retrans(struct nm_counters *c, struct socket_state *state, __u32 total)
{
	__u32 more = total - state->retrans;

	if (!more)
		return;
	state->retrans = total;
	__sync_fetch_and_add(&c->retrans_packets, more);
}

#endif
