// SPDX-License-Identifier: MIT
/*
 * Who a process is. Its program's path comes from /proc while it lives; else
 * from the names that the kernel side noted, which are a path within a
 * filesystem, looked for where that is mounted.
 */
#include "identity.h"

#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cgroup.h"

#define NS_PER_S 1000000000ULL

static char *read_link(const char *path)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n <= 0)
		return NULL;
	to[n] = '\0';
	return strdup(to);
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
static void join_names(const struct nm_exe *exe, char *path, size_t size)
{
	size_t len = 0;

	path[0] = '\0';
	for (uint32_t i = exe->names; i > 0; i--) {
		const char *name = exe->name[i - 1];
		int n = snprintf(path + len, size - len, "/%.*s",
				 NM_PATH_NAME_LEN, name);

		if (n < 0 || (size_t)n >= size - len) {
			path[0] = '\0';
			return;
		}
		len += (size_t)n;
	}
}

static bool is_program(const char *path, const struct nm_exe *exe)
{
	/* MKDEV of include/linux/kdev_t.h has 20 bits for the minor. */
	dev_t dev = makedev(exe->dev >> 20, exe->dev & 0xfffff);
	struct stat st;

	return stat(path, &st) == 0 && st.st_ino == exe->ino &&
	       st.st_dev == dev;
}

/*
 * The program of a process that has ended. In a container, or deleted, it
 * can't be seen from here: then its path within its filesystem must do, which
 * is what /proc would have shown.
 */
static char *ended_exe(const struct nm_exe *exe)
{
	char inner[PATH_MAX], path[PATH_MAX * 2];
	struct mntent *m;
	FILE *mounts;

	if (exe->names == 0 || exe->names > NM_PATH_NAMES)
		return NULL;
	join_names(exe, inner, sizeof(inner));
	if (inner[0] == '\0' || is_program(inner, exe))
		return inner[0] ? strdup(inner) : NULL;
	mounts = setmntent("/proc/self/mounts", "re");
	while (mounts && (m = getmntent(mounts))) {
		snprintf(path, sizeof(path), "%s%s", m->mnt_dir, inner);
		if (is_program(path, exe)) {
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
	nm_buf_free(&p->keys);
	p->exe = p->cgroup = NULL;
}

void identity_set_uid(struct process *p, uint32_t uid)
{
	p->uid = uid;
	p->uid_known = true;
	nm_buf_free(&p->keys);
}

void identity_fill(struct process *p, const struct nm_process_key *key,
		   const struct nm_process *k, const struct nm_exe *exe)
{
	uint64_t ns_per_tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t ticks;

	identity_clear(p);
	p->pid = key->tgid;
	p->start_us = key->start_ns / 1000;
	if (p->pid == 0)
		return;
	p->ppid = k->ppid;
	identity_set_uid(p, k->uid);
	p->netns = k->netns;
	snprintf(p->comm, sizeof(p->comm), "%.*s", NM_COMM_LEN, k->comm);
	p->cgroup = cgroup_path(k->cgroup_id);
	if (identity_proc_start(p->pid, &ticks) &&
	    ticks == key->start_ns / ns_per_tick)
		p->exe = identity_exe(p->pid);
	if (!p->exe && exe)
		p->exe = ended_exe(exe);
}
