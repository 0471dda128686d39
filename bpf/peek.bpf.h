/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of what flows carry, for nm-collect --peek: of a connection
 * those of its first data in each direction, of datagrams those of the first
 * few. Each goes out as a message of its own, which nm-collect puts with the
 * flow.
 */
#ifndef NM_PEEK_BPF_H
#define NM_PEEK_BPF_H

#include "flow.bpf.h"
#include "packet.bpf.h"

/* nm-collect sets the sizes of both. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} heads SEC(".maps");

/* What was taken of the remote sides of sockets that are open to all. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct nm_flow_key);
	__type(value, struct peeked);
} peeked_peers SEC(".maps");

/* So many packets tell what a flow is, or more would not either. */
#define PEEK_PACKETS 4

/* How much of this packet is wanted; always: whatever was taken before. */
struct head_wish {
	__u32 bytes;
	bool always;
};

/* A QUIC packet with which a connection begins fills up at least this. */
#define QUIC_INITIAL_LEN  1200
#define QUIC_LONG_HEADER  0xc0
#define PEEK_QUIC_PACKETS 2

/*
 * An answer of DNS tells names for as long as it is whole, and the first
 * packets of QUIC (RFC 9000, 14.1) are encrypted as a whole.
 */
static __always_inline void wish_datagram(struct head_wish *wish,
					  struct __sk_buff *skb, __u32 ip_len,
					  const struct peeked *p, __u32 bytes,
					  bool sent)
{
	__be16 port = 0;
	__u8 first = 0;

	bpf_skb_load_bytes(skb, ip_len, &port, sizeof(port));
	bpf_skb_load_bytes(skb, ip_len + UDP_LEN, &first, 1);
	if ((!sent && (port == bpf_htons(NM_PORT_DNS) ||
		       port == bpf_htons(NM_PORT_MDNS))) ||
	    (bytes >= QUIC_INITIAL_LEN &&
	     (first & QUIC_LONG_HEADER) == QUIC_LONG_HEADER &&
	     p->packets[sent] < PEEK_QUIC_PACKETS)) {
		wish->bytes = NM_HEAD_MAX;
		wish->always = true;
	}
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

static __always_inline void head_send(struct __sk_buff *skb, __u32 at,
				      __u32 bytes, const struct nm_head *about,
				      const __u32 room)
{
	struct nm_head *h;

	h = bpf_ringbuf_reserve(&heads, sizeof(*h) - NM_HEAD_MAX + room, 0);
	if (!h) {
		struct nm_lost *l = lost_here();

		if (l)
			l->heads++;
		return;
	}
	__builtin_memcpy(h, about, sizeof(*h) - NM_HEAD_MAX);
	/* Told to the verifier, not to the compiler, which drops it. */
	barrier_var(bytes);
	if (bytes > room)
		bytes = room;
	barrier_var(bytes);
	if (!bytes || bpf_skb_load_bytes(skb, at, h->data, bytes)) {
		bpf_ringbuf_discard(h, 0);
		return;
	}
	h->bytes = bytes;
	/* Woken up only when it fills up: it is read once an interval. */
	bpf_ringbuf_submit(h, bpf_ringbuf_query(&heads, BPF_RB_AVAIL_DATA) >
					      NM_HEADS_WAKE
				      ? BPF_RB_FORCE_WAKEUP
				      : BPF_RB_NO_WAKEUP);
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

/* state: of the socket itself; cookie: of its flows. peer: or NULL. */
static __always_inline void peek_at(struct __sk_buff *skb, struct bpf_sock *sk,
				    struct socket_state *state, __u64 cookie,
				    const struct peer *peer, bool sent)
{
	struct nm_flow_key key = { .cookie = cookie };
	struct head_wish wish = { .bytes = peek_bytes };
	bool tcp = is_tcp(sk->protocol, sk->type);
	/* Without its data: see the verifier's limit of the stack. */
	__u64 words[(sizeof(struct nm_head) - NM_HEAD_MAX) / 8] = {};
	struct nm_head *about = (struct nm_head *)words;
	__u32 ip_len = ip_header_len(skb), headers, bytes;
	struct peeked *p = &state->peeked;
	struct bpf_tcp_sock *tp;
	__be32 seq = 0;

	headers = ip_len + header_len(skb, sk, ip_len);
	if (skb->len <= headers)
		return;
	bytes = skb->len - headers;
	if (peer) {
		key.use = use_with(1, peer);
		p = peeked_of(&key);
	}
	if (!p)
		return;
	if (!tcp)
		wish_datagram(&wish, skb, ip_len, p, bytes, sent);
	if (!wish.always &&
	    (p->packets[sent] >= PEEK_PACKETS || p->bytes[sent] >= peek_bytes))
		return;
	if (tcp) {
		tp = bpf_tcp_sock(sk);
		bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_SEQ, &seq,
				   sizeof(seq));
		if (!tp || !is_next(p, tp, bpf_ntohl(seq), bytes, sent))
			return;
		wish.bytes = peek_bytes - p->bytes[sent];
	}
	if (bytes > wish.bytes)
		bytes = wish.bytes;
	if (p->packets[sent] < PEEK_PACKETS)
		p->packets[sent]++;
	if (p->bytes[sent] < peek_bytes)
		p->bytes[sent] += bytes;

	about->cookie = cookie;
	about->sent = sent;
	if (peer) {
		__builtin_memcpy(about->raddr, peer->addr,
				 sizeof(about->raddr));
		about->rport = peer->port;
	}
	if (bytes > NM_HEAD_SHORT)
		head_send(skb, headers, bytes, about, NM_HEAD_MAX);
	else
		head_send(skb, headers, bytes, about, NM_HEAD_SHORT);
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

static __always_inline bool is_peeked(const struct bpf_sock *sk)
{
	return is_tcp(sk->protocol, sk->type)
		       ? sk->state != TCP_LISTEN
		       : sk->protocol == IPPROTO_UDP && sk->type == SOCK_DGRAM;
}

static __always_inline void peek(struct __sk_buff *skb, struct bpf_sock *sk,
				 struct socket_state *state, bool open_to_all,
				 bool sent)
{
	struct socket_state *own = state;
	struct peer peer = {};

	if (!peek_bytes || !has_begun() || !is_peeked(sk))
		return;
	if (is_tcp(sk->protocol, sk->type) && !legacy)
		own = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!own)
		return;
	if (open_to_all)
		packet_peer(&peer, skb, sent);
	peek_at(skb, sk, own, peek_cookie(skb, state, own),
		open_to_all ? &peer : NULL, sent);
}

#endif
