/* SPDX-License-Identifier: MIT */
/*
 * The loop of every filter: read, split, scan, call, write. Output is
 * flushed at each tick and whenever input would block, so the next stage is
 * never behind; between those, writes are large.
 *
 * A bad line is told as "NAME: stdin:12: not a JSON object", does not leave,
 * and makes the exit status 1 at the end; the first few of a kind are told,
 * then their number. A reader that went away is a quiet end, status 0.
 */
#ifndef NM_FILTER_H
#define NM_FILTER_H

#include <poll.h>

#include "options.h"
#include "record.h"

enum nm_verdict {
	NM_KEEP, /* write the record, with what was added */
	NM_DROP, /* do not write it */
	NM_STOP, /* write it, then end as at end of file */
};

typedef enum nm_verdict nm_filter_fn(struct nm_record *r, void *state);

/* Runs until standard input ends; returns the exit status. */
int nm_filter(const struct nm_program *p, nm_filter_fn *fn, void *state);

/*
 * What else a filter waits for: answers to its questions, say. watch fills in
 * at most max descriptors and returns how many, and lowers *timeout_ms (-1: no
 * end) if it is to be called before; ready is told what poll(2) said of them.
 * It is asked when input has to be waited for, and now and then while it has
 * not. At the end of input nothing is waited for.
 */
struct nm_filter_also {
	size_t (*watch)(struct pollfd *fds, size_t max, int *timeout_ms);
	void (*ready)(const struct pollfd *fds, size_t n);
};

/* To be called before nm_filter. */
void nm_filter_also(const struct nm_filter_also *also);

/*
 * Writes a record of the filter's own (built with nm_json_*), before the
 * one that the callback is looking at.
 */
struct nm_buf *nm_filter_out(void);

/*
 * Bad input of one kind of stream, shared with readers that have their own
 * loop (nm-view): tells the first lines, counts the rest.
 */
struct nm_complaints {
	const char *program;
	uint64_t count;
};

void nm_complain(struct nm_complaints *c, uint64_t line, const char *what);

/* Tells how many more there were; returns the exit status (0 or 1). */
int nm_complaints_end(const struct nm_complaints *c);

#endif
