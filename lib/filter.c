// SPDX-License-Identifier: MIT
/*
 * The loop of every filter. It never sits on a record: what is done is
 * written before the loop waits for more.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "filter.h"
#include "lines.h"

/* Between ticks, write in pieces of about this size: a pipe's capacity. */
#define OUT_SIZE (64 * 1024)

#define STRING(x)  STRING_(x)
#define STRING_(x) #x

/* Bad lines that are told one by one. */
#define TOLD_MAX 5

/* Besides input and output. */
#define ALSO_MAX 30

/* So many records may pass before other things are looked at. */
#define ALSO_EVERY 256

static struct nm_buf out;
static const struct nm_filter_also *also;
static unsigned int passed;

struct nm_buf *nm_filter_out(void)
{
	return &out;
}

void nm_complain(struct nm_complaints *c, uint64_t line, const char *what)
{
	if (c->count++ < TOLD_MAX)
		fprintf(stderr, "%s: stdin:%" PRIu64 ": %s\n", c->program, line,
			what);
}

int nm_complaints_end(const struct nm_complaints *c)
{
	if (c->count > TOLD_MAX)
		fprintf(stderr, "%s: stdin: %" PRIu64 " bad lines in all\n",
			c->program, c->count);
	return c->count ? NM_EXIT_FAIL : NM_EXIT_OK;
}

/* False if the reader went away; any other trouble ends the program. */
static bool flush(void)
{
	if (nm_buf_flush(&out, STDOUT_FILENO) == 0)
		return true;
	if (errno != EPIPE)
		err(NM_EXIT_FAIL, "cannot write to standard output");
	return false;
}

static bool input_waits(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

void nm_filter_also(const struct nm_filter_also *a)
{
	also = a;
}

/*
 * Waits for input, and for a reader that goes away meanwhile: an idle pipe
 * should not have to wait for its next record to come down. False: gone.
 */
static bool wait_for_input(int fd)
{
	struct pollfd p[2 + ALSO_MAX] = { { .fd = fd, .events = POLLIN },
					  { .fd = STDOUT_FILENO } };

	do {
		int timeout_ms = -1;
		size_t n = also ? also->watch(p + 2, ALSO_MAX, &timeout_ms) : 0;

		if (poll(p, 2 + n, timeout_ms) < 0) {
			if (errno != EINTR)
				err(NM_EXIT_FAIL,
				    "cannot wait for standard input");
			p[0].revents = p[1].revents = 0;
			continue;
		}
		if (also)
			also->ready(p + 2, n);
	} while (!p[0].revents && !p[1].revents);
	return !(p[1].revents & (POLLERR | POLLHUP)) || p[0].revents;
}

/* While records keep coming. */
static void look_at_others(void)
{
	struct pollfd p[ALSO_MAX];
	int timeout_ms = -1;
	size_t n = also->watch(p, ALSO_MAX, &timeout_ms);

	if (poll(p, n, 0) >= 0)
		also->ready(p, n);
}

/* More input, after what is finished has left. False: the reader went away. */
static bool fill(struct nm_lines *in)
{
	if (!input_waits(in->fd) && (!flush() || !wait_for_input(in->fd)))
		return false;
	if (nm_lines_fill(in) < 0 && errno != EAGAIN) {
		warn("cannot read standard input");
		flush();
		exit(NM_EXIT_FAIL);
	}
	return true;
}

/* False: enough, because of the callback or of a reader that went away. */
static bool pass(struct nm_record *r, nm_filter_fn *fn, void *state)
{
	enum nm_verdict verdict = fn(r, state);

	if (verdict != NM_DROP)
		nm_record_write(r, &out);
	if (verdict == NM_STOP)
		return false;
	if (also && (r->type == NM_TYPE_TICK || ++passed % ALSO_EVERY == 0))
		look_at_others();
	if (r->type == NM_TYPE_TICK || out.len >= OUT_SIZE)
		return flush();
	return true;
}

/* JSON's white space only. */
static bool is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	}
	return true;
}

int nm_filter(const struct nm_program *p, nm_filter_fn *fn, void *state)
{
	/* Some 10 kB, and there is only one loop. */
	static struct nm_record record;
	struct nm_complaints bad = { .program = p->name };
	const char *line, *wrong;
	struct nm_lines in;
	bool going = true;
	size_t len;

	signal(SIGPIPE, SIG_IGN); /* write(2) says EPIPE instead */
	nm_lines_init(&in, STDIN_FILENO);
	while (going) {
		switch (nm_lines_next(&in, &line, &len)) {
		case NM_LINE:
			if (is_blank(line, len))
				break;
			wrong = nm_record_scan(&record, line, len);
			if (wrong)
				nm_complain(&bad, in.number, wrong);
			else
				going = pass(&record, fn, state);
			break;
		case NM_LINE_LONG:
			nm_complain(&bad, in.number,
				    "line longer than " STRING(
					    NM_LINE_MAX) " bytes");
			break;
		case NM_LINE_NONE:
			going = fill(&in);
			break;
		case NM_LINE_EOF:
			going = false;
			break;
		}
	}
	flush();
	nm_buf_free(&out);
	nm_record_free(&record);
	nm_lines_free(&in);
	return nm_complaints_end(&bad);
}
