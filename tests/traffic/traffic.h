/* SPDX-License-Identifier: MIT */
/*
 * nm-traffic is the generator that knows: it moves bytes over loopback in
 * every way that Linux has, each role in a process of its own, and tells what
 * each process moved by the results of its own system calls. Tests hold a
 * collector to that, to the byte.
 *
 * A scenario is a line in its file's table. What counts are the positive
 * results of calls that send or receive, but not of those with MSG_PEEK or
 * MSG_ERRQUEUE.
 */
#ifndef NM_TRAFFIC_H
#define NM_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* No system call of a role may take longer, also on an emulated machine. */
#define DEADLINE_S 30

#define EXIT_SKIP 77

struct scenario {
	const char *name;
	const char *text; /* a short sentence for `list` */
	void (*run)(const void *arg);
	const void *arg;
};

/* Tables that end with an empty entry. */
extern const struct scenario tcp_scenarios[], connection_scenarios[],
	ending_scenarios[], zerocopy_scenarios[], udp_scenarios[],
	unanswered_scenarios[], share_scenarios[], icmp_scenarios[],
	process_scenarios[], uring_scenarios[], layer_scenarios[],
	sockmap_scenarios[];

/* --- role.c: processes and what they moved --- */

struct role {
	char name[12];
	char comm[16];
	char comm_was[16]; /* before an exec */
	char proto[12];	   /* as in nm-record(5) */
	int32_t pid;
	int32_t uid; /* -1: of no interest */
	_Atomic uint64_t tx, rx;
};

/* The role that this process plays. */
extern struct role *me;

/* Shared by all roles. Call first; prepare_again after an exec. */
void prepare(void);
void prepare_again(int table_fd, int index);
int prepared_fd(void);
int my_index(void);

/*
 * Starts fn(arg) in a new process "t-NAME" that speaks proto. Roles can start
 * roles; one that returns waits for those it started.
 */
void role(const char *name, const char *proto, void (*fn)(const void *arg),
	  const void *arg);

/*
 * Waits for the roles that this process started. If one fails or skips, the
 * others are ended and so is this process, with the same status.
 */
void join(void);

void print_roles(void);

/* Count a result; return it. */
long tx(long result);
long rx(long result);

/* Ends the process with the reason if the result is negative. */
long must(long result, const char *what);

/* The kernel cannot do it. */
void skip(const char *why) __attribute__((noreturn));

/* Roles meet by pipes: a hear() takes what a tell() of that size put in. */
enum channel {
	ADDRESS,
	GO,
	DONE,
	CHANNELS
};
void tell(enum channel c, const void *what, size_t size);
void hear(enum channel c, void *what, size_t size);
void signal_to(enum channel c);
void await_signal(enum channel c);

/*
 * With --hold, roles stop here, their sockets open, until the caller lets
 * them go on; what they moved before is forgotten.
 */
extern bool holding;
void hold(void);

/* --- net.c: sockets on loopback --- */

enum where {
	V4,
	V6,
	MAPPED
}; /* MAPPED: IPv4 on an IPv6 socket */

/* With --at: these addresses, whose packets leave by that interface. */
void use_addresses(const char *text);
int interface_index(void);

struct sockaddr_storage loopback(enum where where);
socklen_t addr_len(const struct sockaddr_storage *a);
int open_socket(enum where where, int type, int protocol);

void bind_loopback(int fd, enum where where); /* to a free port */

/* The address that fd is bound to, for so many that hear it. */
void tell_address(int fd, int times);
struct sockaddr_storage hear_address(void);

void set_option(int fd, int level, int name, int value);
void await_events(int fd, short events);
void read_errqueue(int fd);

/* A network namespace for this process and the roles it starts. */
void own_netns(void);
void write_file(const char *path, const char *text);

/* --- stream.c: a client asks, the server answers --- */

struct stream {
	const char *proto; /* NULL: tcp */
	enum where where;
	int protocol;
	int srv_protocol;     /* 0: as the client's */
	bool whole;	      /* the protocol has no half-closed state */
	size_t chunk, chunks; /* the question; 0: 1009 and 997 */
	size_t piece;	      /* the most to be read at once; 0: 4099 */
	void (*setup)(int fd, bool client);
	long (*push)(int fd, const char *buf, size_t n); /* NULL: write */
	long (*pull)(int fd, char *buf, size_t n);	 /* NULL: read */
};

void stream_pair(const void *stream); /* runs both roles */
void stream_server(const void *stream);
void stream_client(const void *stream);

int stream_listen(const struct stream *s, int clients);
int stream_accept(const struct stream *s, int listener);
int stream_connect(const struct stream *s);
void stream_send(const struct stream *s, int fd, size_t bytes);
void stream_receive(const struct stream *s, int fd, size_t bytes);
size_t stream_size(const struct stream *s);

/* Everything that one side does on a connection, with its close. */
void stream_ask(const struct stream *s, int fd);
void stream_answer(const struct stream *s, int fd);

/* --- datagram.c: the same in lock-step, so that nothing is dropped --- */

struct datagram {
	const char *proto; /* NULL: udp */
	enum where where;
	int protocol;
	bool connected;
	int clients;   /* 0: 1 */
	size_t size;   /* of a question; 0: 997 */
	size_t expect; /* what is received of it; 0: all */
	void (*setup)(int fd, bool client);
	long (*push)(int fd, const char *buf, size_t n,
		     const struct sockaddr_storage *to); /* NULL: sendto */
	long (*pull)(int fd, char *buf, size_t n,
		     struct sockaddr_storage *from); /* NULL: recvfrom */
};

void datagram_pair(const void *datagram);

/* --- process.c --- */

/* The rest of scenario `exec`, in the new program. */
void after_exec(int fd);

#endif
