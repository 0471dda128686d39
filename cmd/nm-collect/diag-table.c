// SPDX-License-Identifier: MIT
/*
 * A hash table that doubles when there is an entry for each bucket.
 */
#include "diag-table.h"

#include <err.h>
#include <stdlib.h>

#define FIRST_BITS 8

static struct {
	struct connection **bucket;
	size_t count;
	unsigned bits; /* 2^bits buckets */
} table;

/* Fibonacci hashing: cookies are numbered, each CPU from its own thousands. */
static size_t bucket_of(uint64_t cookie)
{
	return (size_t)(cookie * 0x9e3779b97f4a7c15ULL >> (64 - table.bits));
}

static size_t buckets(void)
{
	return table.bucket ? (size_t)1 << table.bits : 0;
}

static void insert(struct connection *c)
{
	struct connection **b = &table.bucket[bucket_of(c->cookie)];

	c->next = *b;
	*b = c;
}

static void grow(void)
{
	struct connection **old = table.bucket, *c, *next;
	size_t n = buckets();

	table.bits = old ? table.bits + 1 : FIRST_BITS;
	table.bucket = calloc((size_t)1 << table.bits, sizeof(*table.bucket));
	if (!table.bucket)
		err(1, NULL);
	for (size_t i = 0; i < n; i++) {
		for (c = old[i]; c; c = next) {
			next = c->next;
			insert(c);
		}
	}
	free(old);
}

struct connection *table_find(uint64_t cookie)
{
	struct connection *c;

	if (!table.bucket)
		return NULL;
	c = table.bucket[bucket_of(cookie)];
	while (c && c->cookie != cookie)
		c = c->next;
	return c;
}

struct connection *table_add(uint64_t cookie, struct netns *n)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		err(1, NULL);
	if (table.count >= buckets())
		grow();
	c->cookie = cookie;
	c->netns = n;
	n->connections++;
	insert(c);
	table.count++;
	return c;
}

void table_each(bool (*keep)(struct connection *c))
{
	for (size_t i = 0; i < buckets(); i++) {
		struct connection **link = &table.bucket[i], *c;

		while ((c = *link)) {
			if (keep(c)) {
				link = &c->next;
				continue;
			}
			*link = c->next;
			c->netns->connections--;
			free(c);
			table.count--;
		}
	}
}

size_t table_count(void)
{
	return table.count;
}

static bool drop(struct connection *c)
{
	(void)c;
	return false;
}

void table_free(void)
{
	table_each(drop);
	free(table.bucket);
	table.bucket = NULL;
}
