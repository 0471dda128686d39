// SPDX-License-Identifier: MIT
/*
 * A network namespace is named as ip-netns(8) knows it, by the path of a
 * descriptor, or by a process that lives in it.
 */
#include "netns-choice.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "options.h"
#include "rights.h"

#define MAX_NAMES 1024

static struct {
	const char *name[MAX_NAMES];
	int fd[MAX_NAMES];
	size_t n, opened;
	bool all;
} choice;

int netns_choice_add(const char *arg, void *into)
{
	(void)into;
	if (strcmp(arg, "all") == 0) {
		choice.all = true;
		return 0;
	}
	if (arg[0] == '\0') {
		warnx("a network namespace has a name");
		return -1;
	}
	if (choice.n == MAX_NAMES) {
		warnx("more than %d network namespaces", MAX_NAMES);
		return -1;
	}
	choice.name[choice.n++] = arg;
	return 0;
}

bool netns_choice_any(void)
{
	return choice.n || choice.all;
}

bool netns_choice_all(void)
{
	return choice.all;
}

static bool is_pid(const char *name)
{
	return name[strspn(name, "0123456789")] == '\0';
}

static void path_of(const char *name, char *path, size_t size)
{
	if (strchr(name, '/'))
		snprintf(path, size, "%s", name);
	else if (is_pid(name))
		snprintf(path, size, "/proc/%s/ns/net", name);
	else
		snprintf(path, size, "/run/netns/%s", name);
}

static int open_one(const char *name)
{
	char path[PATH_MAX];
	int fd;

	path_of(name, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && is_pid(name))
		errx(NM_EXIT_FAIL, "there is no process '%s'", name);
	if (fd < 0)
		err(NM_EXIT_FAIL, "network namespace '%s'", name);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		errx(NM_EXIT_FAIL, "'%s' is not a network namespace", name);
	return fd;
}

void netns_choice_open(void)
{
	for (; choice.opened < choice.n; choice.opened++)
		choice.fd[choice.opened] = open_one(choice.name[choice.opened]);
	if (netns_choice_any() && !rights_have_sys_admin())
		errx(NM_EXIT_CANNOT, "network namespaces cannot be entered "
				     "without CAP_SYS_ADMIN");
}

void netns_choice_close(void)
{
	while (choice.opened)
		close(choice.fd[--choice.opened]);
}

void netns_choice_each(void (*fn)(int fd, const char *name))
{
	for (size_t i = 0; i < choice.opened; i++)
		fn(choice.fd[i], choice.name[i]);
}
