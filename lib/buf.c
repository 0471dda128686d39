// SPDX-License-Identifier: MIT
/*
 * A growing run of bytes, and writing it out whole. Running out of memory
 * ends the program here, so that no caller needs to think of it.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"

#define SIZE_FIRST 256

void nm_buf_grow(struct nm_buf *b, size_t more)
{
	size_t need, size;

	if (__builtin_add_overflow(b->len, more, &need) ||
	    need > PTRDIFF_MAX / 2)
		errx(1, "a buffer of %zu and %zu bytes is too big", b->len,
		     more);
	for (size = b->size ? b->size : SIZE_FIRST; size < need; size *= 2)
		;
	b->data = realloc(b->data, size);
	if (!b->data)
		err(1, "cannot allocate %zu bytes", size);
	b->size = size;
}

void nm_buf_add(struct nm_buf *b, const void *bytes, size_t n)
{
	if (!n)
		return;
	nm_buf_reserve(b, n);
	memcpy(b->data + b->len, bytes, n);
	b->len += n;
}

void nm_buf_puts(struct nm_buf *b, const char *text)
{
	nm_buf_add(b, text, strlen(text));
}

void nm_buf_printf(struct nm_buf *b, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		err(1, "cannot format '%s'", fmt);

	/* vsnprintf(3) ends with a NUL, which is not counted in len. */
	nm_buf_reserve(b, (size_t)n + 1);
	va_start(args, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
}

void nm_buf_free(struct nm_buf *b)
{
	free(b->data);
	*b = (struct nm_buf){ 0 };
}

static int wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (poll(&p, 1, -1) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return 0;
}

int nm_buf_flush(struct nm_buf *b, int fd)
{
	size_t done = 0;
	int error = 0;
	ssize_t n;

	while (done < b->len && !error) {
		n = write(fd, b->data + done, b->len - done);
		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN)
			error = wait_writable(fd);
		else if (errno != EINTR)
			error = -1;
	}
	b->len -= done;
	if (b->len)
		memmove(b->data, b->data + done, b->len);
	return error;
}
