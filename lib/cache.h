/* SPDX-License-Identifier: MIT */
/*
 * A bounded map from a few bytes to a fixed-size value: what a look-up found
 * is kept, the least recently used entry goes when it is full. All memory is
 * taken at the start, so it cannot grow under load.
 */
#ifndef NM_CACHE_H
#define NM_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nm_cache;

/*
 * Room for `entries` keys of exactly key_size bytes with values of
 * value_size bytes. on_evict (or NULL) is told of each value that goes, also
 * by nm_cache_free, so that it can release what the value owns. Exits with
 * status 1 if there is no memory.
 */
struct nm_cache *nm_cache_new(size_t entries, size_t key_size,
			      size_t value_size,
			      void (*on_evict)(const void *key, void *value));

/* The value, now the most recently used, or NULL. */
void *nm_cache_get(struct nm_cache *c, const void *key);

/*
 * The value, made (zeroed) if it is not there; *made says which. Never NULL.
 * Pointers stay valid until their entry is evicted or dropped.
 */
void *nm_cache_put(struct nm_cache *c, const void *key, bool *made);

/* Forgets a key; false if it was not there. */
bool nm_cache_drop(struct nm_cache *c, const void *key);

/* Forgets the key that was not used for longest; false if there is none. */
bool nm_cache_drop_oldest(struct nm_cache *c);

size_t nm_cache_count(const struct nm_cache *c);
uint64_t nm_cache_evicted(const struct nm_cache *c);

void nm_cache_free(struct nm_cache *c);

#endif
