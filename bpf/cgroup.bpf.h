/* SPDX-License-Identifier: MIT */
/*
 * Backend cgroup: nothing but the wire meter, for kernels where no program may
 * stand on the socket calls. A socket is its creator's, and a connection that
 * was accepted is that of who created the listening socket.
 */
#ifndef NM_CGROUP_BPF_H
#define NM_CGROUP_BPF_H

#include "wire.bpf.h"

SEC("cgroup/sock_create")
int on_sock_create(struct bpf_sock *ctx)
{
	struct socket_state *state;
	struct user user;

	if (ctx->family != AF_INET && ctx->family != AF_INET6)
		return 1;
	user_get(&user, false);
	if (!process_get(&user))
		return 1;
	state = bpf_sk_storage_get(&sockets, ctx, 0,
				   BPF_SK_STORAGE_GET_F_CREATE);
	if (!state)
		return 1;
	state->netns = task_netns(current_task());
	state->proto = proto_of(ctx->protocol, ctx->type);
	state->uid = user.uid;
	state->owner = user.process;
	state->use = use_by(&user.process);
	state->owned = 1;
	return 1;
}

#endif
