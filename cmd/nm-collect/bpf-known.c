// SPDX-License-Identifier: MIT
/*
 * Processes by their key: their names, and what of the kernel's counters, which
 * only grow, was told.
 */
#include "bpf-known.h"

#include <stdlib.h>

#include <bpf/bpf.h>

#include "bpf-args.h"
#include "buf.h"
#include "cache.h"
#include "emit.h"
#include "identity.h"

/*
 * Its name is kept for so long after that, or after the last flow that it was
 * told with: the kernel may be emptying its sockets for a while.
 */
#define KEEP_NS (5 * NS_PER_S)

/* If a TCP socket was still open: TCP_RTO_MAX, until it is sent again. */
#define KEEP_OPEN_NS (125 * NS_PER_S)

/* Whom to forget, and not before when. */
struct left {
	struct nm_process_key key;
	uint64_t ns;
};

static struct {
	struct nm_cache *cache; /* nm_process_key -> struct known */
	int exes;		/* the kernel's map of what they run */
	struct nm_buf left;	/* those that are gone from its other map, */
	size_t left_max;	/* the oldest first */
	uint64_t now_ns;	/* of this drain */
	bool inferred;
} known;

static void forget_known(const void *key, void *value)
{
	struct known *k = value;

	(void)key;
	identity_clear(&k->process);
}

void bpf_known_open(const struct collect_bpf *skel, size_t max, size_t left_max,
		    bool inferred)
{
	known.left_max = left_max;
	known.inferred = inferred;
	known.exes = bpf_map__fd(skel->maps.exes);
	known.cache = nm_cache_new(max, sizeof(struct nm_process_key),
				   sizeof(struct known), forget_known);
}

void bpf_known_close(void)
{
	nm_cache_free(known.cache);
	nm_buf_free(&known.left);
	known.cache = NULL;
}

void bpf_known_at(uint64_t now_ns)
{
	known.now_ns = now_ns;
}

struct known *bpf_known_get(const struct nm_process_key *key)
{
	return nm_cache_get(known.cache, key);
}

static void identify(struct process *p, const struct nm_process_key *key,
		     const struct nm_process *v)
{
	struct nm_exe exe;
	bool found = bpf_map_lookup_elem(known.exes, key, &exe) == 0;

	identity_fill(p, key, v, found ? &exe : NULL);
	p->cmdline = bpf_args_cmdline(key);
}

struct known *bpf_known_meet(const struct nm_process_key *key,
			     const struct nm_process *v)
{
	bool made;
	struct known *k = nm_cache_put(known.cache, key, &made);

	if (made || k->execs != v->execs) {
		identify(&k->process, key, v);
		k->news = k->told ? "process_exec" : "process_start";
		k->execs = v->execs;
	} else if (k->process.uid_known && k->process.uid != v->uid) {
		identity_set_uid(&k->process, v->uid);
	}
	return k;
}

static void tell_news(struct known *k)
{
	if (k->news)
		emit_process(k->news, &k->process);
	/* It is told once, and may be long. */
	free(k->process.cmdline);
	k->process.cmdline = NULL;
	k->news = NULL;
	k->told = true;
}

static void use_tcp(struct known *k, bool open)
{
	k->tcp_open = open || (k->tcp_open && k->tcp_ns == known.now_ns);
	k->tcp_ns = known.now_ns;
}

void bpf_known_tcp(const struct nm_process_key *key, bool open)
{
	struct known *k = nm_cache_get(known.cache, key);

	if (k)
		use_tcp(k, open);
}

static struct process *moved(struct known *k, uint64_t tx, uint64_t rx)
{
	tell_news(k);
	k->seen_ns = known.now_ns;
	k->tx_bytes += tx;
	k->rx_bytes += rx;
	return &k->process;
}

struct process *bpf_known_moved(const struct nm_process_key *key, uint64_t tx,
				uint64_t rx)
{
	struct known *k = nm_cache_get(known.cache, key);

	return k ? moved(k, tx, rx) : NULL;
}

/* The part of what is in no flow that is not told yet. */
static struct nm_lost_detail lost_since(const struct nm_lost_detail *told,
					const struct nm_lost_detail *now)
{
	struct nm_lost_detail d = *now;

	d.tx_bytes -= told->tx_bytes;
	d.rx_bytes -= told->rx_bytes;
	bpf_wire_sum(&d.wire, &told->wire, -1);
	bpf_wire_sum(&d.loopback, &told->loopback, -1);
	return d;
}

static void tell_lost(struct known *k, struct flow *f)
{
	if (!f->tx_bytes && !f->rx_bytes && !f->wire.tx_packets &&
	    !f->wire.rx_packets)
		return;
	f->process = moved(k, f->tx_bytes, f->rx_bytes);
	f->inferred = known.inferred;
	use_tcp(k, true); /* maybe */
	emit_flow(f);
}

void bpf_known_tell(struct known *k, const struct nm_process *v)
{
	struct nm_lost_detail d = lost_since(&k->lost, &v->lost);
	struct flow f = {
		.netns = v->lost_at ? (uint32_t)(v->lost_at >> 32) : v->netns,
		.tx_bytes = d.tx_bytes,
		.rx_bytes = d.rx_bytes,
		.wire = d.wire,
		.ifindex = (uint32_t)v->lost_at,
	};
	/* Apart, because no ledger has it. */
	struct flow loopback = {
		.netns = v->netns,
		.wire = d.loopback,
		.ifindex = NM_LOOPBACK_IFINDEX,
	};

	tell_lost(k, &f);
	tell_lost(k, &loopback);
	if (k->told)
		tell_news(k);
	k->lost = v->lost;
}

void bpf_known_left(struct known *k, const struct nm_process_key *key)
{
	struct left l = { .key = *key, .ns = known.now_ns + KEEP_NS };

	k->lost = (struct nm_lost_detail){ 0 };
	nm_buf_add(&known.left, &l, sizeof(l));
}

static bool is_kept(const struct known *k, const struct left *l)
{
	uint64_t now = known.now_ns;

	return now < l->ns || now < k->seen_ns + KEEP_NS ||
	       (k->tcp_open && now < k->tcp_ns + KEEP_OPEN_NS);
}

size_t bpf_known_left_count(void)
{
	return known.left.len / sizeof(struct left);
}

/* Too many would push those out of the cache that are still in the map. */
void bpf_known_forget_left(void)
{
	struct left *list = (void *)known.left.data;
	size_t n = bpf_known_left_count(), kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct known *k = nm_cache_get(known.cache, &list[i].key);

		if (k && is_kept(k, &list[i]) && n - i <= known.left_max)
			list[kept++] = list[i];
		else if (k)
			nm_cache_drop(known.cache, &list[i].key);
	}
	known.left.len = kept * sizeof(*list);
}
