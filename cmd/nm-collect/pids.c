// SPDX-License-Identifier: MIT
/*
 * The processes that -p names. One that does not exist is most likely a
 * mistake, and would only be seen by its silence.
 */
#include "pids.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "emit.h"
#include "options.h"

#define MAX_PIDS 256

static uint64_t pids[MAX_PIDS];
static size_t npids;
/* Of each, a pidfd; -1 if nobody can tell when it ends. */
static struct pollfd ends[MAX_PIDS];

int pids_add(const char *arg, void *into)
{
	unsigned long pid;
	char *end;

	(void)into;
	errno = 0;
	pid = strtoul(arg, &end, 10);
	/* strtoul(3) takes blanks and signs as well. */
	if (arg[0] < '0' || arg[0] > '9' || errno || *end || pid > 1 << 22) {
		warnx("'%s' is not a process id", arg);
		return -1;
	}
	if (npids == MAX_PIDS) {
		warnx("more than %d process ids", MAX_PIDS);
		return -1;
	}
	pids[npids++] = pid;
	return 0;
}

/*
 * The ids are those of the initial pid namespace, whose inode number is fixed.
 * In another one nothing can be said about them.
 */
static bool can_be_checked(void)
{
	static const ino_t initial = 0xeffffffc; /* PROC_PID_INIT_INO */
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == initial;
}

/*
 * pidfd_open(2) takes processes only, needs no rights, and does not care what
 * /proc hides. It says EINVAL of a thread that is no leader, and from Linux
 * 6.15 on ENOENT. glibc has it since 2.36 only.
 */
static int open_process(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0 && errno == ESRCH)
		errx(NM_EXIT_FAIL, "there is no process '%d'", (int)pid);
	if (fd < 0 && (errno == EINVAL || errno == ENOENT))
		errx(NM_EXIT_FAIL, "'%d' is a thread, not a process", (int)pid);
	return fd;
}

void pids_apply(void)
{
	bool check = can_be_checked();

	for (size_t i = 0; i < npids; i++) {
		ends[i].events = POLLIN;
		ends[i].fd = -1;
		if (check && pids[i] != 0) /* the kernel */
			ends[i].fd = open_process((pid_t)pids[i]);
	}
	emit_only(pids, npids);
}

/*
 * One that had ended by the last time has been told. Its number may be
 * another's now.
 */
static void leave_out_told(void)
{
	size_t left = 0;

	for (size_t i = 0; i < npids; i++) {
		if (ends[i].revents) {
			close(ends[i].fd);
			continue;
		}
		pids[left] = pids[i];
		ends[left++] = ends[i];
	}
	if (left == npids)
		return;
	npids = left;
	emit_only(pids, npids);
}

bool pids_ended(void)
{
	size_t ended = 0;

	if (!npids)
		return false;
	leave_out_told();
	if (poll(ends, npids, 0) < 0)
		return false;
	for (size_t i = 0; i < npids; i++)
		ended += ends[i].revents != 0;
	return ended == npids;
}
