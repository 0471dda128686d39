// SPDX-License-Identifier: MIT
/*
 * Processes that have sockets: who they are, and whether they still live.
 */
#include "diag-owner.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity.h"

#define US_PER_S 1000000ULL

#define BUCKETS 1024

static struct {
	struct owner *bucket[BUCKETS]; /* by pid */
	uint64_t count, max, refused;
} owners;

/* What /proc/PID/stat says. */
struct stat_line {
	char comm[sizeof(((struct process *)NULL)->comm)];
	char state;
	uint32_t ppid;
	uint64_t start_ticks;
};

static bool read_proc(uint32_t pid, const char *file, char *out, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	out[n] = '\0';
	return true;
}

static bool read_stat(uint32_t pid, struct stat_line *s)
{
	char line[1024], *comm, *end;
	unsigned long long start;

	if (!read_proc(pid, "stat", line, sizeof(line)))
		return false;
	/* The name may hold anything, also blanks and parentheses. */
	comm = strchr(line, '(');
	end = strrchr(line, ')');
	if (!comm || !end ||
	    sscanf(end + 1,
		   " %c %u %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %*s %*s %*s %*s %llu",
		   &s->state, &s->ppid, &start) != 3)
		return false;
	*end = '\0';
	snprintf(s->comm, sizeof(s->comm), "%s", comm + 1);
	s->start_ticks = start;
	return true;
}

static void read_uid(struct process *p)
{
	char status[2048], *line;

	if (!read_proc(p->pid, "status", status, sizeof(status)))
		return;
	line = strstr(status, "\nUid:");
	p->uid_known = line && sscanf(line, "\nUid: %*u %u", &p->uid) == 1;
}

static char *read_cgroup(uint32_t pid)
{
	char text[8192], *line;

	if (!read_proc(pid, "cgroup", text, sizeof(text)))
		return NULL;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line)
		return NULL;
	line = strchr(line, '/');
	if (!line)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return strdup(line);
}

static void learn(struct owner *o, const struct stat_line *s)
{
	struct process *p = &o->process;
	uint64_t ticks;
	char path[64];
	struct stat ns;

	identity_clear(p);
	p->start_us = s->start_ticks * (US_PER_S / sysconf(_SC_CLK_TCK));
	p->ppid = s->ppid;
	snprintf(p->comm, sizeof(p->comm), "%s", s->comm);
	read_uid(p);
	snprintf(path, sizeof(path), "/proc/%u/ns/net", p->pid);
	p->netns = stat(path, &ns) == 0 ? (uint32_t)ns.st_ino : 0;
	p->cgroup = read_cgroup(p->pid);
	p->exe = identity_exe(p->pid);
	/* Was all that of the same process? */
	if (identity_proc_start(p->pid, &ticks) && ticks == s->start_ticks)
		return;
	identity_clear(p);
	p->uid_known = false;
	p->netns = 0;
}

static struct owner *owner_get(uint32_t pid)
{
	struct owner **bucket = &owners.bucket[pid % BUCKETS], *o;
	struct stat_line s;

	if (!read_stat(pid, &s))
		return NULL;
	for (o = *bucket; o; o = o->next)
		if (o->process.pid == pid && o->start_ticks == s.start_ticks)
			break;
	if (o && strcmp(o->process.comm, s.comm) != 0) {
		learn(o, &s);
		o->changed = true;
	}
	if (o)
		return o;
	if (owners.count >= owners.max) {
		owners.refused++;
		return NULL;
	}
	o = calloc(1, sizeof(*o));
	if (!o)
		err(1, NULL);
	owners.count++;
	o->process.pid = pid;
	o->start_ticks = s.start_ticks;
	learn(o, &s);
	o->next = *bucket;
	*bucket = o;
	return o;
}

static bool started_before(const struct owner *a, const struct owner *b)
{
	if (a->start_ticks != b->start_ticks)
		return a->start_ticks < b->start_ticks;
	return a->process.pid < b->process.pid;
}

static int by_inode(const void *a, const void *b)
{
	uint32_t x = ((const struct held *)a)->inode;
	uint32_t y = ((const struct held *)b)->inode;

	return (x > y) - (x < y);
}

static struct held *find(struct held *h, size_t n, uint32_t inode)
{
	struct held key = { .inode = inode };

	return bsearch(&key, h, n, sizeof(*h), by_inode);
}

/* The sought socket that this descriptor is, or NULL. */
static struct held *held_by(int dir, const char *descriptor, struct held *h,
			    size_t n)
{
	static const char prefix[] = "socket:[";
	char link[64];
	ssize_t len = readlinkat(dir, descriptor, link, sizeof(link) - 1);

	if (len < (ssize_t)sizeof(prefix) ||
	    memcmp(link, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	link[len] = '\0';
	return find(h, n,
		    (uint32_t)strtoul(link + sizeof(prefix) - 1, NULL, 10));
}

static void look_into(uint32_t pid, int proc, struct held *h, size_t n)
{
	struct owner *o = NULL;
	bool asked = false;
	struct dirent *d;
	char path[32];
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%u/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	while ((d = readdir(dir))) {
		struct held *found = held_by(fd, d->d_name, h, n);

		if (!found)
			continue;
		if (!asked)
			o = owner_get(pid);
		asked = true;
		if (o && (!found->owner || started_before(o, found->owner)))
			found->owner = o;
	}
	closedir(dir);
}

uint64_t owners_find(struct held *h, size_t n)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;

	owners.refused = 0;
	if (!proc)
		return 0;
	qsort(h, n, sizeof(*h), by_inode);
	while ((d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]))
			look_into((uint32_t)strtoul(d->d_name, NULL, 10),
				  dirfd(proc), h, n);
	closedir(proc);
	return owners.refused;
}

struct owner *owners_found(struct held *h, size_t n, uint32_t inode)
{
	struct held *found = find(h, n, inode);

	return found ? found->owner : NULL;
}

/*
 * Of a process that has sockets, kill(2) says at a tenth of the cost whether
 * its pid is in use; one that has ended and was not waited for has none.
 */
static bool has_ended(const struct owner *o)
{
	struct stat_line s;

	if (kill((pid_t)o->process.pid, 0) && errno == ESRCH)
		return true;
	if (o->sockets)
		return false;
	return !read_stat(o->process.pid, &s) ||
	       s.start_ticks != o->start_ticks || s.state == 'Z' ||
	       s.state == 'X';
}

static void owner_free(struct owner *o)
{
	identity_clear(&o->process);
	free(o);
	owners.count--;
}

void owners_check(bool (*forget)(struct owner *o))
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct owner **link = &owners.bucket[i], *o;

		while ((o = *link)) {
			o->gone = o->gone || has_ended(o);
			if (forget(o)) {
				*link = o->next;
				owner_free(o);
			} else {
				link = &o->next;
			}
		}
	}
}

void owners_init(uint64_t max)
{
	memset(&owners, 0, sizeof(owners));
	owners.max = max;
}

static bool forget_all(struct owner *o)
{
	(void)o;
	return true;
}

void owners_free(void)
{
	owners_check(forget_all);
}
