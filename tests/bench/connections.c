// SPDX-License-Identifier: MIT
/*
 * Many TCP connections on the loopback interface: connections ACTIVE IDLE
 * SECONDS. The numbers are of sockets, two for each connection. Each active
 * socket sends and receives 16 bytes twice a second, or as often as the
 * machine can, evenly spread over time; the idle ones are only open. They are
 * between two processes, or more pairs of them where one may not have so many
 * descriptors. Prints a line when all are open, and at the end (also at
 * SIGTERM) what each process moved.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 16

/* A round over all active connections is made in so many steps. */
#define STEPS	50
#define STEP_NS 10000000

/*
 * Connections to one address; all of them take their ports from one range, of
 * which the kernel gives one half first, and looks long for the last ones.
 */
#define PER_ADDRESS 8000

/* Descriptors of a process that are no connections, at most. */
#define DESCRIPTORS_ELSE 64

#define EVENTS 256

static uint64_t tx_bytes, rx_bytes;
static volatile sig_atomic_t stopping;

/* The parent's, to hand the signal on. */
static pid_t *clients;
static volatile sig_atomic_t clients_forked;

static void on_term(int number)
{
	stopping = 1;
	for (int i = 0; i < clients_forked; i++)
		kill(clients[i], number);
}

static void count(uint64_t *sum, ssize_t n, const char *what)
{
	if (n > 0)
		*sum += (uint64_t)n;
	else if (n < 0 && errno != EAGAIN)
		err(1, "%s", what);
}

static void print_sums(const char *role)
{
	printf("{\"role\":\"%s\",\"pid\":%d,\"tx_bytes\":%ju,\"rx_bytes\":%ju}"
	       "\n",
	       role, getpid(), (uintmax_t)tx_bytes, (uintmax_t)rx_bytes);
	fflush(stdout);
}

/* How many connections a process may have. */
static size_t connections_max(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur <= DESCRIPTORS_ELSE)
		err(1, "RLIMIT_NOFILE of %ju", (uintmax_t)r.rlim_cur);
	return r.rlim_cur - DESCRIPTORS_ELSE;
}

/* --- The server: sends back what it gets, until all have closed --- */

static void watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		err(1, "epoll_ctl");
}

/* False: the other side has closed. */
static bool echo(int fd)
{
	char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	count(&rx_bytes, n, "recv");
	if (n > 0)
		count(&tx_bytes, send(fd, bytes, (size_t)n, MSG_NOSIGNAL),
		      "send");
	return n;
}

static int serve(int listener, size_t connections)
{
	struct epoll_event events[EVENTS];
	size_t accepted = 0, closed = 0;
	int epoll = epoll_create1(0);

	/* It ends when its connections do. */
	signal(SIGTERM, SIG_IGN);
	watch(epoll, listener);
	while (closed < connections) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listener) {
				fd = accept(listener, NULL, NULL);
				if (fd < 0)
					err(1, "accept");
				watch(epoll, fd);
				if (++accepted == connections)
					close(listener);
			} else if (!echo(fd)) {
				close(fd);
				closed++;
			}
		}
	}
	print_sums("server");
	return 0;
}

/* --- The client --- */

/* Closed by clients when their connections are open; by us, that they talk. */
static int ready[2], go[2];

static int open_connection(size_t i, in_port_t port)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr =
			htonl(INADDR_LOOPBACK + (in_addr_t)(i / PER_ADDRESS)),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		err(1, "connection %zu", i + 1);
	return fd;
}

/* Takes the answer to the last message, and sends the next. */
static void talk(int fd)
{
	char bytes[MESSAGE * 4] = { 0 };

	count(&rx_bytes, recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), "recv");
	count(&tx_bytes, send(fd, bytes, MESSAGE, MSG_DONTWAIT), "send");
}

static void wait_step(struct timespec *next)
{
	next->tv_nsec += STEP_NS;
	if (next->tv_nsec >= 1000000000) {
		next->tv_nsec -= 1000000000;
		next->tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

static void run(const int *fds, size_t active, double duration)
{
	size_t steps = (size_t)(duration * 1e9 / STEP_NS);
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (size_t step = 0; step < steps && !stopping; step++) {
		size_t at = step % STEPS;

		for (size_t i = active * at / STEPS;
		     i < active * (at + 1) / STEPS; i++)
			talk(fds[i]);
		wait_step(&next);
	}
}

/* Takes the last answers, so that both sides' sums agree. */
static void finish(const int *fds, size_t n)
{
	char bytes[MESSAGE * 4];
	ssize_t got;

	for (size_t i = 0; i < n; i++)
		shutdown(fds[i], SHUT_WR);
	for (size_t i = 0; i < n; i++) {
		while ((got = recv(fds[i], bytes, sizeof(bytes), 0)) > 0)
			rx_bytes += (uint64_t)got;
		close(fds[i]);
	}
}

static int listen_everywhere(in_port_t *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(fd, 1024) || getsockname(fd, (struct sockaddr *)&sa, &len))
		err(1, "listen");
	*port = sa.sin_port;
	return fd;
}

/* All of a pair: the client is this process. */
static int pair(size_t active, size_t connections, double duration)
{
	int *fds = calloc(connections + 1, sizeof(*fds));
	in_port_t port;
	int listener;
	char none;
	pid_t server;

	if (!fds)
		err(1, NULL);
	listener = listen_everywhere(&port);
	server = fork();
	if (server < 0)
		err(1, "fork");
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[1]);
		return serve(listener, connections);
	}
	close(listener);
	for (size_t i = 0; i < connections; i++)
		fds[i] = open_connection(i, port);
	if (write(ready[1], "", 1) != 1)
		err(1, "ready");
	close(ready[1]);
	if (read(go[0], &none, 1) < 0)
		err(1, "go");
	run(fds, active, duration);
	finish(fds, connections);
	if (waitpid(server, NULL, 0) < 0)
		err(1, "waitpid");
	print_sums("client");
	return 0;
}

/* --- The parent of them all --- */

static void fork_pair(size_t active, size_t connections, double duration)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid) {
		clients[clients_forked] = pid;
		clients_forked++;
		return;
	}
	clients_forked = 0;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(1);
	close(ready[0]);
	close(go[1]);
	exit(pair(active, connections, duration));
}

/* True: all clients have their connections. */
static bool all_ready(size_t pairs)
{
	char bytes[64];
	ssize_t n;

	close(ready[1]);
	while ((n = read(ready[0], bytes, sizeof(bytes))) > 0)
		pairs -= (size_t)n;
	return !pairs;
}

int main(int argc, char **argv)
{
	size_t active, connections, most, pairs;
	int failed = 0, status;

	if (argc != 4) {
		fprintf(stderr, "usage: connections ACTIVE IDLE SECONDS\n");
		return 2;
	}
	active = strtoul(argv[1], NULL, 10) / 2;
	connections = active + strtoul(argv[2], NULL, 10) / 2;
	most = connections_max();
	pairs = (connections + most - 1) / most;
	clients = calloc(pairs + 1, sizeof(*clients));
	if (!clients || pipe(ready) || pipe(go))
		err(1, NULL);
	signal(SIGTERM, on_term);
	for (size_t i = 0; i < pairs; i++)
		fork_pair(active * (i + 1) / pairs - active * i / pairs,
			  connections * (i + 1) / pairs -
				  connections * i / pairs,
			  strtod(argv[3], NULL));
	if (all_ready(pairs)) {
		printf("{\"role\":\"ready\"}\n");
		fflush(stdout);
	} else {
		failed = 1;
		on_term(SIGTERM);
	}
	close(go[1]);
	for (size_t i = 0; i < pairs; i++) {
		if (waitpid(clients[i], &status, 0) < 0)
			err(1, "waitpid");
		failed |= status != 0;
	}
	return failed;
}
