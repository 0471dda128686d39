// SPDX-License-Identifier: MIT
/*
 * A hash table with chains, and an array of the same rows, in no order.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs.h"
#include "sockets.h"
#include "text.h"
#include "users.h"

#define BUCKETS 32768 /* a power of two */

static const char *const sum_names[] = {
	[PROC_KERNEL] = "[kernel]",
	[PROC_UNKNOWN] = "?",
	[PROC_EARLIER] = "[earlier]",
	[PROC_OTHER] = "[other]",
};

static struct proc **bucket_of(struct model *m, uint64_t pid, uint64_t start_us)
{
	uint64_t mixed = (start_us * 31 + pid) * 0x9e3779b97f4a7c15;

	if (!m->bucket) {
		m->bucket = calloc(BUCKETS, sizeof(struct proc *));
		if (!m->bucket)
			err(1, NULL);
	}
	return &m->bucket[mixed >> 49];
}

struct proc *procs_find(struct model *m, uint64_t pid, uint64_t start_us)
{
	struct proc *p = *bucket_of(m, pid, start_us);

	while (p &&
	       (p->pid != pid || p->start_us != start_us || p->boot != m->boot))
		p = p->next;
	return p;
}

static struct proc *add(struct model *m, enum proc_kind kind)
{
	struct proc *p = calloc(1, sizeof(*p));

	if (m->count == m->room) {
		m->room = m->room ? 2 * m->room : 64;
		m->procs = realloc(m->procs, m->room * sizeof(struct proc *));
	}
	if (!p || !m->procs)
		err(1, NULL);
	p->id = ++m->last_id;
	p->kind = kind;
	p->place = SIZE_MAX;
	p->index = m->count;
	m->procs[m->count++] = p;
	return p;
}

struct proc *procs_make(struct model *m, uint64_t pid, uint64_t start_us)
{
	struct proc **bucket = bucket_of(m, pid, start_us);
	struct proc *p;

	if (m->now.processes >= MODEL_PROCESSES_MAX)
		return procs_sum(m, PROC_OTHER);
	p = add(m, PROC_USER);
	p->boot = m->boot;
	p->pid = pid;
	p->start_us = start_us;
	p->next = *bucket;
	*bucket = p;
	m->now.processes++;
	return p;
}

struct proc *procs_sum(struct model *m, enum proc_kind kind)
{
	if (!m->sum[kind]) {
		m->sum[kind] = add(m, kind);
		snprintf(m->sum[kind]->comm, sizeof(m->sum[kind]->comm), "%s",
			 sum_names[kind]);
	}
	return m->sum[kind];
}

/* FNV-1a over the raw values: has anything about the names changed? */
static uint64_t hash_field(uint64_t hash, const struct nm_field *f)
{
	for (size_t i = 0; f && i < f->val.len; i++)
		hash = (hash ^ (unsigned char)f->val.ptr[i]) * 0x100000001b3;
	return (hash ^ 0xff) * 0x100000001b3;
}

/* Keeps what was known if the record does not say. */
static void take_path(const struct nm_record *r, const char *key, char **into)
{
	char raw[4096], clean[4096];

	if (!nm_get_str(r, key, raw, sizeof(raw)))
		return;
	nm_clean(clean, sizeof(clean), raw);
	free(*into);
	*into = strdup(clean);
	if (!*into)
		err(1, NULL);
}

void procs_name(struct model *m, struct proc *p, const struct nm_record *r)
{
	const struct nm_field *comm = nm_find(r, "comm");
	const struct nm_field *uid_field = nm_find(r, "uid");
	uint64_t names = 0xcbf29ce484222325, uid;
	char raw[256];

	if (p->kind != PROC_USER)
		return;
	names = hash_field(names, comm);
	names = hash_field(names, uid_field);
	names = hash_field(names, nm_find(r, "exe"));
	names = hash_field(names, nm_find(r, "cgroup"));
	if (names == p->names)
		return;
	p->names = names;
	if (nm_get_str(r, "comm", raw, sizeof(raw)))
		nm_clean(p->comm, sizeof(p->comm), raw);
	if (nm_get_u64(r, "uid", &uid))
		users_name(m->users, uid, m->local, p->user, sizeof(p->user));
	take_path(r, "exe", &p->exe);
	take_path(r, "cgroup", &p->cgroup);
}

static void release(struct proc *p)
{
	free(p->exe);
	free(p->cgroup);
	free(p);
}

void procs_fold(struct model *m, struct proc *p)
{
	struct proc **at = bucket_of(m, p->pid, p->start_us);
	struct proc *earlier = procs_sum(m, PROC_EARLIER);

	earlier->now.tx_bytes += p->now.tx_bytes;
	earlier->now.rx_bytes += p->now.rx_bytes;
	earlier->tick_tx += p->tick_tx;
	earlier->tick_rx += p->tick_rx;
	earlier->inferred |= p->inferred;
	sockets_close_all(m->sockets, p);
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	m->procs[p->index] = m->procs[--m->count];
	m->procs[p->index]->index = p->index;
	m->now.processes--;
	m->now.gone++;
	release(p);
}

void procs_free_all(struct model *m)
{
	for (size_t i = 0; i < m->count; i++)
		release(m->procs[i]);
	free(m->procs);
	free(m->bucket);
}
