// SPDX-License-Identifier: MIT
/*
 * A hash table of (process, socket cookie), and a list through the sockets
 * of each process, so that a process that ends takes its sockets with it.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "sockets.h"

#define BUCKETS 65536 /* a power of two */

struct socket {
	struct proc *proc;
	uint64_t cookie;
	struct socket *next;	    /* in the bucket */
	struct socket *older;	    /* of the process */
	struct socket **from_newer; /* what points here in that list */

	bool datagram;
	uint64_t used_us;
	/* of all datagram sockets, in the order of their last use */
	struct socket *used_before, *used_after;
};

struct sockets {
	size_t count;
	struct socket *first_used, *last_used;
	struct socket *bucket[BUCKETS];
};

struct sockets *sockets_new(void)
{
	struct sockets *s = calloc(1, sizeof(*s));

	if (!s)
		err(1, NULL);
	return s;
}

/*
 * The cookie before the '-': a datagram socket has a flow for each remote
 * side, and is one socket. What is not hexadecimal is hashed with FNV-1a.
 */
static uint64_t cookie_of(const char *flow)
{
	size_t n = strcspn(flow, "-");
	uint64_t hash = 0xcbf29ce484222325;

	if (n && n <= 16 && strspn(flow, "0123456789abcdef") == n)
		return strtoull(flow, NULL, 16);
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)flow[i]) * 0x100000001b3;
	return hash;
}

static struct socket **find(struct sockets *s, const struct proc *p,
			    uint64_t cookie)
{
	uint64_t mixed = (cookie * 31 + p->id) * 0x9e3779b97f4a7c15;
	struct socket **at = &s->bucket[mixed >> 48];

	while (*at && ((*at)->cookie != cookie || (*at)->proc != p))
		at = &(*at)->next;
	return at;
}

static void use(struct sockets *s, struct socket *k, uint64_t ts_us)
{
	k->used_us = ts_us;
	k->used_before = s->last_used;
	k->used_after = NULL;
	if (s->last_used)
		s->last_used->used_after = k;
	else
		s->first_used = k;
	s->last_used = k;
}

static void disuse(struct sockets *s, struct socket *k)
{
	if (k->used_before)
		k->used_before->used_after = k->used_after;
	else
		s->first_used = k->used_after;
	if (k->used_after)
		k->used_after->used_before = k->used_before;
	else
		s->last_used = k->used_before;
}

void sockets_open(struct sockets *s, struct proc *p, const char *flow,
		  bool datagram, uint64_t ts_us)
{
	uint64_t cookie = cookie_of(flow);
	struct socket **at = find(s, p, cookie);
	struct socket *new;

	if (*at) {
		if ((*at)->datagram) {
			disuse(s, *at);
			use(s, *at, ts_us);
		}
		return;
	}
	if (s->count >= SOCKETS_MAX) {
		p->now.sockets_more = true;
		p->more_us = ts_us;
		return;
	}
	new = calloc(1, sizeof(*new));
	if (!new)
		err(1, NULL);
	new->proc = p;
	new->cookie = cookie;
	*at = new;
	new->older = p->sockets;
	new->from_newer = &p->sockets;
	if (new->older)
		new->older->from_newer = &new->older;
	p->sockets = new;
	p->now.sockets++;
	s->count++;
	new->datagram = datagram;
	if (datagram)
		use(s, new, ts_us);
}

static void drop(struct sockets *s, struct proc *p, struct socket **at)
{
	struct socket *gone = *at;

	if (gone->datagram)
		disuse(s, gone);
	*at = gone->next;
	*gone->from_newer = gone->older;
	if (gone->older)
		gone->older->from_newer = gone->from_newer;
	free(gone);
	p->now.sockets--;
	s->count--;
}

void sockets_close(struct sockets *s, struct proc *p, const char *flow)
{
	struct socket **at = find(s, p, cookie_of(flow));

	if (*at)
		drop(s, p, at);
}

void sockets_close_all(struct sockets *s, struct proc *p)
{
	while (p->sockets)
		drop(s, p, find(s, p, p->sockets->cookie));
	p->now.sockets_more = false;
}

/* Time may go back: then what is far ahead of it is as good as silent. */
void sockets_forget(struct sockets *s, uint64_t ts_us)
{
	struct socket *k;

	while ((k = s->first_used)) {
		uint64_t used_us = k->used_us;

		if ((ts_us > used_us ? ts_us - used_us : used_us - ts_us) <
		    SOCKETS_KEEP_US)
			return;
		drop(s, k->proc, find(s, k->proc, k->cookie));
	}
}

void sockets_free(struct sockets *s)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct socket *next;

		for (struct socket *k = s->bucket[i]; k; k = next) {
			next = k->next;
			free(k);
		}
	}
	free(s);
}
