// SPDX-License-Identifier: MIT
/*
 * Adds up records. What is `now` changes with every record and tick; what is
 * `shown` only in model_show.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"
#include "procs.h"
#include "sockets.h"
#include "text.h"
#include "users.h"

#define SECOND ((uint64_t)1000000)

/* How long a row stays when nothing more can come, and when nothing comes. */
#define KEEP_ENDED  (10 * SECOND)
#define KEEP_SILENT (300 * SECOND)
#define DIM_SILENT  (60 * SECOND)

struct model *model_new(void)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		err(1, NULL);
	m->now.cpu_share = -1;
	m->shown = m->now;
	m->local = true;
	m->sockets = sockets_new();
	m->users = users_new();
	return m;
}

void model_free(struct model *m)
{
	procs_free_all(m);
	sockets_free(m->sockets);
	nm_cache_free(m->users);
	free(m);
}

static void get_clean(const struct nm_record *r, const char *key, char *out,
		      size_t size)
{
	char raw[512];

	if (nm_get_str(r, key, raw, sizeof(raw)))
		nm_clean(out, size, raw);
}

static uint64_t get(const struct nm_record *r, const char *key)
{
	uint64_t value = 0;

	nm_get_u64(r, key, &value);
	return value;
}

static void take_end(struct model *m, struct proc *p, uint64_t ts_us)
{
	if (p->kind != PROC_USER)
		return;
	p->now.ended = true;
	p->ended_us = ts_us;
	sockets_close_all(m->sockets, p);
}

/* After another boot the same pid and start_us are another process. */
static void take_start(struct model *m, const struct nm_record *r)
{
	char boot_id[sizeof(m->boot_id)] = "", here[256] = "";

	get_clean(r, "boot_id", boot_id, sizeof(boot_id));
	if (strcmp(boot_id, m->boot_id) != 0) {
		m->boot++;
		for (size_t i = 0; i < m->count; i++)
			take_end(m, m->procs[i], r->ts_us);
		memcpy(m->boot_id, boot_id, sizeof(boot_id));
	}
	get_clean(r, "host", m->host, sizeof(m->host));
	get_clean(r, "kernel", m->kernel, sizeof(m->kernel));
	get_clean(r, "backend", m->backend, sizeof(m->backend));
	gethostname(here, sizeof(here) - 1);
	m->local = !m->host[0] || !strcmp(m->host, here);
	if (!m->now.since_us)
		m->now.since_us = r->ts_us;
}

static struct proc *proc_of(struct model *m, const struct nm_record *r)
{
	uint64_t pid, start_us = get(r, "start_us");
	struct proc *p;

	if (!nm_get_u64(r, "pid", &pid))
		return procs_sum(m, PROC_UNKNOWN);
	if (!pid)
		return procs_sum(m, PROC_KERNEL);
	p = procs_find(m, pid, start_us);
	return p ? p : procs_make(m, pid, start_us);
}

static bool is_datagram(const struct nm_record *r)
{
	static const char *const protos[] = { "udp", "udplite", "icmp",
					      "icmpv6", "raw" };

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (nm_is(r, "proto", protos[i]))
			return true;
	}
	return false;
}

static void take_flow(struct model *m, const struct nm_record *r)
{
	uint64_t tx = get(r, "tx_bytes"), rx = get(r, "rx_bytes");
	uint64_t dt_us = get(r, "dt_us");
	struct proc *p = proc_of(m, r);
	char flow[64];

	m->open = true;
	m->flow_ts_us = r->ts_us;
	m->tick_tx += tx;
	m->tick_rx += rx;
	if (dt_us > m->flow_dt_us)
		m->flow_dt_us = dt_us;
	p->tick_tx += tx;
	p->tick_rx += rx;
	p->seen_us = r->ts_us;
	if (nm_is(r, "quality", "inferred"))
		p->inferred = m->any_inferred = true;
	else
		m->any_exact = true;
	procs_name(m, p, r);
	if (!nm_get_str(r, "flow", flow, sizeof(flow)))
		return;
	if (nm_is(r, "state", "closed"))
		sockets_close(m->sockets, p, flow);
	else if (!p->now.ended)
		sockets_open(m->sockets, p, flow, is_datagram(r), r->ts_us);
}

static void take_event(struct model *m, const struct nm_record *r)
{
	bool end = nm_is(r, "event", "process_end");
	struct proc *p;

	if (!end && !nm_is(r, "event", "process_exec"))
		return;
	/* Its flow records may be still to come. */
	p = proc_of(m, r);
	procs_name(m, p, r);
	if (end)
		take_end(m, p, r->ts_us);
}

/* A warning is not pushed away by mere information. */
static void take_notice(struct model *m, const struct nm_record *r)
{
	bool warning = !nm_is(r, "level", "info");
	char text[480] = "";

	get_clean(r, "text", text, sizeof(text));
	if (!text[0] || (m->warned && !warning))
		return;
	m->warned = warning;
	snprintf(m->notice, sizeof(m->notice), "%s: %s",
		 nm_is(r, "level", "error") ? "error"
		 : warning		    ? "warning"
					    : "note",
		 text);
}

void model_notice_seen(struct model *m)
{
	if (!m->warned)
		m->notice[0] = '\0';
}

static double rate(uint64_t bytes, uint64_t dt_us)
{
	return dt_us ? (double)bytes * 1e6 / (double)dt_us : 0;
}

static bool is_silent(const struct model *m, const struct proc *p, uint64_t us)
{
	return !p->now.sockets && m->now.ts_us > p->seen_us &&
	       m->now.ts_us - p->seen_us >= us;
}

static void close_interval(struct model *m, uint64_t ts_us, uint64_t dt_us)
{
	struct totals *t = &m->now;

	if (!t->since_us)
		t->since_us = ts_us > dt_us ? ts_us - dt_us : 0;
	t->ts_us = ts_us;
	t->tx_bytes += m->tick_tx;
	t->rx_bytes += m->tick_rx;
	t->tx_rate = rate(m->tick_tx, dt_us);
	t->rx_rate = rate(m->tick_rx, dt_us);
	sockets_forget(m->sockets, ts_us);
	for (size_t i = 0; i < m->count; i++) {
		struct proc *p = m->procs[i];
		struct figures *now = &p->now;

		now->tx_bytes += p->tick_tx;
		now->rx_bytes += p->tick_rx;
		now->tx_rate = rate(p->tick_tx, dt_us);
		now->rx_rate = rate(p->tick_rx, dt_us);
		p->tick_tx = 0;
		p->tick_rx = 0;
		/* Those that still move something are counted by now. */
		if (now->sockets_more && ts_us > p->more_us &&
		    ts_us - p->more_us >= SOCKETS_KEEP_US)
			now->sockets_more = false;
		now->quiet = now->ended || is_silent(m, p, DIM_SILENT);
	}
	if (m->sum[PROC_UNKNOWN])
		t->unknown_bytes = m->sum[PROC_UNKNOWN]->now.tx_bytes +
				   m->sum[PROC_UNKNOWN]->now.rx_bytes;
	m->tick_tx = 0;
	m->tick_rx = 0;
	m->flow_dt_us = 0;
	m->open = false;
}

static void take_line(const struct nm_record *r, const char *tx, const char *rx,
		      uint64_t *sum)
{
	*sum += get(r, tx) + get(r, rx);
}

static void take_ledger(struct ledger *l, const struct nm_record *r,
			uint64_t dt_us)
{
	uint64_t before = l->nic, unused;

	if (!nm_get_u64(r, "nic_tx_bytes", &unused))
		return;
	l->kept = true;
	take_line(r, "nic_tx_bytes", "nic_rx_bytes", &l->nic);
	take_line(r, "nic_named_tx_bytes", "nic_named_rx_bytes", &l->named);
	take_line(r, "nic_kernel_tx_bytes", "nic_kernel_rx_bytes", &l->kernel);
	take_line(r, "nic_unattributed_tx_bytes", "nic_unattributed_rx_bytes",
		  &l->unnamed);
	take_line(r, "nic_carrier_tx_bytes", "nic_carrier_rx_bytes",
		  &l->carrier);
	take_line(r, "nic_forwarded_tx_bytes", "nic_forwarded_rx_bytes",
		  &l->forwarded);
	take_line(r, "nic_no_socket_tx_bytes", "nic_no_socket_rx_bytes",
		  &l->no_socket);
	l->rate = rate(l->nic - before, dt_us);
}

static void take_tick(struct model *m, const struct nm_record *r)
{
	uint64_t dt_us = get(r, "dt_us"), cpu_us;

	if (!dt_us && m->now.ts_us && r->ts_us > m->now.ts_us)
		dt_us = r->ts_us - m->now.ts_us;
	m->now.lost_flows += get(r, "lost_flows");
	m->now.lost_processes += get(r, "lost_processes");
	if (dt_us && nm_get_u64(r, "cpu_us", &cpu_us))
		m->now.cpu_share = (double)cpu_us / (double)dt_us;
	take_ledger(&m->now.ledger, r, dt_us);
	close_interval(m, r->ts_us, dt_us);
}

bool model_record(struct model *m, const struct nm_record *r)
{
	switch (r->type) {
	case NM_TYPE_START:
		take_start(m, r);
		return false;
	case NM_TYPE_FLOW:
		take_flow(m, r);
		return false;
	case NM_TYPE_TICK:
		take_tick(m, r);
		return true;
	case NM_TYPE_EVENT:
		take_event(m, r);
		return false;
	case NM_TYPE_NOTICE:
		take_notice(m, r);
		return false;
	default:
		return false;
	}
}

bool model_finish(struct model *m)
{
	if (!m->open)
		return false;
	close_interval(m, m->flow_ts_us, m->flow_dt_us);
	return true;
}

/* In a full table there is no room for the silent. */
static bool is_gone(const struct model *m, const struct proc *p)
{
	bool full = m->now.processes >= MODEL_PROCESSES_MAX;

	if (p->kind != PROC_USER || p->now.tx_rate > 0 || p->now.rx_rate > 0 ||
	    p->tick_tx || p->tick_rx)
		return false;
	if (p->now.ended)
		return full || m->now.ts_us > p->ended_us + KEEP_ENDED;
	return is_silent(m, p, full ? KEEP_ENDED : KEEP_SILENT);
}

void model_show(struct model *m)
{
	for (size_t i = m->count; i-- > 0;) {
		if (is_gone(m, m->procs[i]))
			procs_fold(m, m->procs[i]);
	}
	for (size_t i = 0; i < m->count; i++) {
		struct proc *p = m->procs[i];

		p->shown = p->now;
		p->is_shown =
			!p->now.ended || p->now.tx_bytes || p->now.rx_bytes;
	}
	m->shown = m->now;
}
