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
#include "emit.h"
#include "options.h"

/* All that waits. */
#define BYTES_MAX (16 * 1024 * 1024)

/* Programs may fill the ring as fast as it is read: it is left for a while. */
#define READ_MAX 65536

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
	size_t bytes; /* of memory */
	size_t read;  /* in one go */
	uint64_t lost;
} heads;

static size_t memory_of(const struct head *h)
{
	return sizeof(*h) + h->bytes;
}

static void throw_away(const void *key, void *value)
{
	struct waiting_heads *w = value;

	(void)key;
	for (struct head *h = w->first, *next; h; h = next) {
		next = h->next;
		heads.bytes -= memory_of(h);
		heads.lost++;
		free(h);
	}
	w->first = NULL;
}

static int on_head(void *ctx, void *data, size_t size)
{
	const struct nm_head *from = data;
	const struct nm_head_about *about = &from->about;
	struct flow_id id = { .cookie = about->cookie, .rport = about->rport };
	struct waiting_heads *w;
	struct head *h;
	bool made;

	(void)ctx;
	if (size < sizeof(*about) + about->bytes)
		return 0;
	memcpy(id.raddr, about->raddr, sizeof(id.raddr));
	/* More than is told in an interval; or of sockets that nobody uses. */
	while (heads.bytes + sizeof(*h) + about->bytes > BYTES_MAX)
		nm_cache_drop_oldest(heads.flows);
	h = malloc(sizeof(*h) + about->bytes);
	if (!h)
		err(NM_EXIT_FAIL, NULL);
	h->next = NULL;
	h->bytes = about->bytes;
	h->sent = about->sent;
	memcpy(h->data, from->data, about->bytes);
	w = nm_cache_put(heads.flows, &id, &made);
	if (made)
		w->end = &w->first;
	*w->end = h;
	w->end = &h->next;
	heads.bytes += memory_of(h);
	return ++heads.read < READ_MAX ? 0 : -1;
}

void bpf_heads_size(struct collect_bpf *skel, const struct settings *s)
{
	struct bpf_map *const maps[] = { skel->maps.heads,
					 skel->maps.peeked_peers,
					 skel->maps.early_heads };

	bpf_map__set_max_entries(skel->maps.heads, NM_HEADS_SIZE);
	bpf_map__set_max_entries(skel->maps.peeked_peers, s->max_flows);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		bpf_map__set_autocreate(maps[i], skel->rodata->peek_bytes > 0);
}

void bpf_heads_open(const struct collect_bpf *skel, const struct settings *s)
{
	if (!skel->rodata->peek_bytes)
		return;
	heads.ring = ring_buffer__new(bpf_map__fd(skel->maps.heads), on_head,
				      NULL, NULL);
	if (!heads.ring) {
		emit_notice("warning", "peek", "no first bytes of flows: %s",
			    strerror(errno));
		return;
	}
	heads.flows = nm_cache_new(s->max_flows, sizeof(struct flow_id),
				   sizeof(struct waiting_heads), throw_away);
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
	heads.read = 0;
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
		heads.bytes -= memory_of(h);
	nm_cache_drop(heads.flows, &id);
	return first;
}

uint64_t bpf_heads_lost(void)
{
	uint64_t lost = heads.lost;

	heads.lost = 0;
	return lost;
}
