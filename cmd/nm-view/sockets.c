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
};

struct sockets {
	size_t count;
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

void sockets_open(struct sockets *s, struct proc *p, const char *flow)
{
	uint64_t cookie = cookie_of(flow);
	struct socket **at = find(s, p, cookie);
	struct socket *new;

	if (*at)
		return;
	if (s->count >= SOCKETS_MAX) {
		p->now.sockets_more = true;
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
}

static void drop(struct sockets *s, struct proc *p, struct socket **at)
{
	struct socket *gone = *at;

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
