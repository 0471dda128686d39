// SPDX-License-Identifier: MIT
/*
 * What processes are: threads, a program that becomes another, another user,
 * a life of 5 ms, another namespace.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traffic.h"

static const struct stream tcp4 = { .where = V4 };
static const struct stream part = { .chunk = 997, .chunks = 101 };

static char bytes[1 << 16];

/* --- Threads --- */

#define THREADS 8

static void *ask_in_thread(void *name)
{
	if (name)
		pthread_setname_np(pthread_self(), name);
	stream_ask(&part, stream_connect(&part));
	return NULL;
}

static void threads_client(const void *stream)
{
	static char name[] = "t-elsewhere";
	pthread_t thread[THREADS];
	int i;

	(void)stream;
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, ask_in_thread,
				   i == 0 ? name : NULL))
			errx(1, "%s: pthread_create", me->name);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void threads_server(const void *stream)
{
	int listener = stream_listen(stream, THREADS), i;

	for (i = 0; i < THREADS; i++)
		stream_answer(stream, stream_accept(stream, listener));
	close(listener);
}

static void run_threads(const void *stream)
{
	role("srv", "tcp", threads_server, stream);
	role("cli", "tcp", threads_client, stream);
}

/* --- A process that becomes another --- */

static void exec_client(const void *stream)
{
	char option[] = "--after-exec";
	char self[4096], table[12], index[12], socket_fd[12];
	char *argv[] = { self, option, table, index, socket_fd, NULL };
	int fd = stream_connect(stream);
	const char *name;
	long n;

	stream_send(stream, fd, 300007);
	n = must(readlink("/proc/self/exe", self, sizeof(self) - 1),
		 "readlink");
	self[n] = '\0';
	name = strrchr(self, '/') + 1;
	memcpy(me->comm_was, me->comm, sizeof(me->comm));
	snprintf(me->comm, sizeof(me->comm), "%.15s", name);
	snprintf(table, sizeof(table), "%d", prepared_fd());
	snprintf(index, sizeof(index), "%d", my_index());
	snprintf(socket_fd, sizeof(socket_fd), "%d", fd);
	execv(self, argv);
	err(1, "%s", self);
}

void after_exec(int fd)
{
	stream_send(&tcp4, fd, stream_size(&tcp4) - 300007);
	must(shutdown(fd, SHUT_WR), "shutdown");
	while (must(rx(read(fd, bytes, 4099)), "read"))
		;
	close(fd);
}

static void run_exec(const void *stream)
{
	role("srv", "tcp", stream_server, stream);
	role("cli", "tcp", exec_client, stream);
}

static void other_user(const void *stream)
{
	int fd = stream_connect(stream);

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		skip("cannot become another user");
	me->uid = 65534;
	stream_ask(stream, fd);
}

static void run_uid(const void *stream)
{
	role("srv", "tcp", stream_server, stream);
	role("cli", "tcp", other_user, stream);
}

/* --- Processes that are gone at once --- */

#define SHORT 23

static const struct stream short4 = { .chunk = 1009, .chunks = 1 };

static void short_server(const void *stream)
{
	int listener = stream_listen(stream, SHORT), i;

	for (i = 0; i < SHORT; i++)
		stream_answer(stream, stream_accept(stream, listener));
	close(listener);
}

static void run_short(const void *stream)
{
	int i;

	role("srv", "tcp", short_server, stream);
	for (i = 0; i < SHORT; i++)
		role("short", "tcp", stream_client, stream);
}

/* A datagram is sent, and the process is gone before it is read. */
static void gone_sender(const void *arg)
{
	struct sockaddr_storage to = hear_address();
	int fd = open_socket(V4, SOCK_DGRAM, 0);

	(void)arg;
	must(tx(sendto(fd, bytes, 1009, 0, (struct sockaddr *)&to,
		       addr_len(&to))),
	     "sendto");
}

static void gone_receiver(const void *arg)
{
	int fd = open_socket(V4, SOCK_DGRAM, 0), i;

	(void)arg;
	bind_loopback(fd, V4);
	tell_address(fd, SHORT);
	for (i = 0; i < SHORT; i++)
		must(rx(recv(fd, bytes, sizeof(bytes), 0)), "recv");
	close(fd);
}

static void run_gone(const void *arg)
{
	int i;

	role("srv", "udp", gone_receiver, arg);
	for (i = 0; i < SHORT; i++)
		role("short", "udp", gone_sender, arg);
}

/* --- Namespaces --- */

static void run_netns(const void *stream)
{
	own_netns();
	stream_pair(stream);
}

static void in_pidns(const void *stream)
{
	pid_t init;

	if (unshare(CLONE_NEWPID))
		skip("no new process namespace");
	/* The first process of a namespace: the others end with it. */
	init = fork();
	must(init, "fork");
	if (!init) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close_range(0, ~0U, 0);
		pause();
		_exit(0);
	}
	stream_pair(stream);
	join();
	kill(init, SIGKILL);
	waitpid(init, NULL, 0);
}

/* By a role, because the main process could start none any more. */
static void run_pidns(const void *stream)
{
	role("ns", "tcp", in_pidns, stream);
}

const struct scenario process_scenarios[] = {
	{ "threads", "eight threads, one of another name", run_threads, &part },
	{ "exec", "exec between two writes", run_exec, &tcp4 },
	{ "uid", "the user changes after connect", run_uid, &tcp4 },
	{ "short", "23 processes that live 5 ms", run_short, &short4 },
	{ "gone", "senders gone before they are read", run_gone, NULL },
	{ "netns", "another network namespace", run_netns, &tcp4 },
	{ "pidns", "another process namespace", run_pidns, &tcp4 },
	{ 0 }
};
