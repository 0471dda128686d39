/* SPDX-License-Identifier: MIT */
/*
 * The model's table of processes: found by (pid, start_us), named by what
 * records say of them, folded into a row of sums when they are gone.
 */
#ifndef VIEW_PROCS_H
#define VIEW_PROCS_H

#include "model.h"

/* NULL if there is none. */
struct proc *procs_find(struct model *m, uint64_t pid, uint64_t start_us);

/* A new row; [other] if the table is full. */
struct proc *procs_make(struct model *m, uint64_t pid, uint64_t start_us);

/* The row of that kind, which is no process; made when first asked for. */
struct proc *procs_sum(struct model *m, enum proc_kind kind);

/* Takes over comm, exe, user and cgroup from a record that has them. */
void procs_name(struct model *m, struct proc *p, const struct nm_record *r);

/* Adds the row's totals to [earlier] and frees it. */
void procs_fold(struct model *m, struct proc *p);

void procs_free_all(struct model *m);

#endif
