// SPDX-License-Identifier: MIT
/*
 * TCP through the ordinary calls.
 */
#include <sys/uio.h>

#include "traffic.h"

static char bytes[1 << 17];

/* --- Calls --- */

static long by_send(int fd, const char *buf, size_t n)
{
	return send(fd, buf, n, 0);
}

static long by_recv(int fd, char *buf, size_t n)
{
	return recv(fd, buf, n, 0);
}

static long by_writev(int fd, const char *buf, size_t n)
{
	struct iovec iov[3] = {
		{ bytes, n / 3 },
		{ bytes, 0 },
		{ bytes, n - n / 3 },
	};

	(void)buf;
	return writev(fd, iov, 3);
}

static long by_readv(int fd, char *buf, size_t n)
{
	struct iovec iov[2] = { { buf, n / 5 }, { buf + n / 5, n - n / 5 } };

	return readv(fd, iov, 2);
}

static long peek_first(int fd, char *buf, size_t n)
{
	must(recv(fd, buf, n, MSG_PEEK), "peek");
	must(recv(fd, buf, n / 2, MSG_PEEK), "peek");
	return recv(fd, buf, n, 0);
}

static long wait_for_all(int fd, char *buf, size_t n)
{
	return recv(fd, buf, n, MSG_WAITALL);
}

static long discard(int fd, char *buf, size_t n)
{
	(void)buf;
	return recv(fd, NULL, n, MSG_TRUNC);
}

/* --- Table --- */

static const struct stream tcp4 = { .where = V4 };
static const struct stream tcp6 = {
	.where = V6,
	.push = by_send,
	.pull = by_recv,
};
static const struct stream mapped = { .where = MAPPED };
static const struct stream small = { .chunk = 101, .chunks = 1009 };
static const struct stream small6 = {
	.where = V6,
	.chunk = 1,
	.chunks = 1013,
};
static const struct stream large = { .chunk = 99991, .chunks = 23 };
static const struct stream vectors = { .push = by_writev, .pull = by_readv };
static const struct stream peek = { .pull = peek_first };
static const struct stream peek6 = { .where = V6, .pull = peek_first };
static const struct stream waitall = { .pull = wait_for_all, .piece = 39989 };
static const struct stream truncated = { .pull = discard };

const struct scenario tcp_scenarios[] = {
	{ "tcp4", "IPv4, read and write", stream_pair, &tcp4 },
	{ "tcp6", "IPv6, send and recv", stream_pair, &tcp6 },
	{ "tcp-mapped", "IPv4 on IPv6 sockets", stream_pair, &mapped },
	{ "tcp-small", "writes of 101 bytes", stream_pair, &small },
	{ "tcp6-small", "writes of 1 byte", stream_pair, &small6 },
	{ "tcp-large", "writes of 99,991 bytes", stream_pair, &large },
	{ "tcp-vector", "writev and readv", stream_pair, &vectors },
	{ "tcp-peek", "MSG_PEEK before each read", stream_pair, &peek },
	{ "tcp6-peek", "the same on IPv6", stream_pair, &peek6 },
	{ "tcp-waitall", "MSG_WAITALL", stream_pair, &waitall },
	{ "tcp-trunc", "MSG_TRUNC discards", stream_pair, &truncated },
	{ 0 }
};
