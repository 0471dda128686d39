/* SPDX-License-Identifier: MIT */
/*
 * Connections as they come and go, for all backends: who opened one, and
 * that it is closed.
 */
#ifndef NM_CONNECTION_BPF_H
#define NM_CONNECTION_BPF_H

#include "account.bpf.h"
#include "peek-early.bpf.h"

/*
 * A connection that was just made has been read up to here: what arrived is
 * counted in bytes_received (RFC 4898 tcpEStatsAppHCThruOctetsReceived) from
 * the first byte behind the SYN on.
 */
static __always_inline void start_reading(struct socket_state *state,
					  struct sock *sk)
{
	struct tcp_sock *tp = socket_tcp(sk);

	if (!tp)
		return;
	state->read_seq = tp->rcv_nxt - (__u32)tp->bytes_received;
	state->seq_known = 1;
}

/*
 * The current process connects, or listens, and so is told what packets come
 * before any byte is moved. These are the only changes of state that are sure
 * to be made by the process itself.
 */
static __always_inline void claimed(struct sock *sk, bool connects)
{
	struct socket_state *state = socket_state(sk, true);
	struct user user;
	__u32 netns;

	if (!state)
		return;
	state->listens = !connects;
	/* What it is for its connections, not what it was itself. */
	if (by_packets && !connects) {
		state->dir = 0;
		state->sent_known = 0;
		state->fin_known = 0;
	}
	if (!connects && state->owned)
		return;
	if (connects) {
		socket_cookie(sk, state);
		if (wire_waits(state))
			wire_lose(state);
		netns = state->netns;
		*state = new_socket;
		state->netns = netns;
		state->dir = NM_DIR_OUT;
	}
	/* The connection that a subflow carries a part of has its own user. */
	if (socket_is_kernels(sk) && (legacy || has_ulp(sk)))
		return;
	user_get(&user, socket_is_kernels(sk));
	if (!process_get(&user))
		return;
	socket_used(state, sk, true, &user);
	if (!connects)
		server_note(state);
}

/*
 * With TCP Fast Open (RFC 7413) a program may have read from the connection
 * by now: then it is known how far, and not from its beginning.
 */
static __always_inline void connected(struct sock *sk, bool by_us)
{
	struct socket_state *state = socket_state(sk, true);

	if (!state)
		return;
	/*
	 * When both sides open it at once, it is ours. SCTP does not tell who
	 * does, so there it is by who sends first.
	 */
	if (!by_us && is_stream(sk->sk_protocol, sk->sk_type) &&
	    state->dir != NM_DIR_OUT) {
		/* A copy of that of the listening socket. */
		if (by_packets) {
			state->waiting = (struct nm_wire){};
			state->cookie = 0;
			state->last = 0;
			state->sent_known = 0;
			state->fin_known = 0;
			state->listens = 0;
			state->peeked = (struct peeked){};
		}
		/* Its state is still that of the listening one. */
		if (sk->sk_protocol == IPPROTO_MPTCP && !state->cookie)
			socket_own_cookie(state);
		socket_cookie(sk, state);
		state->dir = NM_DIR_IN;
		if (peek_bytes)
			peek_accepted(sk, state);
	}
	state->lport = sk->__sk_common.skc_num;
	if (!legacy && (by_packets || !state->seq_known))
		start_reading(state, sk);
	/* One that MPTCP accepts gets its addresses a little later. */
	if (state->owned && sk->__sk_common.skc_dport)
		flow_changed(sk, state, false);
}

/* The current process closes it. */
static __always_inline void given_up(struct sock *sk)
{
	bool goes_on = ends_later(sk->sk_protocol, sk->sk_type,
				  sk->__sk_common.skc_state);
	struct socket_state *state = socket_state(sk, goes_on);

	if (!state || state->owned || (!goes_on && !wire_waits(state)))
		return;
	socket_cookie(sk, state);
	closer_owns(state, socket_proto(sk), socket_is_kernels(sk));
}

/*
 * It is over, in whatever context. Of a listening socket that is told if
 * packets came for it.
 */
static __always_inline void closed(struct sock *sk)
{
	struct socket_state *state = socket_state(sk, false);

	if (!state)
		return;
	if (!state->owned && wire_waits(state)) {
		socket_cookie(sk, state);
		nobody_owns(state, socket_proto(sk));
	}
	if (state->owned &&
	    (!state->listens || state->last || wire_waits(state)))
		flow_changed(sk, state, true);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_set_state, struct sock *sk, int oldstate, int newstate)
{
	if (!socket_is_inet(sk))
		return 0;
	if (newstate == TCP_SYN_SENT || newstate == TCP_LISTEN)
		claimed(sk, newstate == TCP_SYN_SENT);
	else if (newstate == TCP_ESTABLISHED)
		connected(sk, oldstate == TCP_SYN_SENT);
	else if (newstate == TCP_CLOSE)
		closed(sk);
	return 0;
}

#endif
