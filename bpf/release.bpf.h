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
	struct socket_state *state;
	struct nm_counters *c;

	if (is_stream(ctx->protocol, ctx->type))
		return 1;
	state = bpf_sk_storage_get(&sockets, ctx, 0, 0);
	if (!state || (!state->owned && !wire_waits(state)))
		return 1;
	state->cookie = bpf_get_socket_cookie(ctx);
	if (!state->owned) {
		state->netns = task_netns(current_task());
		closer_owns(state, proto_of(ctx->protocol, ctx->type), false);
	}
	c = wire_flow(ctx, false, state, NULL, interval_now());
	if (c)
		c->closed = 1;
	if (c && wire_waits(state))
		wire_claim(c, state);
	else if (wire_waits(state))
		wire_lose(state);
	LOG(FLOW_CLOSED, state->owner.tgid, state->cookie);
	return 1;
}

#endif
