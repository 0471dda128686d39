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

#include "server.bpf.h"
#include "waiting.bpf.h"

#define ETH_P_IPV6 0x86dd

#define IPV4_OFFSET_PROTOCOL 9
#define IPV4_OFFSET_SADDR    12
#define IPV6_OFFSET_NEXT     6
#define IPV6_OFFSET_SADDR    8
#define IPV6_LEN	     40
#define IPV6_JUMBO_LEN	     8
#define IPPROTO_HOPOPTS	     0
#define TCP_OFFSET_SEQ	     4
#define TCP_OFFSET_DOFF	     12
#define TCP_OFFSET_FLAGS     13
#define TCP_FLAG_SYN	     2
#define UDP_LEN		     8

/* --- What is in the packet --- */

/*
 * Of extension headers, only that for each hop: the kernel puts it into packets
 * of more than 64 kB while it handles them as one (BIG TCP, 6.0).
 */
static __always_inline __u32 ip_header_len(struct __sk_buff *skb)
{
	__u8 first = 0, next = 0, units = 0;

	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		bpf_skb_load_bytes(skb, IPV6_OFFSET_NEXT, &next, 1);
		if (next != IPPROTO_HOPOPTS)
			return IPV6_LEN;
		bpf_skb_load_bytes(skb, IPV6_LEN + 1, &units, 1);
		return IPV6_LEN + 8 + 8 * units;
	}
	bpf_skb_load_bytes(skb, 0, &first, 1);
	return (first & 0xf) * 4;
}

/* Of the layer above IP, as far as packets of it may be joined. */
static __always_inline __u32 header_len(struct __sk_buff *skb,
					const struct bpf_sock *sk, __u32 ip_len)
{
	__u32 protocol = sk->protocol;
	__u8 doff = 0;

	if (sk->type == SOCK_RAW)
		return 0;
	if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)
		return UDP_LEN;
	if (!is_stream(protocol, sk->type))
		return 0;
	bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_DOFF, &doff, 1);
	return (doff >> 4) * 4;
}

/*
 * How many packets it is on the wire. A driver may know the size of the
 * segments and leave their number to others (virtio_net).
 */
static __always_inline __u32 segments(const struct __sk_buff *skb,
				      __u32 headers)
{
	__u32 size = skb->gso_size;

	if (skb->gso_segs > 1 || !size || skb->len <= headers + size)
		return skb->gso_segs > 1 ? skb->gso_segs : 1;
	return (skb->len - headers + size - 1) / size;
}

static __always_inline void measure(struct nm_wire *w, struct __sk_buff *skb,
				    const struct bpf_sock *sk, bool sent)
{
	__u64 bytes = skb->len, packets = 1, split = 0;
	__u32 headers, ip_len;

	if (skb->gso_size) {
		ip_len = ip_header_len(skb);
		headers = ip_len + header_len(skb, sk, ip_len);
		/* Extension headers of a stream are this one, if any. */
		if (ip_len == IPV6_LEN + IPV6_JUMBO_LEN &&
		    skb->len > 0xffff + IPV6_LEN) {
			headers -= IPV6_JUMBO_LEN;
			bytes -= IPV6_JUMBO_LEN;
		}
		packets = segments(skb, headers);
		split = (packets - 1) * headers;
	}
	if (sent) {
		w->tx_bytes = bytes + split;
		w->tx_packets = packets;
		w->tx_split = split;
	} else {
		w->rx_bytes = bytes + split;
		w->rx_packets = packets;
		w->rx_split = split;
	}
}

/* The other side of a datagram; its port only where it is in its place. */
static __always_inline void packet_peer(struct peer *peer,
					struct __sk_buff *skb, bool sent)
{
	bool v6 = skb->protocol == bpf_htons(ETH_P_IPV6);
	__u32 v4 = 0, ip_len = ip_header_len(skb);
	__u8 protocol = 0;

	if (v6) {
		bpf_skb_load_bytes(skb, IPV6_OFFSET_SADDR + (sent ? 16 : 0),
				   peer->addr, 16);
		bpf_skb_load_bytes(skb, IPV6_OFFSET_NEXT, &protocol, 1);
	} else {
		bpf_skb_load_bytes(skb, IPV4_OFFSET_SADDR + (sent ? 4 : 0), &v4,
				   4);
		map_v4(peer->addr, v4);
		bpf_skb_load_bytes(skb, IPV4_OFFSET_PROTOCOL, &protocol, 1);
	}
	if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)
		bpf_skb_load_bytes(skb, ip_len + (sent ? 2 : 0), &peer->port,
				   2);
}

/* --- Whose it is --- */

/*
 * The connection that a TCP socket carries a part of, if it does: the program
 * has no other. Kernels whose BTF lacks the helper (added in 5.19) have their
 * subflows told as nobody's.
 */
static __always_inline struct socket_state *mptcp_state(struct bpf_sock *sk)
{
	struct mptcp_sock *msk;

	if (legacy || !bpf_core_enum_value_exists(enum bpf_func_id,
						  BPF_FUNC_skc_to_mptcp_sock))
		return NULL;
	msk = bpf_skc_to_mptcp_sock(sk);
	if (!msk)
		return NULL;
	return bpf_sk_storage_get(&sockets, msk, 0,
				  BPF_SK_STORAGE_GET_F_CREATE);
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
		first.lport = state->lport;
		if (laddr && !first.lport)
			first.lport = sk->src_port;
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

/* There was no memory to know the socket by. */
static __always_inline void wire_unknown(const struct nm_wire *w)
{
	struct nm_lost *l = lost_here();

	if (l)
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

/*
 * What of a TCP segment did not come before, or was not sent before: by the
 * sequence numbers, so that it does not matter which packets they came in.
 */
static __always_inline __u32 tcp_bytes(struct __sk_buff *skb,
				       struct bpf_tcp_sock *tp,
				       struct socket_state *state, __u32 ip_len,
				       __u32 bytes, bool sent)
{
	__be32 number = 0;
	__u32 end;
	__s32 ahead;
	__u8 flags = 0;

	bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_SEQ, &number,
			   sizeof(number));
	end = bpf_ntohl(number) + bytes;
	if (!sent) {
		ahead = end - tp->rcv_nxt;
		return ahead <= 0	      ? 0
		       : (__u32)ahead < bytes ? (__u32)ahead
					      : bytes;
	}
	if (!state->sent_known) {
		bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_FLAGS, &flags, 1);
		/* A SYN takes a number, and is no byte. */
		state->sent_seq = end + (flags & TCP_FLAG_SYN ? 1 : 0);
		state->sent_known = 1;
		return bytes;
	}
	ahead = end - state->sent_seq;
	/* Nor is a FIN, but nothing comes behind it. */
	if (!bytes || ahead <= 0)
		return 0;
	state->sent_seq = end;
	return ahead;
}

/* What the program sent or received, as far as packets tell it. */
static __always_inline void payload_add(struct nm_counters *c,
					struct __sk_buff *skb,
					struct bpf_sock *sk,
					struct socket_state *state, bool sent)
{
	__u32 ip_len = ip_header_len(skb);
	__u32 headers = ip_len + header_len(skb, sk, ip_len);
	__u32 bytes = skb->len > headers ? skb->len - headers : 0;
	struct bpf_tcp_sock *tp = wire_tcp_sock(sk);

	/* A raw socket of IPv4 gives the header to the program, too. */
	if (!sent && sk->type == SOCK_RAW && sk->family == AF_INET)
		bytes = skb->len;
	if (tp && sk->state != TCP_LISTEN)
		bytes = tcp_bytes(skb, tp, state, ip_len, bytes, sent);
	__sync_fetch_and_add(sent ? &c->tx_bytes : &c->rx_bytes, bytes);
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

static __always_inline void wire_count(struct __sk_buff *skb,
				       struct bpf_sock *sk, bool sent)
{
	struct socket_state *state;
	struct nm_counters *c;
	struct nm_wire w = {};

	measure(&w, skb, sk, sent);
	state = wire_state(sk);
	if (!state) {
		wire_unknown(&w);
		return;
	}
	state->ifindex = skb->ifindex;
	if (!state->owned) {
		wire_wait(state, &w);
		return;
	}
	if (sk->state == TCP_LISTEN)
		server_follow(state);
	if (by_packets && !state->cookie)
		state->cookie = bpf_get_socket_cookie(skb);
	if (by_packets && !state->dir && !is_stream(sk->protocol, sk->type))
		state->dir = sent ? NM_DIR_OUT : NM_DIR_IN;
	c = wire_counters(skb, sk, state, sent);
	/* No room, or the map was busy at this moment: the next tells it. */
	if (!c) {
		wire_wait(state, &w);
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
	if (by_packets)
		payload_add(c, skb, sk, state, sent);
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
