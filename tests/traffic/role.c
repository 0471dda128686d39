// SPDX-License-Identifier: MIT
/*
 * Processes with a role, how they meet, and the table, in shared memory, of
 * what each of them moved.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traffic.h"

#define ROLES_MAX 64

struct table {
	atomic_int used;
	atomic_bool skipped;
	struct role role[ROLES_MAX];
};

bool holding;
struct role *me;

static struct table *table;
static int table_fd;
static int channels[CHANNELS][2];

/*
 * Both barriers of --hold are the end of a pipe: `ready` ends when the last
 * role has closed it (or has ended), `gate` when the caller opens it.
 */
static int ready[2], gate[2];

static pid_t children[ROLES_MAX];
static int children_used, children_alive;

static void map_table(int fd)
{
	table_fd = fd;
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (table == MAP_FAILED)
		err(1, "mmap");
}

void prepare(void)
{
	int i, fd = memfd_create("roles", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*table)))
		err(1, "memfd_create");
	map_table(fd);
	for (i = 0; i < CHANNELS; i++)
		if (pipe(channels[i]))
			err(1, "pipe");
	if (pipe(ready) || pipe(gate))
		err(1, "pipe");
}

void prepare_again(int fd, int index)
{
	map_table(fd);
	if (index < 0 || index >= ROLES_MAX)
		errx(1, "no role %d", index);
	me = &table->role[index];
}

int prepared_fd(void)
{
	return table_fd;
}

int my_index(void)
{
	return (int)(me - table->role);
}

void role(const char *name, const char *proto, void (*fn)(const void *arg),
	  const void *arg)
{
	int index = atomic_fetch_add(&table->used, 1);
	struct role *r = &table->role[index];
	pid_t pid, parent = getpid();

	if (index >= ROLES_MAX)
		errx(1, "more than %d roles", ROLES_MAX);
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->comm, sizeof(r->comm), "t-%s", name);
	snprintf(r->proto, sizeof(r->proto), "%s", proto);
	r->uid = -1;

	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid) {
		/* Not getpid(): that could be of another pid namespace. */
		r->pid = pid;
		children[children_used++] = pid;
		children_alive++;
		return;
	}

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() && getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, r->comm);
	alarm(DEADLINE_S);
	if (!me)
		close(gate[1]);
	me = r;
	children_used = children_alive = 0;
	fn(arg);
	join();
	if (holding)
		errx(1, "%s: this scenario cannot be held", me->name);
	_exit(0);
}

/* Only in the main process: lets the roles begin when the caller says so. */
static void open_gate(void)
{
	char byte;

	close(ready[1]);
	if (holding) {
		must(read(ready[0], &byte, 1), "read");
		puts("{\"ready\":true}");
		fflush(stdout);
		while (read(0, &byte, 1) > 0)
			;
		holding = false;
	}
	close(gate[1]);
}

void hold(void)
{
	char byte;

	if (!holding)
		return;
	close(ready[1]);
	/* The deadline is for what the role does, not for who lets it wait. */
	alarm(0);
	must(read(gate[0], &byte, 1), "read");
	alarm(DEADLINE_S);
	me->tx = me->rx = 0;
	holding = false;
}

static void child_failed(pid_t pid, int status)
{
	const char *name = "?";
	int i;

	for (i = 0; i < ROLES_MAX; i++)
		if (table->role[i].pid == pid)
			name = table->role[i].name;
	for (i = 0; i < children_used; i++)
		if (children[i])
			kill(children[i], SIGKILL);
	/* Of what the kernel cannot, the other side may miss its share. */
	if (table->skipped)
		_exit(EXIT_SKIP);
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	if (WTERMSIG(status) == SIGALRM)
		warnx("%s: not done within %d seconds", name, DEADLINE_S);
	else
		warnx("%s: %s", name, strsignal(WTERMSIG(status)));
	_exit(1);
}

void join(void)
{
	int i, status;
	pid_t pid;

	if (!me)
		open_gate();
	while (children_alive) {
		pid = wait(&status);
		if (pid < 0)
			err(1, "wait");
		for (i = 0; i < children_used; i++) {
			if (children[i] != pid)
				continue;
			children[i] = 0;
			children_alive--;
			if (status)
				child_failed(pid, status);
		}
	}
	children_used = 0;
}

void print_roles(void)
{
	const struct role *r;
	int i;

	for (i = 0; i < table->used; i++) {
		r = &table->role[i];
		printf("{\"role\":\"%s\",\"pid\":%d,\"comm\":\"%s\"", r->name,
		       r->pid, r->comm);
		if (r->comm_was[0])
			printf(",\"comm_was\":\"%s\"", r->comm_was);
		if (r->uid >= 0)
			printf(",\"uid\":%d", r->uid);
		printf(",\"proto\":\"%s\",\"tx_bytes\":%" PRIu64
		       ",\"rx_bytes\":%" PRIu64 "}\n",
		       r->proto, r->tx, r->rx);
	}
}

long tx(long result)
{
	if (result > 0)
		me->tx += (uint64_t)result;
	return result;
}

long rx(long result)
{
	if (result > 0)
		me->rx += (uint64_t)result;
	return result;
}

long must(long result, const char *what)
{
	if (result < 0)
		err(1, "%s: %s", me ? me->name : "main", what);
	return result;
}

void skip(const char *why)
{
	/* Both sides may find out; it is told once. */
	if (!atomic_exchange(&table->skipped, true))
		fprintf(stderr, "skip: %s\n", why);
	_exit(EXIT_SKIP);
}

void tell(enum channel c, const void *what, size_t size)
{
	if (write(channels[c][1], what, size) != (ssize_t)size)
		err(1, "%s: tell", me->name);
}

void hear(enum channel c, void *what, size_t size)
{
	if (read(channels[c][0], what, size) != (ssize_t)size)
		err(1, "%s: hear", me->name);
}

void signal_to(enum channel c)
{
	tell(c, "", 1);
}

void await_signal(enum channel c)
{
	char byte;

	hear(c, &byte, 1);
}
