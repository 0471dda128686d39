/* SPDX-License-Identifier: MIT */
/*
 * Backend tp: the kernel's own trace points of socket calls (since 6.3).
 * They need neither kprobes nor ftrace nor bpf_probe_read_kernel, so they
 * load where the kernel is locked down and nothing else does.
 *
 * Their one gap is TCP that is received other than by recvmsg (splice,
 * TCP_ZEROCOPY_RECEIVE, io_uring's zero-copy receive). So TCP is received
 * where all of these meet, in tcp_rcv_space_adjust, by how far copied_seq
 * has moved since the last time.
 */
#ifndef NM_TP_BPF_H
#define NM_TP_BPF_H

/* The other side of a datagram, if peer.bpf.h has noted it for this call. */
static __always_inline bool noted_peer(struct peer *peer, struct sock *sk,
				       bool sent)
{
	struct socket_state *state;

	if (is_tcp(sk->sk_protocol, sk->sk_type) || socket_connected(sk))
		return false;
	state = socket_state(sk, false);
	if (!state ||
	    state->noted.valid != (sent ? NOTED_SENT : NOTED_RECEIVED))
		return false;
	*peer = state->noted.peer;
	/* The next call may not come with an address. */
	state->noted.valid = 0;
	/* Asked last: another thread may have been at it just now. */
	return state->noted.thread == bpf_get_current_pid_tgid();
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send_length, struct sock *sk, int ret, int flags)
{
	struct nm_counters *c;
	struct peer peer = {};

	if (ret <= 0 || (!socket_is_inet(sk) && !socket_is_packet(sk)) ||
	    !my_call())
		return 0;
	c = account(sk, true, ret, noted_peer(&peer, sk, true) ? &peer : NULL);
	if (c && socket_is_packet(sk))
		frame_counted(c, sk, ret);
	return 0;
}

/*
 * How far the reader has come, in bytes that it was given. Two things take a
 * sequence number and are no such byte: a FIN, which is always the last, and
 * an urgent byte outside the stream (RFC 6093), which recv(MSG_OOB) fetches.
 */
static __always_inline __u32 read_since(struct socket_state *state,
					const struct sock *sk,
					const struct tcp_sock *tp)
{
	__u32 from = state->read_seq, urgent = tp->urg_seq;
	__u32 moved = tp->copied_seq - from;

	/* A sockmap may set it back. */
	if ((__s32)moved <= 0)
		return 0;
	state->read_seq = tp->copied_seq;
	if (urgent && urgent != state->urgent_seq && urgent - from < moved &&
	    !socket_flag(sk, SOCK_URGINLINE)) {
		state->urgent_seq = urgent;
		moved--;
	}
	if (moved && fin_was_read(sk, tp))
		moved--;
	return moved;
}

/*
 * Does the kernel itself read a program's socket (a sockmap, iSCSI)? It does
 * so in a softirq, on top of anybody, when no task owns the socket, or in a
 * worker. If a program gets the bytes after all, it is by recvmsg, which tells
 * how many.
 */
static __always_inline bool read_by_kernel(struct sock *sk)
{
	return !sk->sk_lock.owned ||
	       (current_task()->flags & PF_KTHREAD && !socket_is_kernels(sk));
}

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(on_rcv_space_adjust, struct sock *sk)
{
	struct tcp_sock *tp = socket_tcp(sk);
	struct socket_state *state;
	__u32 moved;

	if (!tp || tcp_has_ulp(tp))
		return 0;
	state = socket_state(sk, false);
	if (!state || !state->seq_known)
		return 0;
	if (read_by_kernel(sk)) {
		state->seq_known = 0;
		return 0;
	}
	moved = read_since(state, sk, tp);
	if (moved)
		account_known(sk, state, false, moved, NULL);
	return 0;
}

/*
 * Is TCP that was received by recvmsg counted in tcp_rcv_space_adjust? Not if
 * it was open before the start and not found then (on its way to another
 * process, say); but from here on it is known.
 */
static __always_inline bool counted_by_seq(struct sock *sk, int flags)
{
	struct tcp_sock *tp = socket_tcp(sk);
	struct socket_state *state;

	if (!tp || tcp_has_ulp(tp) || flags & MSG_OOB)
		return false;
	state = socket_state(sk, true);
	if (!state || state->seq_known)
		return state;
	state->read_seq = tp->copied_seq;
	state->urgent_seq = tp->urg_seq;
	state->seq_known = 1;
	return false;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_recv_length, struct sock *sk, int ret, int flags)
{
	struct peer peer = {};

	if (ret > 0 && !(flags & (MSG_PEEK | MSG_ERRQUEUE)) &&
	    socket_is_inet(sk) && my_call() && !counted_by_seq(sk, flags))
		account(sk, false, ret,
			noted_peer(&peer, sk, false) ? &peer : NULL);
	return 0;
}

#endif
