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

#endif
