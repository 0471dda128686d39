// SPDX-License-Identifier: MIT
/*
 * Finding network namespaces, and letting them go.
 */
#include "diag-netns.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag-ports.h"
#include "enter.h"
#include "netns-look.h"

#define BUCKETS 256

/* A notice that is on its way when the last process ends needs a moment. */
#define IDLE_INTERVALS 2

static struct {
	struct netns *bucket[BUCKETS]; /* by inode */
	int poll;		       /* an epoll of all notices */
	bool others;		       /* were watched from the start */
	int trouble;
} spaces = { .poll = -1 };

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

static void open_other(int fd)
{
	struct netlink l;
	struct stat st;
	int error;

	/* Whoever had it may be in another one by now. */
	if (fstat(fd, &st) || find((uint32_t)st.st_ino))
		return;
	error = enter_open(fd, &l, NETLINK_SOCK_DIAG) ? errno : 0;
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

void netns_look(void)
{
	/* Also if none can be entered any more: those there are must go. */
	if (!spaces.others || !look_is_due())
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct netns *n = spaces.bucket[i]; n; n = n->next)
			n->inhabited = n->own;
	look(is_inhabited);
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

int netns_start(void)
{
	struct stat st = { 0 };
	struct netlink l;

	memset(&spaces, 0, sizeof(spaces));
	spaces.poll = epoll_create1(EPOLL_CLOEXEC);
	if (spaces.poll < 0)
		return -1;
	if (netlink_open(&l, NETLINK_SOCK_DIAG))
		return -1;
	stat("/proc/self/ns/net", &st);
	add((uint32_t)st.st_ino, &l)->own = true;
	if (diag_try(&l))
		return -1;
	spaces.others = enter_start();
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
	look_end();
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
