/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of what flows carry, for nm-collect --peek: of a connection
 * those of its first data in each direction, of datagrams those of the first
 * few.
 */
#ifndef NM_PEEK_BPF_H
#define NM_PEEK_BPF_H

#include "heads.bpf.h"
#include "peek-early.bpf.h"

/* What was taken of the remote sides of sockets that are open to all. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct nm_flow_key);
	__type(value, struct peeked);
} peeked_peers SEC(".maps");

/* So many packets tell what a flow is, or more would not either. */
#define PEEK_PACKETS 4

/* Of one socket in an interval; nobody is to fill the ring alone. */
#define PEEK_ANSWERS 256

/* A QUIC packet with which a connection begins fills up at least this. */
#define QUIC_INITIAL_LEN  1200
#define QUIC_LONG_HEADER  0xc0
#define PEEK_QUIC_PACKETS 2

/* Flags of a DNS message (RFC 1035, 4.1.1). */
#define DNS_OFFSET_FLAGS 2
#define DNS_FLAG_ANSWER	 0x80

static __always_inline bool is_full(const struct peeked *p, bool sent)
{
	return p->packets[sent] >= PEEK_PACKETS || p->bytes[sent] >= peek_bytes;
}

/*
 * What says that it is an answer of DNS. By unicast, only where the socket has
 * sent something: to whom, address translation may have changed since. mDNS
 * (RFC 6762) is not told by whom it was asked.
 */
static __always_inline bool is_answer(struct __sk_buff *skb, __u32 ip_len,
				      const struct peeked *own)
{
	__be16 port = 0;
	__u8 flags = 0;

	bpf_skb_load_bytes(skb, ip_len, &port, sizeof(port));
	if (port != bpf_htons(NM_PORT_MDNS) &&
	    (port != bpf_htons(NM_PORT_DNS) || !own->packets[true]))
		return false;
	bpf_skb_load_bytes(skb, ip_len + UDP_LEN + DNS_OFFSET_FLAGS, &flags, 1);
	return flags & DNS_FLAG_ANSWER;
}

static __always_inline bool answers_are_many(struct peeked *own)
{
	__u32 interval = interval_now();

	if (own->interval != interval) {
		own->interval = interval;
		own->answers = 0;
	}
	if (own->answers >= PEEK_ANSWERS)
		return true;
	own->answers++;
	return false;
}

/* The first packets of QUIC (RFC 9000, 14.1) are encrypted as a whole. */
static __always_inline bool is_quic(struct __sk_buff *skb, __u32 ip_len,
				    const struct peeked *p, __u32 bytes,
				    bool sent)
{
	__u8 first = 0;

	if (bytes < QUIC_INITIAL_LEN || p->packets[sent] >= PEEK_QUIC_PACKETS)
		return false;
	bpf_skb_load_bytes(skb, ip_len + UDP_LEN, &first, 1);
	return (first & QUIC_LONG_HEADER) == QUIC_LONG_HEADER;
}

/*
 * How much of a datagram is wanted. An answer of DNS tells names for as long as
 * it is whole, whatever was taken before. p: of the remote side; own: of the
 * socket.
 */
static __always_inline __u32 wish_datagram(struct __sk_buff *skb, __u32 ip_len,
					   const struct peeked *p,
					   struct peeked *own, __u32 bytes,
					   bool sent)
{
	if (!sent && is_answer(skb, ip_len, own)) {
		if (!answers_are_many(own))
			return NM_HEAD_MAX;
		head_lost();
		return 0;
	}
	if (is_quic(skb, ip_len, p, bytes, sent))
		return NM_HEAD_MAX;
	return is_full(p, sent) ? 0 : peek_bytes;
}

/*
 * Of a connection, only what follows from its beginning without a gap: one that
 * is older than the programs has received or sent before, what is sent again
 * was taken already, and what a stranger makes up has other numbers.
 */
static __always_inline bool is_next(struct peeked *p, struct bpf_tcp_sock *tp,
				    __u32 seq, __u32 bytes, bool sent)
{
	if (!p->begun[sent]) {
		/* A SYN is acknowledged as one byte. */
		if (sent ? tp->bytes_acked > 1 : tp->bytes_received > 0) {
			p->packets[sent] = PEEK_PACKETS;
			return false;
		}
		if (seq != (sent ? tp->snd_una : tp->rcv_nxt))
			return false;
		p->begun[sent] = 1;
	} else if (seq != p->next[sent]) {
		return false;
	}
	p->next[sent] = seq + bytes;
	return true;
}

/*
 * How much of a segment is wanted. own: of the socket, which is not the
 * connection's own where MPTCP has several.
 */
static __always_inline __u32 wish_segment(struct __sk_buff *skb, __u32 ip_len,
					  struct bpf_sock *sk,
					  const struct peeked *p,
					  struct peeked *own, __u32 bytes,
					  bool sent)
{
	__u32 before = p->bytes[sent];
	struct bpf_tcp_sock *tp;
	__be32 seq = 0;
	__u8 flags = 0;

	/* It begins with the first of them. */
	if (before >= peek_bytes || p->packets[sent] >= PEEK_PACKETS ||
	    (own != p && p->packets[sent] && !own->begun[sent]))
		return 0;
	tp = bpf_tcp_sock(sk);
	bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_SEQ, &seq, sizeof(seq));
	bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_FLAGS, &flags, 1);
	/* A SYN takes a number, and may have data behind it (RFC 7413). */
	if (flags & TCP_FLAG_SYN)
		bytes++;
	if (!tp || !is_next(own, tp, bpf_ntohl(seq), bytes, sent))
		return 0;
	return peek_bytes - before;
}

static __always_inline struct peeked *peeked_of(const struct nm_flow_key *key)
{
	static const struct peeked none;
	struct peeked *p = bpf_map_lookup_elem(&peeked_peers, key);

	if (p)
		return p;
	bpf_map_update_elem(&peeked_peers, key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&peeked_peers, key);
}

/* Of MPTCP, the state is the connection's. */
static __always_inline __u64 peek_cookie(struct __sk_buff *skb,
					 struct socket_state *state,
					 const struct socket_state *own)
{
	if (state->cookie)
		return state->cookie;
	if (own != state) {
		socket_own_cookie(state);
		return state->cookie;
	}
	/* Later, a legacy kernel would make one of another kind. */
	if (legacy)
		state->cookie = bpf_get_socket_cookie(skb);
	return bpf_get_socket_cookie(skb);
}

/* What is taken of it. */
static __always_inline void peeked_add(struct peeked *p, __u32 bytes, bool sent)
{
	if (p->packets[sent] < PEEK_PACKETS)
		p->packets[sent]++;
	if (p->bytes[sent] < peek_bytes)
		p->bytes[sent] += bytes;
}

/*
 * state: of the connection, and own: of the socket, which are the same but with
 * MPTCP. peer: or NULL.
 */
static __always_inline void peek_at(struct __sk_buff *skb, struct bpf_sock *sk,
				    struct socket_state *state,
				    struct socket_state *own,
				    const struct peer *peer, bool sent)
{
	struct nm_flow_key key = {};
	struct nm_head_about about = { .sent = sent };
	__u32 ip_len = ip_header_len(skb), at, bytes, wish;
	struct peeked *p = &state->peeked;

	if (!find_data(skb, sk, ip_len, &at, &bytes))
		return;
	about.cookie = key.cookie = peek_cookie(skb, state, own);
	if (peer) {
		key.use = use_with(1, peer);
		__builtin_memcpy(about.raddr, peer->addr, sizeof(about.raddr));
		about.rport = peer->port;
		p = peeked_of(&key);
	}
	if (!p)
		return;
	if (is_tcp(sk->protocol, sk->type)) {
		wish = wish_segment(skb, ip_len, sk, p, &own->peeked, bytes,
				    sent);
	} else {
		/* Several may come as one. */
		if (skb->gso_size && bytes > skb->gso_size)
			bytes = skb->gso_size;
		wish = wish_datagram(skb, ip_len, p, &own->peeked, bytes, sent);
		if (sent && peer)
			own->peeked.packets[true] = 1;
	}
	if (!wish)
		return;
	about.bytes = bytes < wish ? bytes : wish;
	peeked_add(p, about.bytes, sent);
	head_send(skb, at, &about);
}

static __always_inline bool is_peeked(const struct bpf_sock *sk)
{
	return is_tcp(sk->protocol, sk->type) ||
	       (sk->protocol == IPPROTO_UDP && sk->type == SOCK_DGRAM);
}

static __always_inline void peek(struct __sk_buff *skb, struct bpf_sock *sk,
				 struct socket_state *state, bool open_to_all,
				 bool sent)
{
	struct socket_state *own = state;
	struct peer peer = {};

	if (!peek_bytes || !has_begun() || !is_peeked(sk))
		return;
	if (is_tcp(sk->protocol, sk->type) && sk->state == TCP_LISTEN) {
		if (!sent)
			peek_early(skb, sk);
		return;
	}
	/* Of most packets, nothing is wanted any more. */
	if (is_tcp(sk->protocol, sk->type) && is_full(&state->peeked, sent))
		return;
	if (is_tcp(sk->protocol, sk->type) && !legacy)
		own = bpf_sk_storage_get(&sockets, sk, 0,
					 BPF_SK_STORAGE_GET_F_CREATE);
	if (!own)
		return;
	if (open_to_all)
		packet_peer(&peer, skb, sent);
	peek_at(skb, sk, state, own, open_to_all ? &peer : NULL, sent);
}

#endif
