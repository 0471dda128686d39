/* SPDX-License-Identifier: MIT */
/*
 * Names of other sides: what a process asked for (dns records), which server
 * it named to it, or else what the address is called (reverse DNS).
 */
#ifndef NM_HOSTS_H
#define NM_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "record.h"

/* reverse: ask DNS; server: which one to ask ("192.0.2.1:53"), or NULL. */
void hosts_open(bool reverse, const char *server);

/* Another stream begins: who asked for what in the last says nothing in it. */
void hosts_forget(void);

/* A dns record: a name was answered to a process. */
void hosts_answer(const struct nm_record *r);

/*
 * Adds rhost and rhost_source to a record that has a raddr, if its name is
 * known by now; if not, it may be asked for, and be known later.
 */
void hosts_add(struct nm_record *r);

void hosts_close(void);

#endif
