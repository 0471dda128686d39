// SPDX-License-Identifier: MIT
/*
 * Names of user ids, from getpwuid(3), kept.
 */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>

#include "text.h"
#include "users.h"

#define NAME_SIZE 33

struct nm_cache *users_new(void)
{
	return nm_cache_new(1024, sizeof(uint64_t), NAME_SIZE, NULL);
}

void users_name(struct nm_cache *users, uint64_t uid, bool local, char *out,
		size_t size)
{
	struct passwd *account;
	bool made;
	char *name;

	if (!uid) {
		snprintf(out, size, "root");
		return;
	}
	if (!local || uid >= UINT32_MAX) {
		snprintf(out, size, "%" PRIu64, uid);
		return;
	}
	name = nm_cache_put(users, &uid, &made);
	if (made) {
		account = getpwuid((uid_t)uid);
		if (account)
			nm_clean(name, NAME_SIZE, account->pw_name);
		else
			snprintf(name, NAME_SIZE, "%" PRIu64, uid);
	}
	snprintf(out, size, "%s", name);
}
