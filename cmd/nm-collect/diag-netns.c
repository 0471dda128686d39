// SPDX-License-Identifier: MIT
/*
 * Finding network namespaces, and letting them go.
 */
#include "diag-netns.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "diag-enter.h"
#include "diag-mounts.h"
#include "diag-ports.h"

#define BUCKETS 256

/* What looking may take: one part of so many of a processor's time. */
#define LOOK_SHARE 200

#define FDS_MAX 16384

/* Descriptors that are left for reading /proc. */
#define RESERVE 16

/* A notice that is on its way when the last process ends needs a moment. */
#define IDLE_INTERVALS 2

static struct {
	struct netns *bucket[BUCKETS]; /* by inode */
	int poll;		       /* an epoll of all notices */
	bool others;		       /* were watched from the start */
	int max_fd;
	int trouble;
	double next_look_s;
} spaces = { .poll = -1 };

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Once we let go of one, its inode number can be another's. */
static struct netns *find(uint32_t inode)
{
	struct netns *n = spaces.bucket[inode % BUCKETS];

	while (n && (n->inode != inode || (n->closed && !n->refused)))
		n = n->next;
	return n;
}

/* --- Opening --- */

static struct netns *add(uint32_t inode, const struct netlink *l)
{
	struct netns *n = calloc(1, sizeof(*n));
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = n };

	if (!n)
		err(1, NULL);
	n->inode = inode;
	n->link = *l;
	n->closed = n->refused = l->notices < 0;
	n->inhabited = true;
	n->next = spaces.bucket[inode % BUCKETS];
	spaces.bucket[inode % BUCKETS] = n;
	/* Without this, notices wait for the end of the interval. */
	if (!n->closed)
		epoll_ctl(spaces.poll, EPOLL_CTL_ADD, l->notices, &e);
	return n;
}

static int enter(int fd, struct netlink *l)
{
	if (enter_open(fd, l))
		return errno;
	if (l->requests < spaces.max_fd && l->notices < spaces.max_fd)
		return 0;
	netlink_close(l);
	return EMFILE;
}

static void open_other(int fd)
{
	struct netlink l;
	struct stat st;
	int error;

	/* Whoever had it may be in another one by now. */
	if (fstat(fd, &st) || find((uint32_t)st.st_ino))
		return;
	error = enter(fd, &l);
	if (error)
		spaces.trouble = error;
	/* What may become better is tried again, by the next look. */
	if (!error || error == EPERM)
		add((uint32_t)st.st_ino, &l);
}

static void is_inhabited(uint32_t inode, int dir, const char *path)
{
	struct netns *n = find(inode);
	int fd;

	if (n) {
		n->inhabited = true;
		return;
	}
	/* If there is no room for one, there is none for the others. */
	if (!enter_works() || (spaces.trouble && spaces.trouble != EPERM))
		return;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	open_other(fd);
	close(fd);
}

/* --- Looking --- */

static void is_mounted(uint32_t inode, const char *path)
{
	is_inhabited(inode, AT_FDCWD, path);
}

static void look_at_process(int proc, const char *pid)
{
	static const char prefix[] = "net:[";
	char path[64], link[64];
	ssize_t len;

	snprintf(path, sizeof(path), "%.32s/ns/net", pid);
	len = readlinkat(proc, path, link, sizeof(link) - 1);
	if (len < (ssize_t)sizeof(prefix))
		return;
	link[len] = '\0';
	is_inhabited((uint32_t)strtoul(link + sizeof(prefix) - 1, NULL, 10),
		     proc, path);
}

static void look(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;

	if (!proc)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct netns *n = spaces.bucket[i]; n; n = n->next)
			n->inhabited = n->own;
	while ((d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]))
			look_at_process(dirfd(proc), d->d_name);
	closedir(proc);
	mounts_each(is_mounted);
}

void netns_look(void)
{
	double used, now = seconds(CLOCK_MONOTONIC);

	/* Also if none can be entered any more: those there are must go. */
	if (!spaces.others || now < spaces.next_look_s)
		return;
	used = seconds(CLOCK_THREAD_CPUTIME_ID);
	look();
	used = seconds(CLOCK_THREAD_CPUTIME_ID) - used;
	spaces.next_look_s = now + used * LOOK_SHARE;
}

/* --- All of them --- */

int netns_each(int (*fn)(struct netns *n))
{
	int failed = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct netns *n = spaces.bucket[i]; n; n = n->next)
			if (!failed && !n->closed)
				failed = fn(n);
	return failed;
}

int netns_fd(void)
{
	return spaces.poll;
}

int netns_ready(int (*fn)(struct netns *n))
{
	struct epoll_event ready[64];
	int failed = 0, n;

	n = epoll_wait(spaces.poll, ready, 64, 0);
	for (int i = 0; i < n && !failed; i++)
		failed = fn(ready[i].data.ptr);
	return failed;
}

int netns_take_trouble(void)
{
	int trouble = spaces.trouble;

	spaces.trouble = 0;
	return trouble;
}

/* --- Closing --- */

static void close_link(struct netns *n)
{
	epoll_ctl(spaces.poll, EPOLL_CTL_DEL, n->link.notices, NULL);
	netlink_close(&n->link);
	n->closed = true;
}

static void release(struct netns *n)
{
	if (!n->closed)
		close_link(n);
	ports_free(&n->listened[0]);
	ports_free(&n->listened[1]);
	free(n);
}

void netns_sweep(void)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct netns **link = &spaces.bucket[i], *n;

		while ((n = *link)) {
			n->idle = n->inhabited || n->held ? 0 : n->idle + 1;
			n->held = false;
			if (n->idle >= IDLE_INTERVALS && !n->closed)
				close_link(n);
			/* Its last connections are still to be told of. */
			if (n->closed && n->connections == 0 && n->idle) {
				*link = n->next;
				release(n);
			} else {
				link = &n->next;
			}
		}
	}
}

/* --- Start and end --- */

/*
 * A namespace takes four descriptors, and the usual limit is 1024. Not without
 * end: everybody can make namespaces, and each costs time.
 */
static void raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	if (r.rlim_cur < FDS_MAX)
		r.rlim_cur = r.rlim_max < FDS_MAX ? r.rlim_max : FDS_MAX;
	setrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur <= FDS_MAX)
		spaces.max_fd = (int)r.rlim_cur - RESERVE;
}

int netns_start(void)
{
	struct stat st = { 0 };
	struct netlink l;

	memset(&spaces, 0, sizeof(spaces));
	spaces.max_fd = FDS_MAX;
	spaces.poll = epoll_create1(EPOLL_CLOEXEC);
	if (spaces.poll < 0)
		return -1;
	if (netlink_open(&l))
		return -1;
	stat("/proc/self/ns/net", &st);
	add((uint32_t)st.st_ino, &l)->own = true;
	if (netlink_try(&l))
		return -1;
	spaces.others = enter_start();
	if (spaces.others)
		raise_limit();
	netns_look();
	return 0;
}

bool netns_all(void)
{
	return enter_works();
}

void netns_stop(void)
{
	enter_stop();
	mounts_free();
	for (size_t i = 0; i < BUCKETS; i++) {
		struct netns *n;

		while ((n = spaces.bucket[i])) {
			spaces.bucket[i] = n->next;
			release(n);
		}
	}
	if (spaces.poll >= 0)
		close(spaces.poll);
	spaces.poll = -1;
}
