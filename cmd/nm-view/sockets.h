/* SPDX-License-Identifier: MIT */
/*
 * The open sockets of each process: a bounded set, because a record says
 * only what changed.
 */
#ifndef VIEW_SOCKETS_H
#define VIEW_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

struct proc;
struct sockets;

#define SOCKETS_MAX 131072

struct sockets *sockets_new(void);
void sockets_free(struct sockets *s);

/*
 * A source may not see the end of a datagram socket. Those that were silent
 * so long are forgotten, or they would fill the set for ever.
 */
#define SOCKETS_KEEP_US ((uint64_t)60 * 1000000)

/*
 * Keep the count in p->now right. The socket is a record's key "flow"; it
 * moved something at ts_us.
 */
void sockets_open(struct sockets *s, struct proc *p, const char *flow,
		  bool datagram, uint64_t ts_us);
void sockets_close(struct sockets *s, struct proc *p, const char *flow);
void sockets_close_all(struct sockets *s, struct proc *p);

/* Forgets what was silent until ts_us. */
void sockets_forget(struct sockets *s, uint64_t ts_us);

#endif
