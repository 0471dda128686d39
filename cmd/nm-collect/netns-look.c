// SPDX-License-Identifier: MIT
/*
 * Goes through /proc and the mounts, and limits itself.
 */
#include "netns-look.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "netns-mounts.h"

/* What looking may take: one part of so many of a processor's time. */
#define LOOK_SHARE 200

static double next_s;
static look_fn *told;

static void is_mounted(uint32_t inode, const char *path)
{
	told(inode, AT_FDCWD, path);
}

/* False: it may not be looked at; not if it has just ended. */
static bool look_at_process(int proc, const char *pid)
{
	static const char prefix[] = "net:[";
	char path[64], link[64];
	ssize_t len;

	snprintf(path, sizeof(path), "%.32s/ns/net", pid);
	len = readlinkat(proc, path, link, sizeof(link) - 1);
	if (len < 0)
		return errno != EACCES && errno != EPERM;
	if (len < (ssize_t)sizeof(prefix))
		return true;
	link[len] = '\0';
	told((uint32_t)strtoul(link + sizeof(prefix) - 1, NULL, 10), proc,
	     path);
	return true;
}

bool look_is_due(void)
{
	return clock_seconds(CLOCK_MONOTONIC) >= next_s;
}

size_t look(look_fn *fn)
{
	double used = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
	DIR *proc = opendir("/proc");
	struct dirent *d;
	size_t refused = 0;

	if (!proc)
		return 0;
	told = fn;
	while ((d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]))
			refused += !look_at_process(dirfd(proc), d->d_name);
	closedir(proc);
	mounts_each(is_mounted);
	used = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - used;
	next_s = clock_seconds(CLOCK_MONOTONIC) + used * LOOK_SHARE;
	return refused;
}

void look_end(void)
{
	mounts_free();
	next_s = 0;
}
