/* SPDX-License-Identifier: MIT */
/*
 * A server that goes to the background, or leaves its connections to others,
 * listens, and ends. The packets of handshakes, which are those of the
 * listening socket, are then told of who served the last connection to its
 * port.
 */
#ifndef NM_SERVER_BPF_H
#define NM_SERVER_BPF_H

#include "flow.bpf.h"

struct listener {
	__u32 netns;
	__u32 port; /* host order */
};

/* It may forget: then packets stay with who has ended. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct listener);
	__type(value, struct nm_process_key);
} servers SEC(".maps");

/* The owner of the state uses the connection. */
static __always_inline void server_seen(const struct socket_state *state)
{
	struct listener l = { .netns = state->netns, .port = state->lport };

	if (state->dir == NM_DIR_IN && state->proto == NM_PROTO_TCP)
		bpf_map_update_elem(&servers, &l, &state->owner, BPF_ANY);
}

/* The state is that of a listening socket. */
static __always_inline void server_follow(struct socket_state *state)
{
	struct listener l = { .netns = state->netns, .port = state->lport };
	const struct nm_process *p;
	const struct nm_process_key *key;

	p = bpf_map_lookup_elem(&processes, &state->owner);
	if (p && !p->ended_ns)
		return;
	key = bpf_map_lookup_elem(&servers, &l);
	if (!key || key->start_ns == state->owner.start_ns)
		return;
	state->owner = *key;
	state->use = use_by(&state->owner);
	state->last = 0;
}

#endif
