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

/* All but TCP: with the remote side, if peer.bpf.h has noted it. */
static __always_inline void datagram(struct sock *sk, bool sent, __u64 bytes)
{
	struct socket_state *state = socket_state(sk, false);
	__u32 wanted = sent ? NOTED_SENT : NOTED_RECEIVED;
	struct peer peer;

	if (!state || state->noted.valid != wanted || socket_connected(sk)) {
		account(sk, sent, bytes, NULL);
		return;
	}
	peer = state->noted.peer;
	/* The next call may not come with an address. */
	state->noted.valid = 0;
	account(sk, sent, bytes, &peer);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send_length, struct sock *sk, int ret, int flags)
{
	if (ret <= 0 || !socket_is_inet(sk))
		return 0;
	if (sk->sk_protocol == IPPROTO_TCP)
		account(sk, true, ret, NULL);
	else
		datagram(sk, true, ret);
	return 0;
}

/* A layer above TCP (kTLS) reads from it, and the program from the layer. */
static __always_inline bool has_ulp(const struct tcp_sock *tp)
{
	return tp->inet_conn.icsk_ulp_ops;
}

static __always_inline bool socket_flag(const struct sock *sk, int flag)
{
	return sk->__sk_common.skc_flags & 1UL << flag;
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

	if (!moved)
		return 0;
	state->read_seq = tp->copied_seq;
	if (urgent && urgent != state->urgent_seq && urgent - from < moved &&
	    !socket_flag(sk, SOCK_URGINLINE)) {
		state->urgent_seq = urgent;
		moved--;
	}
	if (moved && tp->copied_seq == tp->rcv_nxt &&
	    socket_flag(sk, SOCK_DONE))
		moved--;
	return moved;
}

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(on_rcv_space_adjust, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct socket_state *state;
	__u32 moved;

	if (!tp || has_ulp(tp))
		return 0;
	state = socket_state(sk, false);
	if (!state || !state->seq_known)
		return 0;
	moved = read_since(state, sk, tp);
	if (moved)
		account(sk, false, moved, NULL);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_recv_length, struct sock *sk, int ret, int flags)
{
	struct socket_state *state;
	struct tcp_sock *tp;

	if (ret <= 0 || flags & (MSG_PEEK | MSG_ERRQUEUE) ||
	    !socket_is_inet(sk))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp) {
		datagram(sk, false, ret);
		return 0;
	}
	if (!has_ulp(tp) && !(flags & MSG_OOB)) {
		state = socket_state(sk, true);
		if (state && state->seq_known)
			return 0;
		/*
		 * Open before the start, and not found then (on its way to
		 * another process, say): from here on it is known.
		 */
		if (state) {
			state->read_seq = tp->copied_seq;
			state->seq_known = 1;
		}
	}
	account(sk, false, ret, NULL);
	return 0;
}

#endif
