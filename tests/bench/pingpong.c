// SPDX-License-Identifier: MIT
/*
 * Request and response over one TCP connection on the loopback interface, one
 * at a time, between two processes: pingpong SECONDS [BYTES]. Tells who they
 * were and how often, so that the counts of others can be compared with it.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX 65536

/* So many transactions between two looks at the clock. */
#define BURST 64

static char message[BYTES_MAX];

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void no_delay(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		err(1, "TCP_NODELAY");
}

/* False at the end of the connection. */
static bool receive(int fd, size_t bytes)
{
	ssize_t n = recv(fd, message, bytes, MSG_WAITALL);

	if (n < 0)
		err(1, "recv");
	if (n && (size_t)n != bytes)
		errx(1, "received %zd bytes of %zu", n, bytes);
	return n;
}

static void transmit(int fd, size_t bytes)
{
	ssize_t n = send(fd, message, bytes, 0);

	if (n < 0)
		err(1, "send");
	if ((size_t)n != bytes)
		errx(1, "sent %zd bytes of %zu", n, bytes);
}

static int serve(int listener, size_t bytes)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		err(1, "accept");
	no_delay(fd);
	while (receive(fd, bytes))
		transmit(fd, bytes);
	return 0;
}

static int listen_anywhere(struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*sa = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || bind(fd, (struct sockaddr *)sa, sizeof(*sa)) ||
	    listen(fd, 1) || getsockname(fd, (struct sockaddr *)sa, &len))
		err(1, "listen");
	return fd;
}

int main(int argc, char **argv)
{
	double duration = argc > 1 ? strtod(argv[1], NULL) : 0;
	size_t bytes = argc > 2 ? strtoul(argv[2], NULL, 10) : 64;
	uint64_t transactions = 0;
	struct sockaddr_in sa;
	double begin, took;
	int listener, fd;
	pid_t server;

	if (duration <= 0 || bytes < 1 || bytes > BYTES_MAX || argc > 3) {
		fprintf(stderr, "usage: pingpong SECONDS [BYTES]\n");
		return 2;
	}
	listener = listen_anywhere(&sa);
	server = fork();
	if (server < 0)
		err(1, "fork");
	if (server == 0)
		return serve(listener, bytes);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		err(1, "connect");
	no_delay(fd);
	begin = seconds();
	do {
		for (int i = 0; i < BURST; i++) {
			transmit(fd, bytes);
			if (!receive(fd, bytes))
				errx(1, "the server is gone");
		}
		transactions += BURST;
		took = seconds() - begin;
	} while (took < duration);
	close(fd);
	if (waitpid(server, NULL, 0) < 0)
		err(1, "waitpid");
	printf("{\"client\":%d,\"server\":%d,\"transactions\":%ju,"
	       "\"bytes\":%ju,\"seconds\":%.6f}\n",
	       getpid(), server, (uintmax_t)transactions,
	       (uintmax_t)(transactions * bytes), took);
	return 0;
}
