// SPDX-License-Identifier: MIT
/*
 * The ids for the file system, setfsuid(2), and the effective capabilities.
 */
#include "act_as.h"

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "options.h"

/* Neither call says whether it did it; the next one does. */
static bool set_ids(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	return (gid_t)setfsgid((gid_t)-1) == gid &&
	       (uid_t)setfsuid((uid_t)-1) == uid;
}

static bool caps(long call, struct __user_cap_data_struct *of)
{
	struct __user_cap_header_struct this_thread = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	return syscall(call, &this_thread, of) == 0;
}

static bool drop_caps(const struct nm_rights *before)
{
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memcpy(none, before->caps, sizeof(none));
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		none[i].effective = 0;
	return caps(SYS_capset, none);
}

static bool drop_groups(struct nm_rights *before)
{
	int n = getgroups(0, NULL);
	gid_t *groups = calloc((size_t)n + 1, sizeof(*groups));

	if (!groups)
		err(NM_EXIT_FAIL, NULL);
	if (getgroups(n, groups) != n || setgroups(0, NULL)) {
		free(groups);
		return false;
	}
	before->groups = groups;
	before->groups_count = n;
	return true;
}

bool nm_act_as(uid_t uid, gid_t gid, struct nm_rights *before)
{
	*before = (struct nm_rights){
		.uid = (uid_t)setfsuid((uid_t)-1),
		.gid = (gid_t)setfsgid((gid_t)-1),
	};
	if (!caps(SYS_capget, before->caps))
		err(NM_EXIT_FAIL, "capget");
	if (uid != getuid() && !drop_groups(before))
		return false;
	if (set_ids(uid, gid) && drop_caps(before))
		return true;
	nm_act_as_before(before);
	return false;
}

void nm_act_as_before(struct nm_rights *before)
{
	int saved = errno;

	/* The ids are those of the process, and need no capability; the groups
	 * do. */
	if (!set_ids(before->uid, before->gid) ||
	    !caps(SYS_capset, before->caps) ||
	    (before->groups &&
	     setgroups((size_t)before->groups_count, before->groups)))
		errx(NM_EXIT_FAIL, "cannot take rights back");
	free(before->groups);
	before->groups = NULL;
	errno = saved;
}
