/* SPDX-License-Identifier: MIT */
/*
 * For backend tp: the end of a datagram socket, which has no trace point, at
 * the root cgroup as in peer.bpf.h. A program there may not look into the
 * kernel's socket, so the local address is not told again.
 */
#ifndef NM_RELEASE_BPF_H
#define NM_RELEASE_BPF_H

#include "flow.bpf.h"

static __always_inline void released_key(struct nm_flow_key *key,
					 struct bpf_sock *ctx,
					 const struct socket_state *state)
{
	key->cookie = bpf_get_socket_cookie(ctx);
	key->process = state->owner;
	key->proto = state->proto;
	key->netns = state->netns;
	key->rport = ctx->dst_port;
	if (ctx->family == AF_INET) {
		map_v4((__u32 *)key->raddr, ctx->dst_ip4);
	} else {
		__u32 *raddr = (__u32 *)key->raddr;

		raddr[0] = ctx->dst_ip6[0];
		raddr[1] = ctx->dst_ip6[1];
		raddr[2] = ctx->dst_ip6[2];
		raddr[3] = ctx->dst_ip6[3];
	}
}

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
	released_key(&key, ctx, state);
	if (!bpf_map_lookup_elem(&processes, &key.process))
		return 1;
	f = flow_get(NULL, &key, state);
	if (f)
		f->closed = 1;
	LOG(FLOW_CLOSED, key.process.tgid, key.cookie);
	return 1;
}

#endif
