/* SPDX-License-Identifier: MIT */
/*
 * Backend fexit: at the return of the functions through which a socket's
 * operations pass, one set for every protocol. They do not call each other,
 * so nothing is counted twice, and they see what the program sees: for kTLS
 * and MPTCP the plain bytes of the whole connection.
 */
#ifndef NM_FEXIT_BPF_H
#define NM_FEXIT_BPF_H

/* The kernel's copy of a sockaddr_in or sockaddr_in6. */
struct any_sockaddr {
	__u16 family;
	__be16 port;
	__be32 addr4;
	__u32 addr6[4];
};

/*
 * The other side of a datagram on a socket that is not connected: the
 * address that the call was given, or gave back. False: unknown.
 */
static __always_inline bool datagram_peer(struct peer *peer, struct sock *sk,
					  struct msghdr *msg)
{
	struct any_sockaddr sa = {};

	if (!may_read || is_tcp(sk->sk_protocol, sk->sk_type) ||
	    socket_connected(sk))
		return false;
	if (!msg->msg_name || msg->msg_namelen < 16)
		return false;
	if (bpf_probe_read_kernel(&sa, 16, msg->msg_name))
		return false;
	if (sa.family == AF_INET) {
		map_v4(peer->addr, sa.addr4);
	} else if (sa.family == AF_INET6) {
		if (bpf_probe_read_kernel(&sa, sizeof(sa), msg->msg_name))
			return false;
		__builtin_memcpy(peer->addr, sa.addr6, sizeof(peer->addr));
	} else {
		return false;
	}
	/* A raw socket's "port" is a protocol number or nothing. */
	peer->port = sk->sk_type == SOCK_RAW ? 0 : sa.port;
	return true;
}

static __always_inline int message(struct socket *sock, struct msghdr *msg,
				   bool sent, int ret)
{
	struct sock *sk = sock->sk;
	struct peer peer = {};

	if (ret <= 0 || !sk || !socket_is_inet(sk) || !my_call())
		return 0;
	account(sk, sent, ret, datagram_peer(&peer, sk, msg) ? &peer : NULL);
	return 0;
}

static __always_inline int received(struct socket *sock, struct msghdr *msg,
				    int flags, int ret)
{
	if (flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	return message(sock, msg, false, ret);
}

static __always_inline int spliced(struct socket *sock, bool sent, long ret)
{
	struct sock *sk = sock->sk;

	if (ret > 0 && sk && socket_is_inet(sk) && my_call())
		account(sk, sent, ret, NULL);
	return 0;
}

SEC("fexit/inet_sendmsg")
int BPF_PROG(on_inet_sendmsg, struct socket *sock, struct msghdr *msg,
	     size_t size, int ret)
{
	return message(sock, msg, true, ret);
}

SEC("fexit/inet6_sendmsg")
int BPF_PROG(on_inet6_sendmsg, struct socket *sock, struct msghdr *msg,
	     size_t size, int ret)
{
	return message(sock, msg, true, ret);
}

SEC("fexit/packet_sendmsg")
int BPF_PROG(on_packet_sendmsg, struct socket *sock, struct msghdr *msg,
	     size_t size, int ret)
{
	struct sock *sk = sock->sk;
	struct nm_counters *c;

	if (ret <= 0 || !sk || !my_call())
		return 0;
	c = account(sk, true, ret, NULL);
	if (c)
		frame_counted(c, sk, ret);
	return 0;
}

SEC("fexit/inet_recvmsg")
int BPF_PROG(on_inet_recvmsg, struct socket *sock, struct msghdr *msg,
	     size_t size, int flags, int ret)
{
	return received(sock, msg, flags, ret);
}

SEC("fexit/inet6_recvmsg")
int BPF_PROG(on_inet6_recvmsg, struct socket *sock, struct msghdr *msg,
	     size_t size, int flags, int ret)
{
	return received(sock, msg, flags, ret);
}

/* IPv6 raw sockets, and DCCP and SCTP over IPv6. */
SEC("fexit/sock_common_recvmsg")
int BPF_PROG(on_sock_common_recvmsg, struct socket *sock, struct msghdr *msg,
	     size_t size, int flags, int ret)
{
	return received(sock, msg, flags, ret);
}

SEC("fexit/tcp_splice_read")
int BPF_PROG(on_tcp_splice_read, struct socket *sock, void *ppos, void *pipe,
	     size_t len, unsigned int flags, long ret)
{
	/* See on_sock_splice_read. */
	if (!legacy && sock->sk && has_ulp(sock->sk))
		return 0;
	return spliced(sock, false, ret);
}

/* Since 7.0; before, splicing from MPTCP went through recvmsg. */
SEC("fexit/mptcp_splice_read")
int BPF_PROG(on_mptcp_splice_read, struct socket *sock, void *ppos, void *pipe,
	     size_t len, unsigned int flags, long ret)
{
	return spliced(sock, false, ret);
}

/*
 * kTLS has a function of its own for that, but in a module: there, a program
 * with a storage for sockets makes the verifier of 6.1 and 6.12 crash the
 * kernel (bpf_sk_storage_tracing_allowed looks for the function's type among
 * those of the kernel itself), and 7.3 does not take it. So splicing from
 * sockets with a layer above TCP is counted one step earlier.
 */
SEC("fexit/sock_splice_read")
int BPF_PROG(on_sock_splice_read, struct file *file, void *ppos, void *pipe,
	     size_t len, unsigned int flags, long ret)
{
	struct socket *sock = bpf_sock_from_file(file);

	if (!sock || !sock->sk || !socket_is_inet(sock->sk) ||
	    !has_ulp(sock->sk))
		return 0;
	return spliced(sock, false, ret);
}

/*
 * sendfile and splice to a socket, until 6.4. For a protocol without a
 * sendpage of its own the bytes come by inet_sendmsg as well.
 */
SEC("fexit/inet_sendpage")
int BPF_PROG(on_inet_sendpage, struct socket *sock, void *page, int offset,
	     size_t size, int flags, long ret)
{
	struct sock *sk = sock->sk;

	if (!sk || !bpf_core_field_exists(struct proto, sendpage) ||
	    !sk->__sk_common.skc_prot->sendpage)
		return 0;
	return spliced(sock, true, ret);
}

/*
 * TCP_ZEROCOPY_RECEIVE maps pages and may copy a rest; what it consumed is
 * how far it moved copied_seq. The socket is locked from entry to return.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} zerocopy_from SEC(".maps");

SEC("fentry/tcp_zerocopy_receive")
int BPF_PROG(on_zerocopy_entry, struct sock *sk)
{
	struct tcp_sock *tp = socket_tcp(sk);
	__u64 key = (__u64)(long)sk;
	__u32 seq;

	if (!tp)
		return 0;
	seq = tp->copied_seq;
	bpf_map_update_elem(&zerocopy_from, &key, &seq, BPF_ANY);
	return 0;
}

SEC("fexit/tcp_zerocopy_receive")
int BPF_PROG(on_zerocopy_return, struct sock *sk)
{
	struct tcp_sock *tp = socket_tcp(sk);
	__u64 key = (__u64)(long)sk;
	__u32 *from, moved;

	from = bpf_map_lookup_elem(&zerocopy_from, &key);
	if (!from || !tp)
		return 0;
	moved = tp->copied_seq - *from;
	bpf_map_delete_elem(&zerocopy_from, &key);
	if (moved && fin_was_read(sk, tp))
		moved--;
	if (moved)
		account(sk, false, moved, NULL);
	return 0;
}

/*
 * For datagram sockets, which have no state that changes, this is the end. Of
 * others that is told by their state, which SCTP's change in any style.
 */
SEC("fentry/inet_release")
int BPF_PROG(on_inet_release, struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (!sk || !socket_is_inet(sk))
		return 0;
	given_up(sk);
	if (!tells_end(sk->sk_protocol, sk->sk_type))
		closed(sk);
	return 0;
}

/*
 * For legacy kernels, where states are by address. Nothing comes behind this:
 * a reset, or what is read from a connection that is over, comes before.
 */
SEC("fentry/inet_sock_destruct")
int BPF_PROG(on_destruct, struct sock *sk)
{
	struct socket_state *state = socket_state(sk, false);

	if (state && wire_waits(state))
		wire_lose(state);
	socket_forget(sk);
	return 0;
}

#endif
