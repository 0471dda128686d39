/* SPDX-License-Identifier: MIT */
/*
 * For backend tp: the end of a datagram socket, which has no trace point, at
 * the root cgroup as in peer.bpf.h. A program there may not look into the
 * kernel's socket.
 */
#ifndef NM_RELEASE_BPF_H
#define NM_RELEASE_BPF_H

#include "wire.bpf.h"

SEC("cgroup/sock_release")
int on_sock_release(struct bpf_sock *ctx)
{
	struct nm_flow_key key = {};
	struct socket_state *state;
	struct nm_flow *f;

	if (ctx->protocol == IPPROTO_TCP || ctx->protocol == IPPROTO_MPTCP)
		return 1;
	state = bpf_sk_storage_get(&sockets, ctx, 0, 0);
	if (!state || !state->owned)
		return 1;
	key.cookie = bpf_get_socket_cookie(ctx);
	key.use = state->use;
	f = wire_flow(&key, ctx, false, state, NULL);
	if (f)
		f->closed = 1;
	LOG(FLOW_CLOSED, state->owner.tgid, key.cookie);
	return 1;
}

#endif
