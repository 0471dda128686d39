// SPDX-License-Identifier: MIT
/*
 * From a cgroup's id to its path: since 5.5 the id is the file handle of the
 * cgroup's directory (67c0496e87d1), so it is opened by it and asked where it
 * is; no tree has to be searched.
 */
#include "cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* include/linux/exportfs.h */
#define FILEID_KERNFS 0xfe

static struct {
	bool tried;
	bool hidden; /* by another /sys */
	int fd;
	char path[PATH_MAX];
} root = { .fd = -1 };

/* ip-netns(8) mounts a new /sys under the name of the namespace. */
static bool is_of_ip_netns(const struct mntent *m)
{
	return strcmp(m->mnt_type, "sysfs") == 0 &&
	       strcmp(m->mnt_dir, "/sys") == 0 &&
	       strcmp(m->mnt_fsname, "sysfs") != 0;
}

int cgroup_root(void)
{
	struct mntent *m;
	FILE *mounts;

	if (root.tried)
		return root.fd;
	root.tried = true;
	mounts = setmntent("/proc/self/mounts", "re");
	while (mounts && root.fd < 0 && (m = getmntent(mounts))) {
		root.hidden |= is_of_ip_netns(m);
		if (strcmp(m->mnt_type, "cgroup2") == 0 &&
		    realpath(m->mnt_dir, root.path))
			root.fd = open(root.path,
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (mounts)
		endmntent(mounts);
	return root.fd;
}

const char *cgroup_root_missing(const char **remedy)
{
	if (root.hidden) {
		*remedy = "nsenter --net=/run/netns/NAME instead of ip netns "
			  "exec";
		return "'ip netns exec' hides cgroup version 2";
	}
	*remedy = "mount -t cgroup2 none /sys/fs/cgroup/unified";
	return "cgroup version 2 is not mounted";
}

static int open_cgroup(uint64_t id)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = {
		.head = { .handle_bytes = sizeof(id),
			  .handle_type = FILEID_KERNFS },
		.id = id,
	};

	return open_by_handle_at(cgroup_root(), &handle.head,
				 O_PATH | O_CLOEXEC);
}

char *cgroup_path(uint64_t id)
{
	char link[64], path[PATH_MAX];
	size_t prefix = strlen(root.path);
	ssize_t n;
	int fd;

	if (id == 0 || cgroup_root() < 0 || (fd = open_cgroup(id)) < 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	close(fd);
	if (n < (ssize_t)prefix || strncmp(path, root.path, prefix) != 0)
		return NULL;
	path[n] = '\0';
	return strdup(path[prefix] ? path + prefix : "/");
}
