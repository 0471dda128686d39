// SPDX-License-Identifier: MIT
/*
 * Keeping first bytes until their flow is told: bounded, because some flows
 * never are.
 */
#include "bpf-heads.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cache.h"
#include "options.h"

/* Flows whose heads wait at one time, and all the bytes of these. */
#define FLOWS_MAX 16384
#define BYTES_MAX (16 * 1024 * 1024)

/* What tells flows apart; without a peer, the socket alone. */
struct flow_id {
	uint64_t cookie;
	uint8_t raddr[16];
	uint64_t rport;
};

/* Those of a flow. */
struct waiting_heads {
	struct head *first, **end;
};

static struct {
	struct ring_buffer *ring;
	struct nm_cache *flows;
	size_t bytes; /* of the data that waits */
	uint64_t lost;
} heads;

static void throw_away(const void *key, void *value)
{
	struct waiting_heads *w = value;

	(void)key;
	for (struct head *h = w->first, *next; h; h = next) {
		next = h->next;
		heads.bytes -= h->bytes;
		heads.lost++;
		free(h);
	}
	w->first = NULL;
}

static void wait_for_flows(void)
{
	heads.flows = nm_cache_new(FLOWS_MAX, sizeof(struct flow_id),
				   sizeof(struct waiting_heads), throw_away);
}

static int on_head(void *ctx, void *data, size_t size)
{
	const struct nm_head *from = data;
	struct flow_id id = { .cookie = from->cookie, .rport = from->rport };
	struct waiting_heads *w;
	struct head *h;
	bool made;

	(void)ctx;
	if (size < sizeof(*from) - NM_HEAD_MAX + from->bytes)
		return 0;
	memcpy(id.raddr, from->raddr, sizeof(id.raddr));
	/* More than is told in an interval; or of sockets that nobody uses. */
	if (heads.bytes + from->bytes > BYTES_MAX) {
		nm_cache_free(heads.flows);
		wait_for_flows();
	}
	h = malloc(sizeof(*h) + from->bytes);
	if (!h)
		err(NM_EXIT_FAIL, NULL);
	h->next = NULL;
	h->bytes = from->bytes;
	h->sent = from->sent;
	memcpy(h->data, from->data, from->bytes);
	w = nm_cache_put(heads.flows, &id, &made);
	if (made)
		w->end = &w->first;
	*w->end = h;
	w->end = &h->next;
	heads.bytes += h->bytes;
	return 0;
}

void bpf_heads_size(struct collect_bpf *skel, const struct settings *s)
{
	bpf_map__set_max_entries(skel->maps.heads, NM_HEADS_SIZE);
	bpf_map__set_max_entries(skel->maps.peeked_peers, s->max_flows);
}

int bpf_heads_open(int map)
{
	heads.ring = ring_buffer__new(map, on_head, NULL, NULL);
	if (!heads.ring)
		return -1;
	wait_for_flows();
	return 0;
}

void bpf_heads_close(void)
{
	if (!heads.ring)
		return;
	ring_buffer__free(heads.ring);
	nm_cache_free(heads.flows);
	memset(&heads, 0, sizeof(heads));
}

int bpf_heads_fd(void)
{
	return heads.ring ? ring_buffer__epoll_fd(heads.ring) : -1;
}

void bpf_heads_read(void)
{
	if (heads.ring)
		ring_buffer__consume(heads.ring);
}

struct head *bpf_heads_take(const struct nm_flow_key *key,
			    const struct nm_flow *flow)
{
	struct flow_id id = { .cookie = key->cookie };
	struct waiting_heads *w;
	struct head *first;

	if (!heads.ring)
		return NULL;
	if (flow->peer) {
		id.rport = flow->rport;
		memcpy(id.raddr, flow->raddr, sizeof(id.raddr));
	}
	w = nm_cache_get(heads.flows, &id);
	if (!w)
		return NULL;
	first = w->first;
	w->first = NULL;
	for (const struct head *h = first; h; h = h->next)
		heads.bytes -= h->bytes;
	nm_cache_drop(heads.flows, &id);
	return first;
}

uint64_t bpf_heads_lost(void)
{
	uint64_t lost = heads.lost;

	heads.lost = 0;
	return lost;
}
