// SPDX-License-Identifier: MIT
/*
 * lib/cache, from inside: keys that differ only in where their one word is
 * among zeros have different hashes.
 */
#include "../../lib/cache.c"

#include "check.h"

#define WORDS 64

int main(void)
{
	struct nm_cache *c = nm_cache_new(8, WORDS * sizeof(uint64_t), 1, NULL);
	uint32_t hash[WORDS];
	int same = 0;

	for (int i = 0; i < WORDS; i++) {
		uint64_t key[WORDS] = { 0 };

		key[i] = 7;
		hash[i] = hash_of(c, key);
		for (int k = 0; k < i; k++)
			same += hash[k] == hash[i];
	}
	/* By chance, one pair in two million runs. */
	CHECK(same < 2);
	nm_cache_free(c);
	return checks_failed > 0;
}
