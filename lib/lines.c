// SPDX-License-Identifier: MIT
/*
 * Lines from a descriptor: one buffer, one read(2) per fill.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"

/* A few pipes' worth: fewer system calls, still inside a core's cache. */
#define READ_SIZE (256 * 1024)

void nm_lines_init(struct nm_lines *l, int fd)
{
	*l = (struct nm_lines){ .fd = fd };
	nm_buf_reserve(&l->buf, READ_SIZE);
}

/* Forgets the beginning of a line that is already too long to be held. */
static void skip_long(struct nm_lines *l)
{
	if (l->skipping || l->buf.len - l->start > NM_LINE_MAX) {
		l->skipping = true;
		l->start = l->buf.len;
	}
}

enum nm_line nm_lines_next(struct nm_lines *l, const char **line, size_t *len)
{
	const char *newline = NULL, *begin = l->buf.data + l->start;
	bool too_long;

	if (l->seen < l->buf.len)
		newline = memchr(l->buf.data + l->seen, '\n',
				 l->buf.len - l->seen);
	if (newline) {
		*len = (size_t)(newline - begin);
		l->seen = l->start + *len + 1;
	} else {
		l->seen = l->buf.len;
		if (!l->eof) {
			skip_long(l);
			return NM_LINE_NONE;
		}
		if (l->start == l->buf.len && !l->skipping)
			return NM_LINE_EOF;
		*len = l->buf.len - l->start;
	}
	too_long = l->skipping || *len > NM_LINE_MAX;
	l->skipping = false;
	l->start = l->seen;
	l->number++;
	*line = begin;
	return too_long ? NM_LINE_LONG : NM_LINE;
}

/* Moves an unfinished line to the front, so that the buffer stays small. */
static void make_room(struct nm_lines *l)
{
	if (l->start) {
		memmove(l->buf.data, l->buf.data + l->start,
			l->buf.len - l->start);
		l->buf.len -= l->start;
		l->seen -= l->start;
		l->start = 0;
	}
	nm_buf_reserve(&l->buf, READ_SIZE);
}

int nm_lines_fill(struct nm_lines *l)
{
	ssize_t n;

	make_room(l);
	do {
		n = read(l->fd, l->buf.data + l->buf.len, READ_SIZE);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	l->buf.len += (size_t)n;
	l->eof = n == 0;
	return n > 0;
}

void nm_lines_free(struct nm_lines *l)
{
	nm_buf_free(&l->buf);
}
