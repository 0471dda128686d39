/* SPDX-License-Identifier: MIT */
/*
 * Where bytes that a process sent or received are counted. Every byte that
 * comes in here is in exactly one flow entry, or in the process's `lost`, or
 * (no room for the process) in the map of that name.
 */
#ifndef NM_ACCOUNT_BPF_H
#define NM_ACCOUNT_BPF_H

#include "server.bpf.h"
#include "waiting.bpf.h"

/* What is learnt of a socket at its use, in the context of its user. */
static __always_inline void socket_used(struct socket_state *state,
					struct sock *sk, bool sent,
					const struct user *user)
{
	__u16 port = sk->__sk_common.skc_num;

	/* Of a connection we were told who opened it, or missed it. */
	if (!state->dir && !is_stream(sk->sk_protocol, sk->sk_type))
		state->dir = sent ? NM_DIR_OUT : NM_DIR_IN;
	if (port && sk->sk_type != SOCK_RAW)
		state->lport = port;
	state->proto = socket_proto(sk);
	state->uid = user->uid;
	state->use = use_by(&user->process);
	state->owner = user->process;
	state->last = 0;
	socket_cookie(sk, state);
	state->owned = 1;
	if (state->dir == NM_DIR_IN && is_stream(sk->sk_protocol, sk->sk_type))
		server_note(state);
}

static __always_inline bool is_process(const struct nm_process_key *a,
				       const struct nm_process_key *b)
{
	return a->tgid == b->tgid && a->start_ns == b->start_ns;
}

static __always_inline bool is_owner(const struct socket_state *state,
				     const struct user *user)
{
	return state->owned && is_process(&state->owner, &user->process) &&
	       state->uid == user->uid;
}

/* The first use in an interval, or by another than the last. */
static __always_inline struct nm_counters *
account_first(struct nm_flow_key *key, struct sock *sk, bool sent,
	      struct socket_state *state, const struct user *user,
	      const struct peer *peer, __u32 interval)
{
	struct nm_counters *c;

	if (state)
		socket_used(state, sk, sent, user);
	key->cookie = socket_cookie(sk, state);
	key->use = use_by(&user->process);
	if (peer)
		key->use = use_with(key->use, peer);
	c = flow_get(key, &user->process, sk, state, peer, interval);
	if (c && state && wire_waits(state))
		wire_claim(c, state);
	else if (!c && state && wire_waits(state))
		wire_lose(state);
	return c;
}

/* By key: see flow.bpf.h. */
static __always_inline struct nm_counters *
account_by_key(struct sock *sk, struct socket_state *state, bool sent,
	       __u64 bytes, const struct user *user, const struct peer *peer,
	       __u32 interval)
{
	struct nm_flow_key key = {};
	struct nm_counters *c = NULL;
	struct nm_process *p;

	if (peer && state && is_owner(state, user)) {
		key.cookie = state->cookie;
		/* Not the state's: by now it may be another's. */
		key.use = use_with(use_by(&user->process), peer);
		c = flow_find(&key, interval);
	}
	if (c)
		return c;
	p = process_get(user);
	if (p)
		c = account_first(&key, sk, sent, state, user, peer, interval);
	if (!c)
		lose(p, sent, bytes);
	return c;
}

/*
 * Counts bytes that the current process sent or received. Without state, there
 * is no memory for it. Where they are counted, or NULL: in no flow.
 */
static __always_inline struct nm_counters *
account_known(struct sock *sk, struct socket_state *state, bool sent,
	      __u64 bytes, const struct peer *peer)
{
	__u32 interval = interval_now();
	struct nm_counters *c = NULL;
	struct user user;

	user_get(&user, socket_is_kernels(sk));
	if (state && !peer && state->uid == user.uid)
		c = flow_last(state, interval);
	if (!c || !is_process(&c->process, &user.process))
		c = account_by_key(sk, state, sent, bytes, &user, peer,
				   interval);
	if (c)
		__sync_fetch_and_add(sent ? &c->tx_bytes : &c->rx_bytes, bytes);
	return c;
}

static __always_inline struct nm_counters *
account(struct sock *sk, bool sent, __u64 bytes, const struct peer *peer)
{
	return account_known(sk, socket_state(sk, true), sent, bytes, peer);
}

#define ETHERNET_HEADER 14

/*
 * A frame that a program makes itself (dhclient and arping do): it passes no
 * meter of IP packets, so it is told as one.
 */
static __always_inline void frame_counted(struct nm_counters *c,
					  struct sock *sk, __u64 bytes)
{
	struct packet_sock *p = (struct packet_sock *)sk;

	if (sk->sk_type == SOCK_RAW && bytes > ETHERNET_HEADER)
		bytes -= ETHERNET_HEADER;
	__sync_fetch_and_add(&c->wire.tx_bytes, bytes);
	__sync_fetch_and_add(&c->wire.tx_packets, 1);
	if (may_read && bpf_core_field_exists(p->ifindex))
		c->ifindex = BPF_CORE_READ(p, ifindex);
}

/*
 * The socket was connected or closed: says so in the flow of the process that
 * used it last, which is not always the current one.
 */
static __always_inline void
flow_changed(struct sock *sk, struct socket_state *state, bool closed)
{
	struct nm_process_key owner = state->owner;
	struct nm_flow_key key = {
		.cookie = socket_cookie(sk, state),
		.use = use_by(&owner),
	};
	struct tcp_sock *tp = closed ? socket_tcp(sk) : NULL;
	struct nm_counters *c = NULL;
	__u32 rest = 0;

	/* Or torn: another becomes it at this moment, but not at its end. */
	if (closed || key.use == state->use)
		c = flow_get(&key, &owner, sk, state, NULL, interval_now());
	if (c && wire_waits(state))
		wire_claim(c, state);
	else if (!c && closed && wire_waits(state))
		wire_lose(state);
	if (by_packets && tp)
		rest = received_since(state, tp->rcv_nxt,
				      socket_flag(sk, SOCK_DONE));
	if (!c && rest)
		lose(bpf_map_lookup_elem(&processes, &owner), false, rest);
	if (!c || !closed)
		return;
	if (tp)
		tell_retrans(c, state, tp->total_retrans);
	if (rest)
		__sync_fetch_and_add(&c->rx_bytes, rest);
	c->closed = 1;
	LOG(FLOW_CLOSED, owner.tgid, key.cookie);
}

#endif
