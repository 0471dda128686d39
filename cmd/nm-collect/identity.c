// SPDX-License-Identifier: MIT
/*
 * Paths of programs and cgroups. A program's path comes from /proc while the
 * process lives; else from the names that the kernel side noted, which are a
 * path within a filesystem, looked for where that is mounted.
 */
#include "identity.h"

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#define NS_PER_S 1000000000ULL

/* include/linux/exportfs.h; the handle is the cgroup's 64-bit id */
#define FILEID_KERNFS 0xfe

static int cgroup_root = -1;
static char cgroup_root_path[PATH_MAX];
static long ticks_per_s;

/* The cgroup2 mount, also where it is mounted beside version 1. */
static void open_cgroup_root(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	if (!mounts)
		return;
	while (cgroup_root < 0 && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "cgroup2") != 0)
			continue;
		cgroup_root =
			open(m->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (!realpath(m->mnt_dir, cgroup_root_path))
			cgroup_root_path[0] = '\0';
	}
	endmntent(mounts);
}

void identity_init(void)
{
	ticks_per_s = sysconf(_SC_CLK_TCK);
	if (cgroup_root < 0)
		open_cgroup_root();
}

static char *read_link(const char *path)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n <= 0)
		return NULL;
	to[n] = '\0';
	return strdup(to);
}

char *identity_cgroup(uint64_t id)
{
	struct {
		struct file_handle h;
		uint64_t id;
	} handle = { .h = { .handle_bytes = sizeof(id),
			    .handle_type = FILEID_KERNFS } };
	size_t root = strlen(cgroup_root_path);
	char link[64], *path;
	int fd;

	if (cgroup_root < 0 || id == 0)
		return NULL;
	memcpy(handle.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(cgroup_root, &handle.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	path = read_link(link);
	close(fd);
	if (!path || strncmp(path, cgroup_root_path, root) != 0) {
		free(path);
		return NULL;
	}
	memmove(path, path + root, strlen(path + root) + 1);
	if (path[0] == '\0') {
		free(path);
		return strdup("/");
	}
	return path;
}

char *identity_exe(uint32_t pid)
{
	static const char deleted[] = " (deleted)";
	char link[64], *path, *end;

	snprintf(link, sizeof(link), "/proc/%u/exe", pid);
	path = read_link(link);
	if (!path || strlen(path) < sizeof(deleted))
		return path;
	end = path + strlen(path) - strlen(deleted);
	if (strcmp(end, deleted) == 0)
		*end = '\0';
	return path;
}

bool identity_proc_start(uint32_t pid, uint64_t *ticks)
{
	char path[64], stat[1024], *p;
	ssize_t n;
	int fd, field;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	if (n <= 0)
		return false;
	stat[n] = '\0';
	/* The name may hold anything, also blanks and parentheses. */
	p = strrchr(stat, ')');
	for (field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	if (!p)
		return false;
	*ticks = strtoull(p, NULL, 10);
	return true;
}

/* The kernel's names, leaf first, as a path; "" if they are too long. */
static void join_names(const struct nm_process *k, char *path, size_t size)
{
	size_t len = 0;

	path[0] = '\0';
	for (uint32_t i = k->exe_names; i > 0; i--) {
		const char *name = k->exe[i - 1];
		int n = snprintf(path + len, size - len, "/%.*s",
				 NM_PATH_NAME_LEN, name);

		if (n < 0 || (size_t)n >= size - len) {
			path[0] = '\0';
			return;
		}
		len += (size_t)n;
	}
}

static bool is_program(const char *path, const struct nm_process *k)
{
	/* MKDEV of include/linux/kdev_t.h has 20 bits for the minor. */
	dev_t dev = makedev(k->exe_dev >> 20, k->exe_dev & 0xfffff);
	struct stat st;

	return stat(path, &st) == 0 && st.st_ino == k->exe_ino &&
	       st.st_dev == dev;
}

/*
 * The program of a process that has ended. In a container, or deleted, it
 * can't be seen from here: then its path within its filesystem must do, which
 * is what /proc would have shown.
 */
static char *ended_exe(const struct nm_process *k)
{
	char inner[PATH_MAX], path[PATH_MAX * 2];
	struct mntent *m;
	FILE *mounts;

	if (k->exe_names == 0 || k->exe_names > NM_PATH_NAMES)
		return NULL;
	join_names(k, inner, sizeof(inner));
	if (inner[0] == '\0' || is_program(inner, k))
		return inner[0] ? strdup(inner) : NULL;
	mounts = setmntent("/proc/self/mounts", "re");
	while (mounts && (m = getmntent(mounts))) {
		snprintf(path, sizeof(path), "%s%s", m->mnt_dir, inner);
		if (is_program(path, k)) {
			endmntent(mounts);
			return strdup(path);
		}
	}
	if (mounts)
		endmntent(mounts);
	return strdup(inner);
}

void identity_clear(struct process *p)
{
	free(p->exe);
	free(p->cgroup);
	p->exe = p->cgroup = NULL;
}

void identity_fill(struct process *p, const struct nm_process_key *key,
		   const struct nm_process *k)
{
	uint64_t ticks;

	identity_clear(p);
	p->pid = key->tgid;
	p->start_us = key->start_ns / 1000;
	if (p->pid == 0)
		return;
	p->ppid = k->ppid;
	p->uid = k->uid;
	p->uid_known = true;
	p->netns = k->netns;
	snprintf(p->comm, sizeof(p->comm), "%.*s", NM_COMM_LEN, k->comm);
	p->cgroup = identity_cgroup(k->cgroup_id);
	if (identity_proc_start(p->pid, &ticks) &&
	    ticks == key->start_ns / (NS_PER_S / (uint64_t)ticks_per_s))
		p->exe = identity_exe(p->pid);
	if (!p->exe)
		p->exe = ended_exe(k);
}
