// SPDX-License-Identifier: MIT
/*
 * The servers: processes that share a TCP listener and a UDP socket, and give
 * each request the answer that it asks for.
 */
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "life.h"

#define EVENTS	64
#define SOCKETS 4096

/* How far a connection's request has come. */
static struct request {
	uint32_t got;
	struct ask ask;
} requests[SOCKETS];

static int bound(int type, in_port_t port)
{
	struct sockaddr_in6 a = {
		.sin6_family = AF_INET6,
		.sin6_port = port,
		.sin6_addr = IN6ADDR_ANY_INIT,
	};
	int fd = must(socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		      "socket"),
	    no = 0;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	must(bind(fd, (struct sockaddr *)&a, sizeof(a)), "bind");
	return fd;
}

static void watch(int epoll, int fd, uint32_t more)
{
	struct epoll_event e = { .events = EPOLLIN | more, .data.fd = fd };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
}

/* Without EPOLLEXCLUSIVE all of us would wake up, for one to find it. */
static void welcome(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (fd >= SOCKETS)
		errx(1, "more than %d connections", SOCKETS);
	requests[fd] = (struct request){ 0 };
	watch(epoll, fd, 0);
}

/* False: the other side has closed, or begins a request amiss. */
static bool serve(int fd)
{
	struct request *r = &requests[fd];
	size_t size = sizeof(r->ask) - r->got;
	void *to = (char *)&r->ask + r->got;
	long n;

	if (r->got >= sizeof(r->ask)) {
		to = bytes;
		size = r->ask.request - r->got;
		if (size > sizeof(bytes))
			return false;
	}
	n = rx(recv(fd, to, size, MSG_DONTWAIT));
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	r->got += (uint32_t)n;
	if (r->got < sizeof(r->ask) || r->got < r->ask.request)
		return true;
	send_all(fd, r->ask.answer);
	*r = (struct request){ 0 };
	return true;
}

static void serve_datagram(int fd)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	struct ask ask;

	if (rx(recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from,
			&len)) < (long)sizeof(ask))
		return;
	memcpy(&ask, bytes, sizeof(ask));
	if (ask.answer <= sizeof(bytes))
		tx(sendto(fd, bytes, ask.answer, 0, (struct sockaddr *)&from,
			  len));
}

static void serve_all(int listener, int datagrams, int gate)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	watch(epoll, listener, EPOLLEXCLUSIVE);
	watch(epoll, datagrams, EPOLLEXCLUSIVE);
	watch(epoll, gate, 0);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == gate)
				return;
			if (fd == listener)
				welcome(epoll, fd);
			else if (fd == datagrams)
				serve_datagram(fd);
			else if (!serve(fd))
				close(fd);
		}
	}
}

in_port_t servers_start(unsigned n, const int gate[2])
{
	int listener = bound(SOCK_STREAM, 0), datagrams, room = 8 << 20;
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);

	must(listen(listener, 4096), "listen");
	must(getsockname(listener, (struct sockaddr *)&a, &len), "getsockname");
	datagrams = bound(SOCK_DGRAM, a.sin6_port);
	setsockopt(datagrams, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	while (n--) {
		if (must(fork(), "fork"))
			continue;
		begin("server");
		close(gate[1]);
		serve_all(listener, datagrams, gate[0]);
		report();
		_exit(0);
	}
	close(listener);
	close(datagrams);
	close(gate[0]);
	return a.sin6_port;
}
