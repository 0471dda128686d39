/* SPDX-License-Identifier: MIT */
/*
 * Looking up files with somebody's rights, not with those that this program
 * holds besides: the kernel then refuses what it would refuse them, in one
 * look-up that nobody can race.
 */
#ifndef NM_ACT_AS_H
#define NM_ACT_AS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/types.h>

/* What this thread had before. */
struct nm_rights {
	uid_t uid;
	gid_t gid;
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	gid_t *groups; /* NULL: they were not touched */
	int groups_count;
};

/*
 * Until nm_act_as_before(), files are opened as this user and group would,
 * without capabilities; and, if root's groups are not theirs, without other
 * groups. If that is not to be had: false, and all is as it was.
 */
bool nm_act_as(uid_t uid, gid_t gid, struct nm_rights *before);

/* errno stays. Ends the program if the rights do not come back. */
void nm_act_as_before(struct nm_rights *before);

#endif
