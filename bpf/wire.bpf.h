/* SPDX-License-Identifier: MIT */
/*
 * The wire meter: each IP packet of a socket, where it leaves for an interface
 * and where it is given to its socket, at the root cgroup and so in all network
 * namespaces. Whose it is, the programs of the backend have noted at the last
 * use of the socket: a packet comes at any time, on top of any process.
 *
 * They always return 1: go on.
 */
#ifndef NM_WIRE_BPF_H
#define NM_WIRE_BPF_H

#include "packet.bpf.h"
#include "peek.bpf.h"
#include "server.bpf.h"
#include "waiting.bpf.h"

/*
 * The connection that a TCP socket carries a part of, if it does: the program
 * has no other. Kernels whose BTF lacks the helper (added in 5.19) have their
 * subflows told as nobody's.
 */
static __always_inline struct socket_state *mptcp_state(struct bpf_sock *sk)
{
	struct socket_state *state;
	struct mptcp_sock *msk;

	if (legacy || !bpf_core_enum_value_exists(enum bpf_func_id,
						  BPF_FUNC_skc_to_mptcp_sock))
		return NULL;
	msk = bpf_skc_to_mptcp_sock(sk);
	if (!msk)
		return NULL;
	state = bpf_sk_storage_get(&sockets, msk, 0,
				   BPF_SK_STORAGE_GET_F_CREATE);
	/* Here, and not by the subflow, which is TCP. */
	if (state && !state->proto)
		state->proto = NM_PROTO_MPTCP;
	return state;
}

static __always_inline struct socket_state *wire_state(struct bpf_sock *sk)
{
	struct socket_state *state, *whole;

	if (legacy)
		return state_by_address((__u64)(long)sk, true);
	state = bpf_sk_storage_get(&sockets, sk, 0,
				   BPF_SK_STORAGE_GET_F_CREATE);
	if (!state || state->owned || !is_tcp(sk->protocol, sk->type))
		return state;
	whole = mptcp_state(sk);
	return whole ? whole : state;
}

static __always_inline void copy_sock_v6(__u32 to[4], const __u32 from[4])
{
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

/*
 * As flow_get() does, but with what a program here may see of a socket. Its
 * local address is not to be seen in cgroup/sock_release.
 */
static __always_inline struct nm_counters *
wire_flow(struct bpf_sock *sk, bool laddr, struct socket_state *state,
	  const struct peer *peer, __u32 interval)
{
	struct nm_flow_key key = { .cookie = state->cookie, .use = state->use };
	struct nm_process_key owner;
	struct nm_flow first = {};
	const struct nm_flow *f;
	struct nm_counters *c;
	__u64 use = key.use;

	if (peer)
		key.use = use_with(key.use, peer);
	f = flow_lookup(&key, interval);
	if (f) {
		first.slot = f->slot;
		c = counters_at(f->slot);
	} else {
		owner = state->owner;
		/* Another becomes it at this moment: the next tells it. */
		if (use_by(&owner) != use)
			return NULL;
		first.proto = state->proto;
		first.netns = state->netns;
		first.dir = state->dir;
		first.rport = sk->dst_port;
		/* A raw socket has its protocol there. */
		if (laddr && !state->lport && sk->type != SOCK_RAW)
			state->lport = sk->src_port;
		first.lport = state->lport;
		if (sk->family == AF_INET) {
			if (laddr)
				map_v4((__u32 *)first.laddr, sk->src_ip4);
			map_v4((__u32 *)first.raddr, sk->dst_ip4);
		} else {
			if (laddr)
				copy_sock_v6((__u32 *)first.laddr, sk->src_ip6);
			copy_sock_v6((__u32 *)first.raddr, sk->dst_ip6);
		}
		if (peer)
			set_peer(&first, peer);
		c = flow_add(&key, &first, &owner, interval);
	}
	if (c && !peer)
		flow_remember(state, interval, first.slot);
	return c;
}

/* Has a socket of this kind remote sides of its own for each datagram? */
static __always_inline bool is_open_to_all(const struct bpf_sock *sk)
{
	return !is_stream(sk->protocol, sk->type) &&
	       sk->state != TCP_ESTABLISHED;
}

/* Payload. */
struct moved {
	__u32 tx_bytes, rx_bytes;
};

/* There was no memory to know the socket by. */
static __always_inline void wire_unknown(const struct nm_wire *w)
{
	struct nm_lost *l = lost_here();

	if (l && has_begun())
		wire_add(&l->wire, w);
}

static __always_inline struct bpf_tcp_sock *wire_tcp_sock(struct bpf_sock *sk)
{
	return is_tcp(sk->protocol, sk->type) ? bpf_tcp_sock(sk) : NULL;
}

static __always_inline void wire_tcp(struct bpf_sock *sk, struct nm_counters *c,
				     struct socket_state *state)
{
	struct bpf_tcp_sock *tp = wire_tcp_sock(sk);

	if (!tp)
		return;
	c->rtt_us = tp->srtt_us >> 3; /* kept as 8 times it */
	tell_retrans(c, state, tp->total_retrans);
}

/* The sequence numbers of a socket are its own, not its MPTCP connection's. */
static __always_inline struct socket_state *tcp_state(struct bpf_sock *sk)
{
	return bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

/*
 * What of a TCP segment was not sent before: by the sequence numbers, so that
 * it does not matter in which packets.
 */
static __always_inline __u32 tcp_sent(struct socket_state *state, __u32 end,
				      __u32 bytes, __u8 flags)
{
	__s32 ahead = end - state->sent_seq;

	if (!state->sent_known) {
		/* A SYN takes a number, and is no byte. */
		state->sent_seq = end + (flags & TCP_FLAG_SYN ? 1 : 0);
		state->sent_known = 1;
		return bytes;
	}
	/* Nor is a FIN, but nothing comes behind it. */
	if (!bytes || ahead <= 0)
		return 0;
	state->sent_seq = end;
	return ahead;
}

/* The state follows a FIN, but not yet where it is acknowledged in FIN_WAIT. */
static __always_inline bool fin_came(__u32 state)
{
	return state == BPF_TCP_CLOSE_WAIT || state == BPF_TCP_LAST_ACK ||
	       state == BPF_TCP_CLOSING || state == BPF_TCP_TIME_WAIT;
}

/*
 * Counts a packet of a connection. What was received is counted when a packet
 * acknowledges it, most often under the socket's lock, or by flow_changed() at
 * the end; what an MPTCP subflow has not acknowledged when it is reset is not.
 */
static __always_inline void
tcp_payload(struct __sk_buff *skb, struct bpf_sock *sk, struct bpf_tcp_sock *tp,
	    __u32 ip_len, __u32 bytes, struct moved *moved, bool sent)
{
	struct socket_state *state = tcp_state(sk);
	__be32 number = 0;
	__u8 flags = 0;
	__u32 end;

	if (!state)
		return;
	bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_SEQ, &number,
			   sizeof(number));
	bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_FLAGS, &flags, 1);
	end = bpf_ntohl(number) + bytes;
	if (sent) {
		moved->tx_bytes = tcp_sent(state, end, bytes, flags);
		if (sk->state != TCP_SYN_SENT && sk->state != TCP_SYN_RECV)
			moved->rx_bytes = received_since(state, tp->rcv_nxt,
							 fin_came(sk->state));
	} else if (flags & TCP_FLAG_FIN) {
		state->fin_seq = end;
		state->fin_known = 1;
	}
}

/* What the program sent and received, as far as packets tell it. */
static __always_inline void payload(struct __sk_buff *skb, struct bpf_sock *sk,
				    struct moved *moved, bool sent)
{
	__u32 ip_len = ip_header_len(skb), at, bytes;
	struct bpf_tcp_sock *tp = wire_tcp_sock(sk);

	find_data(skb, sk, ip_len, &at, &bytes);
	/* A raw socket of IPv4 gives the header to the program, too. */
	if (!sent && sk->type == SOCK_RAW && sk->family == AF_INET)
		bytes = skb->len;
	/* What comes for a listening socket, a new connection receives. */
	if (tp && sk->state == TCP_LISTEN)
		return;
	if (tp)
		tcp_payload(skb, sk, tp, ip_len, bytes, moved, sent);
	else if (sent)
		moved->tx_bytes = bytes;
	else
		moved->rx_bytes = bytes;
}

/* The counters of who used the socket last; see flow.bpf.h. */
static __always_inline struct nm_counters *
wire_counters(struct __sk_buff *skb, struct bpf_sock *sk,
	      struct socket_state *state, bool sent)
{
	__u32 interval = interval_now();
	struct nm_counters *c;
	struct peer peer = {};

	if (is_open_to_all(sk)) {
		packet_peer(&peer, skb, sent);
		return wire_flow(sk, true, state, &peer, interval);
	}
	c = flow_last(state, interval);
	return c ? c : wire_flow(sk, true, state, NULL, interval);
}

static __always_inline void lose_moved(struct socket_state *state,
				       const struct moved *moved)
{
	struct nm_process *p;

	if (!moved->tx_bytes && !moved->rx_bytes)
		return;
	p = bpf_map_lookup_elem(&processes, &state->owner);
	if (moved->tx_bytes)
		lose(p, true, moved->tx_bytes);
	if (moved->rx_bytes)
		lose(p, false, moved->rx_bytes);
}

/* Another becomes its owner at this moment, and will tell what waits. */
static __always_inline bool changes_hands(const struct socket_state *state)
{
	struct nm_process_key owner = state->owner;

	return use_by(&owner) != state->use;
}

/* Nothing comes behind it. */
static __always_inline bool is_reset(const struct bpf_sock *sk)
{
	return is_tcp(sk->protocol, sk->type) && sk->state == TCP_CLOSE;
}

static __always_inline void wire_count(struct __sk_buff *skb,
				       struct bpf_sock *sk, bool sent)
{
	struct socket_state *state;
	struct nm_counters *c;
	struct moved moved = {};
	struct nm_wire w = {};

	measure(&w, skb, sk, sent);
	state = wire_state(sk);
	if (!state) {
		wire_unknown(&w);
		return;
	}
	state->ifindex = skb->ifindex;
	peek(skb, sk, state, is_open_to_all(sk), sent);
	if (!state->owned)
		server_of_kernel(skb, sk, state);
	if (!state->owned) {
		/* On another processor somebody may just be using it. */
		if (!state->proto)
			state->proto = proto_of(sk->protocol, sk->type);
		wire_wait(state, &w);
		return;
	}
	if (sk->state == TCP_LISTEN)
		server_follow(state);
	if (by_packets && !state->cookie)
		state->cookie = bpf_get_socket_cookie(skb);
	if (by_packets && !state->dir && !is_stream(sk->protocol, sk->type))
		state->dir = sent ? NM_DIR_OUT : NM_DIR_IN;
	if (by_packets)
		payload(skb, sk, &moved, sent);
	c = wire_counters(skb, sk, state, sent);
	if (!c) {
		wire_wait(state, &w);
		lose_moved(state, &moved);
		if (wire_waits(state) &&
		    (!changes_hands(state) || is_reset(sk)))
			wire_lose(state);
		return;
	}
	wire_add(&c->wire, &w);
	/* What another processor added while the socket got its owner. */
	if (wire_waits(state))
		wire_claim(c, state);
	if (c->ifindex != skb->ifindex)
		c->ifindex = skb->ifindex;
	if (sent)
		wire_tcp(sk, c, state);
	if (moved.tx_bytes)
		__sync_fetch_and_add(&c->tx_bytes, moved.tx_bytes);
	if (moved.rx_bytes)
		__sync_fetch_and_add(&c->rx_bytes, moved.rx_bytes);
}

static __always_inline int wire(struct __sk_buff *skb, bool sent)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (sk)
		wire_count(skb, sk, sent);
	return 1;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	return wire(skb, true);
}

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb)
{
	return wire(skb, false);
}

#endif
