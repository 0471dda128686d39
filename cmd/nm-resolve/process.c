// SPDX-License-Identifier: MIT
/*
 * Reading /proc of the machine, or of the folder that stands for it.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "text.h"

/* Times in /proc are in these, whatever the kernel's HZ. */
#define TICK_US 10000

/* The file's beginning, NUL-terminated; its length, or 0. */
static size_t read_file(const char *path, char *out, size_t size)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size_t n = 0;

	while (fd >= 0 && n + 1 < size) {
		ssize_t more = read(fd, out + n, size - 1 - n);

		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			break;
		n += (size_t)more;
	}
	if (fd >= 0)
		close(fd);
	out[n] = '\0';
	return n;
}

bool process_is(uint64_t pid, uint64_t start_us, uint64_t *ppid)
{
	char stat[1024], *p;
	uint64_t ticks;

	if (!read_file(names_path("/proc/%" PRIu64 "/stat", pid), stat,
		       sizeof(stat)))
		return false;
	/*
	 * proc_pid_stat(5): fields 4 and 22; the name, field 2, may hold
	 * anything.
	 */
	p = strrchr(stat, ')');
	if (!p || sscanf(p + 1,
			 " %*s %" SCNu64 " %*s %*s %*s %*s %*s %*s %*s %*s %*s"
			 " %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
			 ppid, &ticks) != 2)
		return false;
	return ticks == start_us / TICK_US;
}

void process_comm(uint64_t pid, char *out, size_t size)
{
	size_t n =
		read_file(names_path("/proc/%" PRIu64 "/comm", pid), out, size);

	if (n && out[n - 1] == '\n')
		out[n - 1] = '\0';
}

void process_cmdline(uint64_t pid, char *out, size_t size, size_t limit)
{
	size_t n = read_file(names_path("/proc/%" PRIu64 "/cmdline", pid), out,
			     size - NM_CMDLINE_ROOM);

	nm_cmdline(out, n, limit);
}

/* With another root the users are that one's. */
const char *process_user(uint64_t uid)
{
	static char name[64];
	const char *path = names_path("/etc/passwd");
	struct passwd *pw = NULL;
	FILE *file = NULL;

	if (!path || uid > UINT32_MAX)
		return NULL;
	if (strcmp(path, "/etc/passwd") == 0) {
		pw = getpwuid((uid_t)uid);
	} else {
		file = fopen(path, "re");
		do
			pw = file ? fgetpwent(file) : NULL;
		while (pw && pw->pw_uid != uid);
	}
	if (pw)
		snprintf(name, sizeof(name), "%s", pw->pw_name);
	if (file)
		fclose(file);
	return pw ? name : NULL;
}
