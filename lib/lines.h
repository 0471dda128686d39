/* SPDX-License-Identifier: MIT */
/*
 * Lines from a descriptor, without stdio: poll(2) must not be told that
 * nothing is there while a line waits in a FILE's buffer.
 */
#ifndef NM_LINES_H
#define NM_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* A line longer than this is skipped and reported, not held. */
#define NM_LINE_MAX 1048576

struct nm_lines {
	int fd;
	struct nm_buf buf;
	size_t start;	 /* the next line begins here */
	size_t seen;	 /* no newline between start and here */
	uint64_t number; /* of the line last returned, from 1 */
	bool skipping;	 /* inside a line that is too long */
	bool eof;
};

enum nm_line {
	NM_LINE,      /* a line; also a last one without newline */
	NM_LINE_LONG, /* a line over NM_LINE_MAX was skipped */
	NM_LINE_NONE, /* no whole line in the buffer: fill first */
	NM_LINE_EOF,  /* all was returned */
};

/* Starts on fd, which stays the caller's. */
void nm_lines_init(struct nm_lines *l, int fd);

/*
 * The next line, without its newline; valid until the next fill. A carriage
 * return before the newline belongs to the line (JSON takes it for space).
 */
enum nm_line nm_lines_next(struct nm_lines *l, const char **line, size_t *len);

/*
 * One read(2). Returns >0, 0 at end of file (eof is set), or -1 and errno:
 * EAGAIN on a descriptor that would block. EINTR is tried again.
 */
int nm_lines_fill(struct nm_lines *l);

void nm_lines_free(struct nm_lines *l);

#endif
