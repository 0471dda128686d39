/* SPDX-License-Identifier: MIT */
/*
 * What is known of a socket: read from the kernel's structures (protocol,
 * addresses, namespace), and remembered by us for as long as it lives (who
 * opened it, how far it was read).
 */
#ifndef NM_SOCKET_BPF_H
#define NM_SOCKET_BPF_H

#include "kernel.h"
#include "collect.h"
#include "config.bpf.h"
#include "log.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* The other side of one datagram; port 0 if there is none. */
struct peer {
	union {
		__u32 addr[4]; /* network order; IPv4 in mapped form */
		__u64 words[2];
	};
	__be16 port;
	__be16 zero[3];
};

/* A peer that was noted for the call that is under way; see peer.bpf.h. */
struct noted_peer {
	__u64 thread; /* whose call it is; threads may share a socket */
	struct peer peer;
	__u32 valid;
#define NOTED_SENT     1
#define NOTED_RECEIVED 2
};

/* What --peek has taken, of what was received and of what was sent. */
struct peeked {
	__u32 next[2];	/* TCP: the next number, if begun */
	__u32 interval; /* in which the socket had so many answers */
	__u16 answers;
	__u16 bytes[2];
	__u8 packets[2];
	__u8 begun[2];
};

/* Our memory of a socket. */
struct socket_state {
	struct nm_process_key owner; /* the last to use it, if `owned` */
	__u64 use;		     /* of the owner; see flow.bpf.h */
	__u64 last;		     /* its counters: interval and slot */
	__u64 cookie;		     /* 0: not asked for yet */
	__u32 uid;		     /* the owner's effective one */
	/* TCP: read up to here, if seq_known; by packets: received. */
	__u32 read_seq;
	__u8 proto; /* enum nm_proto */
	__u8 dir;
	__u8 seq_known;
	__u8 owned;
	__u32 ifindex;		/* of the last packet */
	__u32 retrans;		/* TCP: segments sent again, told up to here */
	__u32 netns;		/* 0: not known yet */
	struct nm_wire waiting; /* see waiting.bpf.h */
	__u32 urgent_seq;	/* TCP: the last urgent byte, left out */
	__u32 sent_seq; /* TCP, by packets: sent up to here, if sent_known */
	__u16 lport;	/* host order; gone from the sock at close */
	__u8 sent_known;
	__u8 listens;
	__u32 waits_at; /* ifindex of the first packet that waits */
	__u32 fin_seq;	/* TCP, by packets: the number of its FIN */
	__u8 fin_known;
	struct peeked peeked;	 /* see peek.bpf.h */
	struct noted_peer noted; /* backend tp only */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

/* The same for legacy kernels: by address, removed when the socket is gone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct socket_state);
} sockets_by_address SEC(".maps");

static const struct socket_state new_socket;

static __always_inline struct socket_state *state_by_address(__u64 address,
							     bool create)
{
	struct socket_state *s;

	s = bpf_map_lookup_elem(&sockets_by_address, &address);
	if (s || !create)
		return s;
	bpf_map_update_elem(&sockets_by_address, &address, &new_socket,
			    BPF_NOEXIST);
	return bpf_map_lookup_elem(&sockets_by_address, &address);
}

static __always_inline __u32 socket_netns(const struct sock *sk)
{
	return sk->__sk_common.skc_net.net->ns.inum;
}

/*
 * NULL: not known, and (with create) no memory to know it. What is known has
 * its namespace.
 */
static __always_inline struct socket_state *socket_state(struct sock *sk,
							 bool create)
{
	struct socket_state *s;
	__u64 address = (__u64)(long)sk;

	if (legacy)
		s = state_by_address(address, create);
	else
		s = bpf_sk_storage_get(&sockets, sk, 0,
				       create ? BPF_SK_STORAGE_GET_F_CREATE
					      : 0);
	/* Here, where the verifier has few ways to come; see flow_kind(). */
	if (s && !s->netns)
		s->netns = socket_netns(sk);
	if (!s && create)
		LOG(SOCKET_FULL, 0, address);
	return s;
}

/* The socket is gone. */
static __always_inline void socket_forget(struct sock *sk)
{
	__u64 address = (__u64)(long)sk;

	if (legacy)
		bpf_map_delete_elem(&sockets_by_address, &address);
}

/*
 * What MPTCP accepts has the cookie of the listening socket: sk_clone() copies
 * it, and only inet_csk_clone_lock() gives a new one. So its connections get
 * another here: a time, with the highest bit, which no cookie has.
 */
static __always_inline void socket_own_cookie(struct socket_state *state)
{
	state->cookie = 1ULL << 63 | bpf_ktime_get_boot_ns();
}

/*
 * What tells the socket from all others until the next boot. A tracing
 * program of a legacy kernel cannot have a cookie made, so there it is made
 * of the inode number and the address of the socket's file, at its first use:
 * when it closes, it may have lost its file.
 */
static __always_inline __u64 socket_cookie(struct sock *sk,
					   struct socket_state *state)
{
	__u64 inode, file;

	if (!state)
		return legacy ? 0 : bpf_get_socket_cookie(sk);
	if (state->cookie)
		return state->cookie;
	if (sk->sk_protocol == IPPROTO_MPTCP &&
	    sk->__sk_common.skc_state != TCP_LISTEN) {
		socket_own_cookie(state);
	} else if (!legacy) {
		state->cookie = bpf_get_socket_cookie(sk);
	} else {
		inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
		file = (__u64)BPF_CORE_READ(sk, sk_socket, file);
		state->cookie = inode << 32 | (file >> 6 & 0xffffffff);
	}
	return state->cookie;
}

static __always_inline bool socket_is_inet(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6;
}

/* Datagram sockets too have this state when they are connected. */
static __always_inline bool socket_connected(const struct sock *sk)
{
	return sk->__sk_common.skc_state == TCP_ESTABLISHED;
}

/*
 * A raw socket may have this protocol too; the kernel's own, by which it
 * answers for no socket, is one. It is much smaller than a tcp_sock, and some
 * of the kernel's helpers do not look: bpf_skc_to_mptcp_sock() follows a
 * pointer that is behind its end.
 */
static __always_inline bool is_tcp(__u32 protocol, __u32 type)
{
	return protocol == IPPROTO_TCP && type == SOCK_STREAM;
}

static __always_inline bool is_stream(__u32 protocol, __u32 type)
{
	return is_tcp(protocol, type) || protocol == IPPROTO_MPTCP;
}

/* Is its end a change of its state? Of SCTP in any style: sctp_endpoint_free.
 */
static __always_inline bool tells_end(__u32 protocol, __u32 type)
{
	return is_stream(protocol, type) || protocol == IPPROTO_SCTP;
}

/* Of a socket that is closed in this state: are last packets still to come? */
static __always_inline bool ends_later(__u32 protocol, __u32 type, __u32 state)
{
	return tells_end(protocol, type) && state != TCP_CLOSE;
}

static __always_inline struct tcp_sock *socket_tcp(struct sock *sk)
{
	return is_tcp(sk->sk_protocol, sk->sk_type) ? bpf_skc_to_tcp_sock(sk)
						    : NULL;
}

static __always_inline bool socket_flag(const struct sock *sk, int flag)
{
	return sk->__sk_common.skc_flags & 1UL << flag;
}

/*
 * A layer above TCP (kTLS): it reads from the socket, and the program from the
 * layer. Not for legacy kernels' programs.
 */
static __always_inline bool tcp_has_ulp(const struct tcp_sock *tp)
{
	return tp->inet_conn.icsk_ulp_ops;
}

static __always_inline bool has_ulp(struct sock *sk)
{
	struct tcp_sock *tp = socket_tcp(sk);

	return tp && tcp_has_ulp(tp);
}

/* A FIN takes a sequence number, the last, and is no byte of the stream. */
static __always_inline bool fin_was_read(const struct sock *sk,
					 const struct tcp_sock *tp)
{
	return socket_flag(sk, SOCK_DONE) && tp->copied_seq == tp->rcv_nxt;
}

/*
 * Of a connection that is counted by packets, what has come since this was
 * asked last, without gaps: so what comes twice counts once. A FIN is told by
 * the state of the socket, or else by its number, as long as it is the last. It
 * never goes back: a number that somebody made up does no harm.
 */
static __always_inline __u32 received_since(struct socket_state *state,
					    __u32 rcv_nxt, bool fin_came)
{
	__u32 to = rcv_nxt, grown;

	if (fin_came || (state->fin_known && to == state->fin_seq + 1))
		to--;
	grown = to - state->read_seq;
	if (state->seq_known && (__s32)grown <= 0)
		return 0;
	state->read_seq = to;
	if (!state->seq_known)
		grown = 0;
	state->seq_known = 1;
	return grown;
}

/* Opened by the kernel for itself: NFS, a tunnel, an MPTCP subflow. */
static __always_inline bool socket_is_kernels(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD(sk, sk_kern_sock);
}

/* A table, because the verifier would follow each case of a switch by itself.
 */
static const __u8 protos[256] = {
	[IPPROTO_TCP] = NM_PROTO_TCP,	      [IPPROTO_UDP] = NM_PROTO_UDP,
	[IPPROTO_UDPLITE] = NM_PROTO_UDPLITE, [IPPROTO_SCTP] = NM_PROTO_SCTP,
	[IPPROTO_DCCP] = NM_PROTO_DCCP,	      [IPPROTO_ICMP] = NM_PROTO_ICMP,
	[IPPROTO_ICMPV6] = NM_PROTO_ICMPV6,
};

static __always_inline __u8 proto_of(__u32 protocol, __u32 type)
{
	if (protocol == IPPROTO_MPTCP)
		return NM_PROTO_MPTCP;
	if (type == SOCK_RAW && protocol != IPPROTO_ICMP &&
	    protocol != IPPROTO_ICMPV6)
		return NM_PROTO_RAW;
	return protos[protocol & 0xff];
}

static __always_inline bool socket_is_packet(const struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_PACKET;
}

static __always_inline __u8 socket_proto(const struct sock *sk)
{
	if (socket_is_packet(sk))
		return NM_PROTO_PACKET;
	return proto_of(sk->sk_protocol, sk->sk_type);
}

/* Writes an IPv4 address in mapped form; 0.0.0.0 stays all zero. */
static __always_inline void map_v4(__u32 to[4], __be32 v4)
{
	to[0] = 0;
	to[1] = 0;
	to[2] = v4 ? bpf_htonl(0xffff) : 0;
	to[3] = v4;
}

static __always_inline void copy_v6(__u32 to[4], const struct in6_addr *v6)
{
	to[0] = v6->in6_u.u6_addr32[0];
	to[1] = v6->in6_u.u6_addr32[1];
	to[2] = v6->in6_u.u6_addr32[2];
	to[3] = v6->in6_u.u6_addr32[3];
}

static __always_inline void socket_laddr(const struct sock *sk, __u8 laddr[16])
{
	if (sk->__sk_common.skc_family == AF_INET)
		map_v4((__u32 *)laddr, sk->__sk_common.skc_rcv_saddr);
	else
		copy_v6((__u32 *)laddr, &sk->__sk_common.skc_v6_rcv_saddr);
}

/* The side that the socket is connected to; all zero if it is not. */
static __always_inline void socket_raddr(const struct sock *sk, __u8 raddr[16],
					 __be16 *rport)
{
	if (sk->__sk_common.skc_family == AF_INET)
		map_v4((__u32 *)raddr, sk->__sk_common.skc_daddr);
	else
		copy_v6((__u32 *)raddr, &sk->__sk_common.skc_v6_daddr);
	*rport = sk->__sk_common.skc_dport;
}

#endif
