// SPDX-License-Identifier: MIT
/*
 * lib/cache: against a plain array that does the same slowly.
 */
#include <stdlib.h>

#include "cache.h"
#include "check.h"

#define ENTRIES 7
#define KEYS	12

static uint64_t evicted_sum;

static void on_evict(const void *key, void *value)
{
	CHECK(**(uint32_t **)value == *(const uint32_t *)key);
	evicted_sum += *(const uint32_t *)key;
	free(*(void **)value);
}

/* Keys from the least to the most recently used. */
struct model {
	uint32_t key[ENTRIES];
	size_t count;
};

static bool model_take(struct model *m, uint32_t key)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->key[i] != key)
			continue;
		m->count--;
		memmove(m->key + i, m->key + i + 1,
			(m->count - i) * sizeof(*m->key));
		return true;
	}
	return false;
}

static void model_add(struct model *m, uint32_t key)
{
	if (m->count == ENTRIES)
		model_take(m, m->key[0]);
	m->key[m->count++] = key;
}

static void put(struct nm_cache *c, struct model *m, uint32_t key)
{
	uint32_t *number, **value;
	bool made;

	value = nm_cache_put(c, &key, &made);
	CHECK(made == !model_take(m, key));
	model_add(m, key);
	if (!made) {
		CHECK(**value == key);
		return;
	}
	CHECK(*value == NULL);
	number = malloc(sizeof(*number));
	if (!number)
		abort();
	*number = key;
	*value = number;
}

static void get(struct nm_cache *c, struct model *m, uint32_t key)
{
	uint32_t **value = nm_cache_get(c, &key);

	if (CHECK((value != NULL) == model_take(m, key)) && value) {
		CHECK(**value == key);
		model_add(m, key);
	}
}

static void test_against_the_model(void)
{
	struct nm_cache *c = nm_cache_new(ENTRIES, sizeof(uint32_t),
					  sizeof(uint32_t *), on_evict);
	struct model m = { .count = 0 };
	uint32_t random = 1, key;

	for (int i = 0; i < 100003 && !checks_failed; i++) {
		random = random * 1103515245 + 12345;
		key = (random >> 8) % KEYS;
		switch ((random >> 20) % 8) {
		case 0:
			CHECK(nm_cache_drop(c, &key) == model_take(&m, key));
			break;
		case 1:
		case 2:
		case 3:
			get(c, &m, key);
			break;
		default:
			put(c, &m, key);
		}
		CHECK(nm_cache_count(c) == m.count);
	}
	CHECK(nm_cache_evicted(c) > 0);
	CHECK(m.count > 0);
	evicted_sum = 0;
	for (size_t i = 0; i < m.count; i++)
		evicted_sum -= m.key[i];
	nm_cache_free(c);
	CHECK(evicted_sum == 0); /* the rest was told of too */
}

static void test_odd_sizes(void)
{
	struct nm_cache *c = nm_cache_new(1000, 19, 1, NULL);
	char key[19] = "0123456789abcdefgh";
	bool made;

	for (int i = 0; i < 2000; i++) {
		memcpy(key, &i, sizeof(i));
		*(char *)nm_cache_put(c, key, &made) = (char)i;
		CHECK(made);
	}
	CHECK(nm_cache_count(c) == 1000);
	CHECK(nm_cache_evicted(c) == 1000);
	for (int i = 0; i < 2000; i++) {
		char *value;

		memcpy(key, &i, sizeof(i));
		value = nm_cache_get(c, key);
		CHECK((value != NULL) == (i >= 1000));
		CHECK(!value || *value == (char)i);
	}
	key[18] = 'x'; /* the last byte of a key counts too */
	CHECK(nm_cache_get(c, key) == NULL);
	nm_cache_free(c);
	nm_cache_free(NULL);
}

int main(void)
{
	test_against_the_model();
	test_odd_sizes();
	return checks_failed > 0;
}
