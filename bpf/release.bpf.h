/* SPDX-License-Identifier: MIT */
/*
 * For backends tp and cgroup: the end of a datagram socket, which has no trace
 * point, at the root cgroup as in peer.bpf.h; and who closes a socket that
 * nobody has used. A program there may not look into the kernel's socket, so it
 * is not to be seen in which network namespace that is; it is never the
 * kernel's own.
 */
#ifndef NM_RELEASE_BPF_H
#define NM_RELEASE_BPF_H

#include "wire.bpf.h"

/*
 * Of the socket, which shows no more than a cookie of it: the task's, if that
 * is it. 0: unknown.
 */
static __always_inline __u32 release_netns(struct bpf_sock *ctx)
{
	struct task_struct *task = current_task();
	struct net *net = task->nsproxy->net_ns;

	if (bpf_core_field_exists(net->net_cookie) &&
	    net->net_cookie != bpf_get_netns_cookie(ctx))
		return 0;
	return task_netns(task);
}

SEC("cgroup/sock_release")
int on_sock_release(struct bpf_sock *ctx)
{
	bool goes_on = ends_later(ctx->protocol, ctx->type, ctx->state);
	struct socket_state *state;
	struct nm_counters *c;

	state = bpf_sk_storage_get(&sockets, ctx, 0,
				   goes_on ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	if (!state || (!state->owned && !goes_on && !wire_waits(state)))
		return 1;
	if (!state->cookie)
		state->cookie = bpf_get_socket_cookie(ctx);
	if (!state->owned) {
		if (!state->netns)
			state->netns = release_netns(ctx);
		closer_owns(state, proto_of(ctx->protocol, ctx->type), false);
	}
	if (tells_end(ctx->protocol, ctx->type))
		return 1;
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
