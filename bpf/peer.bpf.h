/* SPDX-License-Identifier: MIT */
/*
 * The trace points of backend tp know the socket but not the message, so
 * not the other side of a datagram on a socket that is not connected. These
 * programs, run for the root cgroup just before, note it. They are left out
 * where CAP_NET_ADMIN or the cgroup2 mount is missing; then the remote side of
 * such sockets is unknown, and nothing else.
 *
 * They always return 1: go on.
 */
#ifndef NM_PEER_BPF_H
#define NM_PEER_BPF_H

#include "socket.bpf.h"

static __always_inline struct noted_peer *peer_slot(struct bpf_sock_addr *ctx,
						    bool sent)
{
	struct socket_state *state;
	struct noted_peer *noted;

	if (!ctx->sk)
		return NULL;
	state = bpf_sk_storage_get(&sockets, ctx->sk, 0,
				   BPF_SK_STORAGE_GET_F_CREATE);
	if (!state)
		return NULL;
	noted = &state->noted;
	noted->thread = bpf_get_current_pid_tgid();
	noted->valid = sent ? NOTED_SENT : NOTED_RECEIVED;
	noted->peer.port = ctx->user_port;
	return noted;
}

static __always_inline int note_v4(struct bpf_sock_addr *ctx, bool sent)
{
	struct noted_peer *noted = peer_slot(ctx, sent);

	if (noted)
		map_v4(noted->peer.addr, ctx->user_ip4);
	return 1;
}

static __always_inline int note_v6(struct bpf_sock_addr *ctx, bool sent)
{
	struct noted_peer *noted = peer_slot(ctx, sent);

	if (noted) {
		noted->peer.addr[0] = ctx->user_ip6[0];
		noted->peer.addr[1] = ctx->user_ip6[1];
		noted->peer.addr[2] = ctx->user_ip6[2];
		noted->peer.addr[3] = ctx->user_ip6[3];
	}
	return 1;
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *ctx)
{
	return note_v4(ctx, true);
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *ctx)
{
	return note_v6(ctx, true);
}

SEC("cgroup/recvmsg4")
int on_recvmsg4(struct bpf_sock_addr *ctx)
{
	return note_v4(ctx, false);
}

SEC("cgroup/recvmsg6")
int on_recvmsg6(struct bpf_sock_addr *ctx)
{
	return note_v6(ctx, false);
}

#endif
