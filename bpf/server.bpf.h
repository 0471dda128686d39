/* SPDX-License-Identifier: MIT */
/*
 * A server that goes to the background, or leaves its connections to others,
 * listens, and ends. The packets of handshakes, which are those of the
 * listening socket, are then told of who served the last connection to its
 * port. Those of a server in the kernel are the kernel's.
 */
#ifndef NM_SERVER_BPF_H
#define NM_SERVER_BPF_H

#include "waiting.bpf.h"

struct listener {
	__u32 netns;
	__u16 port; /* host order */
	__u8 proto; /* enum nm_proto */
	__u8 zero;
};

/* It may forget: then packets stay with who has ended. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct listener);
	__type(value, struct nm_process_key);
} servers SEC(".maps");

/* The owner of the state serves its port. */
static __always_inline void server_note(const struct socket_state *state)
{
	struct listener l = { .netns = state->netns,
			      .port = state->lport,
			      .proto = state->proto };

	bpf_map_update_elem(&servers, &l, &state->owner, BPF_ANY);
}

static __always_inline bool is_alive(const struct nm_process_key *key)
{
	const struct nm_process *p = bpf_map_lookup_elem(&processes, key);

	return p && !p->ended_ns;
}

/* The state is that of a listening socket. */
static __always_inline void server_follow(struct socket_state *state)
{
	struct listener l = { .netns = state->netns,
			      .port = state->lport,
			      .proto = state->proto };
	const struct nm_process_key *last;
	struct nm_process_key next;

	/* Two processors may have written it at once: then it is done again. */
	if (use_by(&state->owner) == state->use && is_alive(&state->owner))
		return;
	last = bpf_map_lookup_elem(&servers, &l);
	if (!last)
		return;
	next = *last;
	if (!is_alive(&next))
		return;
	state->owner = next;
	state->use = use_by(&next);
	state->last = 0;
}

/* What is in these bits is not a pointer's: a map of BPF is at the socket. */
#define USER_DATA_TAGS 7

/*
 * The kernel's own, or opened by a program that left it to the kernel, which
 * put something of its own there: rpc.nfsd does. That of an MPTCP server is the
 * kernel's too, but below another.
 */
static __always_inline bool kernel_accepts(struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	__u64 data = (__u64)(long)sk->sk_user_data;

	return !tcp_has_ulp(tp) &&
	       (socket_is_kernels(sk) || (data && !(data & USER_DATA_TAGS)));
}

/*
 * A server of the kernel (NFS) that listened before the start: it is in
 * nobody's descriptors, and no call will tell of it.
 */
static __always_inline void server_of_kernel(struct __sk_buff *skb,
					     struct bpf_sock *sk,
					     struct socket_state *state)
{
	const struct nm_process_key kernel = {};
	struct tcp_sock *tp;

	if (sk->state != TCP_LISTEN || !is_tcp(sk->protocol, sk->type))
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || !kernel_accepts(tp))
		return;
	/* Not by process_get(): old kernels refuse here what it calls. */
	bpf_map_update_elem(&processes, &kernel, &new_process, BPF_NOEXIST);
	if (!bpf_map_lookup_elem(&processes, &kernel))
		return;
	if (!state->netns)
		state->netns = socket_netns((struct sock *)tp);
	if (!state->cookie)
		state->cookie = bpf_get_socket_cookie(skb);
	state->listens = 1;
	owner_known(state, NM_PROTO_TCP, &kernel);
}

#endif
