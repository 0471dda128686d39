/* SPDX-License-Identifier: MIT */
/*
 * A growing run of bytes. An allocation that fails ends the program: a
 * stage that cannot hold one line has nothing sensible left to do.
 */
#ifndef NM_BUF_H
#define NM_BUF_H

#include <stddef.h>

struct nm_buf {
	char *data;  /* NULL until the first byte; not NUL-terminated */
	size_t len;  /* bytes in use */
	size_t size; /* bytes allocated */
};

/* For nm_buf_reserve, when there is not enough room. */
void nm_buf_grow(struct nm_buf *b, size_t more);

/* Makes room for `more` bytes behind len; exits with status 1 if it cannot. */
static inline void nm_buf_reserve(struct nm_buf *b, size_t more)
{
	if (more > b->size - b->len)
		nm_buf_grow(b, more);
}

/* Appends n bytes. */
void nm_buf_add(struct nm_buf *b, const void *bytes, size_t n);

/* Appends a string without its NUL. */
void nm_buf_puts(struct nm_buf *b, const char *text);

/* Appends one byte. */
static inline void nm_buf_putc(struct nm_buf *b, char c)
{
	nm_buf_reserve(b, 1);
	b->data[b->len++] = c;
}

/* Appends what printf(3) would print. */
void nm_buf_printf(struct nm_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Frees the bytes and empties the buffer. */
void nm_buf_free(struct nm_buf *b);

/*
 * Writes all of the buffer to fd and empties it, over short writes and
 * EINTR; on a descriptor that would block it waits. 0, or -1 and errno.
 */
int nm_buf_flush(struct nm_buf *b, int fd);

#endif
