// SPDX-License-Identifier: MIT
/*
 * Reads /proc/self/mountinfo, which can be long, and only when it has changed.
 */
#include "netns-mounts.h"

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity.h"

struct mount {
	struct mount *next;
	uint32_t inode;
	char path[];
};

static struct {
	FILE *file;
	struct mount *first;
} mounts;

static void forget_mounts(void)
{
	struct mount *m;

	while ((m = mounts.first)) {
		mounts.first = m->next;
		free(m);
	}
}

/* The root of such a mount is the namespace: "net:[4026532281]". */
static void read_line(const char *line)
{
	char path[PATH_MAX];
	unsigned int inode;
	struct mount *m;

	if (sscanf(line, "%*d %*d %*s net:[%u] %4095s", &inode, path) != 2)
		return;
	identity_unescape(path);
	m = malloc(sizeof(*m) + strlen(path) + 1);
	if (!m)
		err(1, NULL);
	m->inode = inode;
	strcpy(m->path, path);
	m->next = mounts.first;
	mounts.first = m;
}

/* The kernel says by POLLPRI that something was mounted, or unmounted. */
static bool has_changed(void)
{
	struct pollfd p = { .events = POLLPRI };

	if (mounts.file) {
		p.fd = fileno(mounts.file);
		return poll(&p, 1, 0) > 0;
	}
	mounts.file = fopen("/proc/self/mountinfo", "re");
	return mounts.file != NULL;
}

void mounts_each(void (*fn)(uint32_t inode, const char *path))
{
	char *line = NULL;
	size_t size = 0;

	if (has_changed()) {
		forget_mounts();
		rewind(mounts.file);
		while (getline(&line, &size, mounts.file) > 0)
			read_line(line);
		free(line);
	}
	for (const struct mount *m = mounts.first; m; m = m->next)
		fn(m->inode, m->path);
}

void mounts_free(void)
{
	forget_mounts();
	if (mounts.file)
		fclose(mounts.file);
	mounts.file = NULL;
}
