// SPDX-License-Identifier: MIT
/*
 * Who a process is. Its program's path comes from /proc while it lives; else
 * from the names that the kernel side noted, which are a path within a
 * filesystem, looked for where that is mounted.
 */
#include "identity.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* Is a process of that mount namespace to be seen from here as it sees? */
static bool our_mounts(uint32_t mnt_ns)
{
	struct stat st;

	return stat("/proc/self/ns/mnt", &st) == 0 && st.st_ino == mnt_ns;
}

void identity_unescape(char *text)
{
	char *to = text;

	for (const char *c = text; *c; to++) {
		if (c[0] == '\\' && c[1] && c[2] && c[3]) {
			*to = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 |
				     (c[3] - '0'));
			c += 4;
		} else {
			*to = *c++;
		}
	}
	*to = '\0';
}

/*
 * If the mount that a line of /proc/self/mountinfo is about shows the file of
 * this path within the device's filesystem: where.
 */
static char *path_in_mount(char *line, uint32_t dev, const char *inner)
{
	char root[PATH_MAX], point[PATH_MAX], *path;
	unsigned int major, minor;
	size_t n;

	if (sscanf(line, "%*d %*d %u:%u %4095s %4095s", &major, &minor, root,
		   point) != 4 ||
	    (major << 20 | minor) != dev)
		return NULL;
	identity_unescape(root);
	identity_unescape(point);
	n = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(inner, root, n) != 0 || inner[n] != '/')
		return NULL;
	if (asprintf(&path, "%s%s", strcmp(point, "/") == 0 ? "" : point,
		     inner + n) < 0)
		return NULL;
	return path;
}

/*
 * The program of a process that has ended, as /proc/PID/exe would have shown
 * it: by its mount if that is in our namespace, or else within its mount. No
 * file is touched: the path is whatever its owner likes, and may lead to a
 * mount that hangs.
 */
static char *ended_exe(const struct nm_exe *exe)
{
	char inner[PATH_MAX], *line = NULL, *path = NULL;
	size_t size = 0;
	FILE *mounts;

	if (exe->names == 0 || exe->names > NM_PATH_NAMES)
		return NULL;
	join_names(exe, inner, sizeof(inner));
	if (inner[0] == '\0')
		return NULL;
	if (our_mounts(exe->mnt_ns)) {
		mounts = fopen("/proc/self/mountinfo", "re");
		while (mounts && !path && getline(&line, &size, mounts) > 0)
			path = path_in_mount(line, exe->dev, inner);
		free(line);
		if (mounts)
			fclose(mounts);
	}
	return path ? path : strdup(inner);
}

void identity_clear(struct process *p)
{
	free(p->exe);
	free(p->cgroup);
	free(p->cmdline);
	nm_buf_free(&p->keys);
	p->exe = p->cgroup = p->cmdline = NULL;
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
	snprintf(p->parent, sizeof(p->parent), "%.*s", NM_COMM_LEN, k->parent);
	p->cgroup = cgroup_path(k->cgroup_id);
	/* In this order: a pid that is reused in between is found out. */
	p->exe = identity_exe(p->pid);
	if (!identity_proc_start(p->pid, &ticks) ||
	    ticks != key->start_ns / ns_per_tick) {
		free(p->exe);
		p->exe = NULL;
	}
	if (!p->exe && exe)
		p->exe = ended_exe(exe);
}
