// SPDX-License-Identifier: MIT
/*
 * lib/lines: the same lines, however the bytes come in.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "lines.h"

static struct nm_lines in;
static int writer;

static void begin(void)
{
	int fd[2];

	if (pipe2(fd, O_NONBLOCK) || fcntl(fd[1], F_SETPIPE_SZ, 65536) < 0)
		err(1, "pipe");
	writer = fd[1];
	nm_lines_init(&in, fd[0]);
}

static void end(void)
{
	close(in.fd);
	nm_lines_free(&in);
}

static void send_bytes(const char *bytes)
{
	ssize_t n = (ssize_t)strlen(bytes);

	CHECK(write(writer, bytes, (size_t)n) == n);
	CHECK(nm_lines_fill(&in) == 1);
}

static void send_end(void)
{
	close(writer);
	CHECK(nm_lines_fill(&in) == 0 && in.eof);
}

/* Sends n bytes of one kind, more than a pipe holds. */
static void send_many(char c, size_t n)
{
	char block[4096];
	size_t part;

	memset(block, c, sizeof(block));
	for (; n; n -= part) {
		part = n < sizeof(block) ? n : sizeof(block);
		CHECK(write(writer, block, part) == (ssize_t)part);
		CHECK(nm_lines_fill(&in) == 1);
	}
}

static void next_is_line(const char *text, uint64_t number)
{
	const char *line;
	size_t len;

	if (CHECK(nm_lines_next(&in, &line, &len) == NM_LINE))
		CHECK_BYTES(line, len, text);
	CHECK(in.number == number);
}

static enum nm_line next(size_t *len)
{
	const char *line;

	return nm_lines_next(&in, &line, len);
}

static void test_splitting(void)
{
	size_t len;

	begin();
	CHECK(next(&len) == NM_LINE_NONE);
	CHECK(nm_lines_fill(&in) == -1 && errno == EAGAIN);
	send_bytes("one\n\ntwo\r\nth");
	next_is_line("one", 1);
	next_is_line("", 2);
	next_is_line("two\r", 3);
	CHECK(next(&len) == NM_LINE_NONE);
	send_bytes("re");
	CHECK(next(&len) == NM_LINE_NONE);
	send_bytes("e\nlast");
	next_is_line("three", 4);
	CHECK(next(&len) == NM_LINE_NONE);
	send_end();
	next_is_line("last", 5);
	CHECK(next(&len) == NM_LINE_EOF);
	CHECK(next(&len) == NM_LINE_EOF);
	end();
}

static void test_a_last_newline_makes_no_line(void)
{
	size_t len;

	begin();
	send_bytes("one\n");
	send_end();
	next_is_line("one", 1);
	CHECK(next(&len) == NM_LINE_EOF);
	end();
}

static void test_no_input(void)
{
	size_t len;

	begin();
	send_end();
	CHECK(next(&len) == NM_LINE_EOF);
	CHECK(in.number == 0);
	end();
}

static void test_longest_line(void)
{
	size_t len;

	begin();
	send_many('x', NM_LINE_MAX);
	CHECK(next(&len) == NM_LINE_NONE);
	send_bytes("\nnext\n");
	CHECK(next(&len) == NM_LINE && len == NM_LINE_MAX);
	next_is_line("next", 2);
	close(writer);
	end();
}

static void test_too_long(size_t size)
{
	size_t len;

	begin();
	send_bytes("one\n");
	send_many('x', size);
	next_is_line("one", 1);
	CHECK(next(&len) == NM_LINE_NONE);
	send_many('y', 4096);
	CHECK(next(&len) == NM_LINE_NONE);
	CHECK(in.buf.size <= 4 * NM_LINE_MAX);
	send_bytes("\nthree\n");
	CHECK(next(&len) == NM_LINE_LONG);
	CHECK(in.number == 2);
	next_is_line("three", 3);
	send_many('z', size);
	send_end();
	CHECK(next(&len) == NM_LINE_LONG);
	CHECK(in.number == 4);
	CHECK(next(&len) == NM_LINE_EOF);
	end();
}

int main(void)
{
	test_splitting();
	test_a_last_newline_makes_no_line();
	test_no_input();
	test_longest_line();
	test_too_long(NM_LINE_MAX + 1);
	test_too_long(NM_LINE_MAX * 3);
	return checks_failed > 0;
}
