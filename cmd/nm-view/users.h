/* SPDX-License-Identifier: MIT */
/*
 * Names of user ids, each looked up once: getpwuid(3) may ask a server.
 */
#ifndef VIEW_USERS_H
#define VIEW_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"

struct nm_cache *users_new(void);

/*
 * The cleaned name, or the number where there is none. The accounts of this
 * host say nothing about another host's numbers, except for root.
 */
void users_name(struct nm_cache *users, uint64_t uid, bool local, char *out,
		size_t size);

#endif
