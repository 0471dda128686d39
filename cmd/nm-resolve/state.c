// SPDX-License-Identifier: MIT
/*
 * State files of engines, bounded by what is read: what fstat(2) says of the
 * size may be over a moment later.
 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* jansson takes up to a hundred times as much memory. */
#define ROOT_MAX (4 << 20)
#define USER_MAX (256 << 10)

/* It is no pipe either that somebody put there. */
int state_open(const char *path, uid_t writer, struct stat *st)
{
	int fd = path ? open(path,
			     O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
		      : -1;

	if (fd < 0)
		return -1;
	if (!fstat(fd, st) && S_ISREG(st->st_mode) && st->st_uid == writer)
		return fd;
	close(fd);
	return -1;
}

json_t *state_read(int fd, uid_t writer, size_t *bytes)
{
	const size_t max = writer == 0 ? ROOT_MAX : USER_MAX;
	char *text = malloc(max + 1);
	json_t *state = NULL;
	size_t len = 0;
	ssize_t n = 1;

	while (text && len <= max && n) {
		n = read(fd, text + len, max + 1 - len);
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	if (text && n == 0 && len <= max)
		state = json_loadb(text, len, 0, NULL);
	free(text);
	close(fd);
	*bytes = len;
	return state;
}

json_t *state_load(const char *path, uid_t writer)
{
	struct stat st;
	size_t bytes;
	int fd = state_open(path, writer, &st);

	return fd < 0 ? NULL : state_read(fd, writer, &bytes);
}
