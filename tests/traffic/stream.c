// SPDX-License-Identifier: MIT
/*
 * Connections: the client sends a long question and shuts its side down, the
 * server reads to the end and sends a shorter answer. How bytes are sent and
 * received is the scenario's matter.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "traffic.h"

/* Larger than any chunk or piece; what is in it is of no interest. */
static char bytes[1 << 17];

static size_t chunk(const struct stream *s)
{
	return s->chunk ? s->chunk : 1009;
}

size_t stream_size(const struct stream *s)
{
	return chunk(s) * (s->chunks ? s->chunks : 997);
}

/* Odd, so that it is no multiple of a chunk. */
static size_t answer_size(const struct stream *s)
{
	return stream_size(s) / 7 | 1;
}

int stream_listen(const struct stream *s, int clients)
{
	int fd = open_socket(s->where, SOCK_STREAM,
			     s->srv_protocol ? s->srv_protocol : s->protocol);

	bind_loopback(fd, s->where);
	must(listen(fd, clients), "listen");
	tell_address(fd, clients);
	return fd;
}

int stream_accept(const struct stream *s, int listener)
{
	int fd = accept(listener, NULL, NULL);

	must(fd, "accept");
	if (s->setup)
		s->setup(fd, false);
	return fd;
}

int stream_connect(const struct stream *s)
{
	struct sockaddr_storage to = hear_address();
	int fd = open_socket(s->where, SOCK_STREAM, s->protocol);

	must(connect(fd, (struct sockaddr *)&to, addr_len(&to)), "connect");
	if (s->setup)
		s->setup(fd, true);
	return fd;
}

void stream_send(const struct stream *s, int fd, size_t size)
{
	size_t n;
	long sent;

	for (; size; size -= (size_t)sent) {
		n = size < chunk(s) ? size : chunk(s);
		sent = s->push ? s->push(fd, bytes, n) : write(fd, bytes, n);
		must(tx(sent), "send");
	}
}

void stream_receive(const struct stream *s, int fd, size_t size)
{
	size_t n = s->piece ? s->piece : 4099;
	size_t total = 0;
	long got;

	do {
		if (s->whole && n > size - total)
			n = size - total;
		got = s->pull ? s->pull(fd, bytes, n) : read(fd, bytes, n);
		total += (size_t)must(rx(got), "receive");
	} while (got && !(s->whole && total == size));
	if (total != size)
		errx(1, "%s: received %zu of %zu bytes", me->name, total, size);
}

void stream_ask(const struct stream *s, int fd)
{
	stream_send(s, fd, stream_size(s));
	if (!s->whole)
		must(shutdown(fd, SHUT_WR), "shutdown");
	stream_receive(s, fd, answer_size(s));
	close(fd);
}

void stream_answer(const struct stream *s, int fd)
{
	stream_receive(s, fd, stream_size(s));
	stream_send(s, fd, answer_size(s));
	close(fd);
}

void stream_server(const void *stream)
{
	const struct stream *s = stream;
	int listener = stream_listen(s, 1);
	int fd = stream_accept(s, listener);

	hold();
	stream_answer(s, fd);
	close(listener);
}

void stream_client(const void *stream)
{
	const struct stream *s = stream;
	int fd = stream_connect(s);

	hold();
	stream_ask(s, fd);
}

void stream_pair(const void *stream)
{
	const struct stream *s = stream;
	const char *proto = s->proto ? s->proto : "tcp";

	role("srv", s->srv_protocol ? "tcp" : proto, stream_server, s);
	role("cli", proto, stream_client, s);
}
