// SPDX-License-Identifier: MIT
/*
 * lib/buf: growing, and writing out over everything that write(2) may do.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"

static void test_appending(void)
{
	struct nm_buf b = { 0 };

	nm_buf_add(&b, NULL, 0);
	CHECK(b.data == NULL);
	nm_buf_puts(&b, "one");
	nm_buf_putc(&b, ' ');
	nm_buf_printf(&b, "%d%%", 2);
	nm_buf_add(&b, " three", 4);
	CHECK_BYTES(b.data, b.len, "one 2% thr");
	nm_buf_free(&b);
	CHECK(b.data == NULL && b.len == 0 && b.size == 0);
}

static void test_growing(void)
{
	struct nm_buf b = { 0 };

	for (size_t i = 0; i < 100003; i++)
		nm_buf_putc(&b, (char)('a' + i % 26));
	CHECK(b.len == 100003);
	for (size_t i = 0; i < b.len; i++) {
		if (!CHECK(b.data[i] == (char)('a' + i % 26)))
			break;
	}
	nm_buf_free(&b);
}

static void test_too_big_is_refused(void)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		struct nm_buf b = { 0 };

		if (!freopen("/dev/null", "w", stderr))
			_exit(9);
		nm_buf_putc(&b, 'x');
		nm_buf_reserve(&b, SIZE_MAX);
		_exit(9);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* Reads fd to its end in small steps; the number of bytes as exit status. */
static pid_t slow_reader(int fd, int other, size_t expected)
{
	char bytes[997];
	size_t sum = 0;
	ssize_t n;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	close(other);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		sum += (size_t)n;
	_exit(sum == expected ? 0 : 1);
}

static void test_flush_waits_where_it_would_block(void)
{
	const size_t size = 1000003;
	struct nm_buf b = { 0 };
	int fd[2], status;
	pid_t pid;

	if (pipe(fd))
		err(1, "pipe");
	nm_buf_reserve(&b, size);
	memset(b.data, 'x', size);
	b.len = size;
	pid = slow_reader(fd[0], fd[1], size);
	close(fd[0]);
	CHECK(fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0);
	CHECK(nm_buf_flush(&b, fd[1]) == 0);
	CHECK(b.len == 0);
	close(fd[1]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	nm_buf_free(&b);
}

static void test_flush_tells_trouble_and_keeps_the_rest(void)
{
	struct nm_buf b = { 0 };
	int fd[2];

	if (pipe(fd))
		err(1, "pipe");
	close(fd[0]);
	nm_buf_puts(&b, "rest");
	errno = 0;
	CHECK(nm_buf_flush(&b, fd[1]) == -1 && errno == EPIPE);
	CHECK_BYTES(b.data, b.len, "rest");
	CHECK(nm_buf_flush(&b, -1) == -1 && errno == EBADF);
	close(fd[1]);
	nm_buf_free(&b);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_appending();
	test_growing();
	test_too_big_is_refused();
	test_flush_waits_where_it_would_block();
	test_flush_tells_trouble_and_keeps_the_rest();
	return checks_failed > 0;
}
