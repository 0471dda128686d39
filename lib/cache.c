// SPDX-License-Identifier: MIT
/*
 * A bounded map. Entries live in one array and are known by their index; each
 * is in the chain of its bucket and in the list from the most to the least
 * recently used, or in the list of free ones.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "cache.h"

#define NONE UINT32_MAX

struct entry {
	uint32_t hash;
	uint32_t next; /* in the bucket, or among the free */
	uint32_t newer, older;
	/* then the key, then the value, each aligned for any type */
};

struct nm_cache {
	size_t key_size, value_size;
	size_t key_room; /* of the key with its padding */
	size_t stride;	 /* from one entry to the next */
	char *entries;
	uint32_t *bucket;
	unsigned int bucket_shift; /* of a hash, to its bucket */
	uint32_t free, newest, oldest;
	uint32_t entries_max, entries_used; /* beyond: never touched memory */
	size_t count;
	uint64_t evicted;
	uint64_t factor, start;
	void (*on_evict)(const void *key, void *value);
};

static size_t aligned(size_t n)
{
	const size_t to = _Alignof(max_align_t);

	return (n + to - 1) / to * to;
}

static struct entry *at(const struct nm_cache *c, uint32_t i)
{
	return (struct entry *)(void *)(c->entries + i * c->stride);
}

static void *key_of(const struct nm_cache *c, uint32_t i)
{
	return (char *)at(c, i) + aligned(sizeof(struct entry));
}

static void *value_of(const struct nm_cache *c, uint32_t i)
{
	return (char *)key_of(c, i) + c->key_room;
}

/* Of text in a large key, most is zeros behind it: they need no hashing. */
static size_t without_zeros(const unsigned char *k, size_t n)
{
	uint64_t word;

	for (; n >= sizeof(word); n -= sizeof(word)) {
		memcpy(&word, k + n - sizeof(word), sizeof(word));
		if (word)
			break;
	}
	return n;
}

/*
 * Multiplying by a random odd number, of which the highest bits are used, is
 * universal hashing for one word (Dietzfelbinger and others, 1997); words are
 * chained, from a random start, so that zeros before others count too. Keys
 * come from the network, and nobody outside can choose them to fall into one
 * bucket.
 */
static uint32_t hash_of(const struct nm_cache *c, const void *key)
{
	const unsigned char *k = key;
	size_t size = without_zeros(k, c->key_size), n;
	uint64_t h = c->start, word;

	for (size_t i = 0; i < size; i += n) {
		n = size - i < 8 ? size - i : 8;
		word = 0;
		memcpy(&word, k + i, n);
		h ^= h >> 32;
		h = (h ^ word) * c->factor;
	}
	return (uint32_t)(h >> 32);
}

static uint32_t *bucket_of(const struct nm_cache *c, uint32_t hash)
{
	return &c->bucket[hash >> c->bucket_shift];
}

struct nm_cache *nm_cache_new(size_t entries, size_t key_size,
			      size_t value_size,
			      void (*on_evict)(const void *key, void *value))
{
	struct nm_cache *c = calloc(1, sizeof(*c));
	uint64_t random[2];
	size_t buckets = 2;

	if (!c)
		err(1, "cannot allocate a cache");
	if (!entries || entries >= NONE / 2)
		errx(1, "a cache cannot have %zu entries", entries);
	c->bucket_shift = 31;
	for (; buckets < entries; buckets *= 2)
		c->bucket_shift--;
	c->key_size = key_size;
	c->value_size = value_size;
	c->key_room = aligned(key_size);
	c->stride = aligned(sizeof(struct entry)) + c->key_room +
		    aligned(value_size);
	/*
	 * calloc(3) would take pages that were freed before, and clear them:
	 * all entries were in memory then, also those that nobody needs.
	 */
	c->entries = mmap(NULL, entries * c->stride, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Nor is a huge page to be taken for the first of them. */
	if (c->entries != MAP_FAILED)
		madvise(c->entries, entries * c->stride, MADV_NOHUGEPAGE);
	c->bucket = malloc(buckets * sizeof(*c->bucket));
	if (c->entries == MAP_FAILED || !c->bucket)
		err(1, "cannot allocate a cache of %zu entries", entries);
	memset(c->bucket, 0xff, buckets * sizeof(*c->bucket));
	c->newest = c->oldest = NONE;
	c->free = NONE;
	c->entries_max = (uint32_t)entries;
	c->on_evict = on_evict;
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		err(1, "cannot get random bytes");
	c->factor = random[0] | 1;
	c->start = random[1];
	return c;
}

static uint32_t find(const struct nm_cache *c, const void *key, uint32_t hash)
{
	uint32_t i = *bucket_of(c, hash);

	while (i != NONE && (at(c, i)->hash != hash ||
			     memcmp(key_of(c, i), key, c->key_size)))
		i = at(c, i)->next;
	return i;
}

static void unlink_age(struct nm_cache *c, const struct entry *e)
{
	if (e->newer == NONE)
		c->newest = e->older;
	else
		at(c, e->newer)->older = e->older;
	if (e->older == NONE)
		c->oldest = e->newer;
	else
		at(c, e->older)->newer = e->newer;
}

static void link_newest(struct nm_cache *c, uint32_t i)
{
	struct entry *e = at(c, i);

	e->newer = NONE;
	e->older = c->newest;
	if (c->newest == NONE)
		c->oldest = i;
	else
		at(c, c->newest)->newer = i;
	c->newest = i;
}

static void touch(struct nm_cache *c, uint32_t i)
{
	if (c->newest == i)
		return;
	unlink_age(c, at(c, i));
	link_newest(c, i);
}

static void forget(struct nm_cache *c, uint32_t i)
{
	struct entry *e = at(c, i);
	uint32_t *link = bucket_of(c, e->hash);

	while (*link != i)
		link = &at(c, *link)->next;
	*link = e->next;
	unlink_age(c, e);
	c->count--;
	if (c->on_evict)
		c->on_evict(key_of(c, i), value_of(c, i));
	e->next = c->free;
	c->free = i;
}

void *nm_cache_get(struct nm_cache *c, const void *key)
{
	uint32_t i = find(c, key, hash_of(c, key));

	if (i == NONE)
		return NULL;
	touch(c, i);
	return value_of(c, i);
}

/* An entry in no bucket and no list. */
static uint32_t unused_entry(struct nm_cache *c)
{
	uint32_t i;

	if (c->free == NONE && c->entries_used < c->entries_max)
		return c->entries_used++;
	if (c->free == NONE) {
		c->evicted++;
		forget(c, c->oldest);
	}
	i = c->free;
	c->free = at(c, i)->next;
	return i;
}

void *nm_cache_put(struct nm_cache *c, const void *key, bool *made)
{
	uint32_t hash = hash_of(c, key), i = find(c, key, hash), *bucket;

	*made = i == NONE;
	if (i != NONE) {
		touch(c, i);
		return value_of(c, i);
	}
	i = unused_entry(c);
	bucket = bucket_of(c, hash);
	at(c, i)->hash = hash;
	at(c, i)->next = *bucket;
	*bucket = i;
	link_newest(c, i);
	c->count++;
	memcpy(key_of(c, i), key, c->key_size);
	memset(value_of(c, i), 0, c->value_size);
	return value_of(c, i);
}

bool nm_cache_drop(struct nm_cache *c, const void *key)
{
	uint32_t i = find(c, key, hash_of(c, key));

	if (i == NONE)
		return false;
	forget(c, i);
	return true;
}

bool nm_cache_drop_oldest(struct nm_cache *c)
{
	if (c->oldest == NONE)
		return false;
	forget(c, c->oldest);
	return true;
}

size_t nm_cache_count(const struct nm_cache *c)
{
	return c->count;
}

uint64_t nm_cache_evicted(const struct nm_cache *c)
{
	return c->evicted;
}

void nm_cache_free(struct nm_cache *c)
{
	if (!c)
		return;
	while (nm_cache_drop_oldest(c))
		;
	munmap(c->entries, c->entries_max * c->stride);
	free(c->bucket);
	free(c);
}
