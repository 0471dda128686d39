/* SPDX-License-Identifier: MIT */
/*
 * The open sockets of each process: a bounded set, because a record says
 * only what changed.
 */
#ifndef VIEW_SOCKETS_H
#define VIEW_SOCKETS_H

#include <stdint.h>

struct proc;
struct sockets;

#define SOCKETS_MAX 131072

struct sockets *sockets_new(void);
void sockets_free(struct sockets *s);

/* Keep the count in p->now right. The socket is a record's key "flow". */
void sockets_open(struct sockets *s, struct proc *p, const char *flow);
void sockets_close(struct sockets *s, struct proc *p, const char *flow);
void sockets_close_all(struct sockets *s, struct proc *p);

#endif
