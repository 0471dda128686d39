// SPDX-License-Identifier: MIT
/*
 * The records of nm-collect; see nm-record(5), which this must agree with.
 */
#include "emit.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "emit-flow.h"
#include "emit-wire.h"
#include "json.h"
#include "ledgers.h"
#include "options.h"

#define US_PER_S 1000000ULL

/* A write is this large at least, but for the last of an interval. */
#define WRITE_SIZE (256 * 1024)

struct sums {
	uint64_t tx, rx;
	uint64_t tx_wire, rx_wire;
};

static struct {
	struct nm_buf out;
	const uint64_t *pids;
	size_t npids;
	uint64_t now_us; /* end of the interval, since the epoch */
	uint64_t dt_us;
	uint64_t last_mono_us;	 /* end of the one before, CLOCK_MONOTONIC */
	struct nm_buf flow_head; /* what all its flows begin with */
	uint64_t flows;
	struct sums all, kernel, nobody, lost_detail, datagrams;
	bool wire; /* packets are counted too */
	bool reader_gone;
} emit;

static uint64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

void emit_only(const uint64_t *pids, size_t n)
{
	emit.pids = pids;
	emit.npids = n;
}

void emit_with_wire(bool wire)
{
	emit.wire = wire;
	if (wire && !ledgers_open())
		warn("counters of the network interfaces");
}

static bool wanted(const struct process *p)
{
	if (emit.npids == 0)
		return true;
	for (size_t i = 0; i < emit.npids; i++)
		if (p && p->pid == emit.pids[i])
			return true;
	return false;
}

void emit_interval(void)
{
	uint64_t mono = clock_us(CLOCK_MONOTONIC);

	emit.now_us = clock_us(CLOCK_REALTIME);
	emit.dt_us = emit.last_mono_us ? mono - emit.last_mono_us : 0;
	emit.last_mono_us = mono;
	emit.flow_head.len = 0;
	nm_json_open(&emit.flow_head, "flow", emit.now_us);
	emit.flows = 0;
	emit.all = emit.kernel = emit.nobody = (struct sums){ 0 };
	emit.lost_detail = emit.datagrams = (struct sums){ 0 };
}

double emit_interval_began(void)
{
	return (double)emit.last_mono_us / US_PER_S;
}

static void flush_if_large(void)
{
	if (emit.out.len >= WRITE_SIZE)
		emit_flush();
}

static void boot_id(char *out, size_t size)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	out[0] = '\0';
	if (!f)
		return;
	if (fgets(out, (int)size, f))
		out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

void emit_start(const struct backend *b, const struct settings *s)
{
	struct nm_buf *o = &emit.out;
	struct utsname u;
	char id[64];

	uname(&u);
	boot_id(id, sizeof(id));
	nm_json_open(o, "start", emit.now_us);
	nm_json_str(o, "host", u.nodename);
	nm_json_str(o, "boot_id", id);
	nm_json_u64(o, "boot_us", emit.now_us - clock_us(CLOCK_BOOTTIME));
	nm_json_str(o, "kernel", u.release);
	nm_json_str(o, "backend", b->name);
	nm_json_u64(o, "interval_us", (uint64_t)(s->interval_s * 1e6));
	nm_json_str(o, "version", NM_VERSION);
	nm_json_close(o);
}

void emit_notice(const char *level, const char *code, const char *fmt, ...)
{
	struct nm_buf *o = &emit.out;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	nm_json_open(o, "notice", emit.now_us);
	nm_json_str(o, "level", level);
	nm_json_str(o, "code", code);
	nm_json_str(o, "text", text);
	nm_json_close(o);
}

static void add(struct sums *s, const struct flow *f)
{
	s->tx += f->tx_bytes;
	s->rx += f->rx_bytes;
	s->tx_wire += f->wire.tx_bytes;
	s->rx_wire += f->wire.rx_bytes;
}

/* Takes from the heads what has room in a record. */
static void put_flow(const struct flow *f, const struct head **heads)
{
	struct nm_buf *o = &emit.out;

	nm_buf_add(o, emit.flow_head.data, emit.flow_head.len);
	if (f->socket)
		put_flow_id(o, f);
	nm_json_u64(o, "dt_us", emit.dt_us);
	if (f->process)
		put_process(o, f->process);
	if (f->socket)
		put_socket(o, f);
	put_counts(o, f);
	if (emit.wire)
		put_wire(o, f);
	nm_json_str(o, "quality", f->inferred ? "inferred" : "exact");
	put_heads(o, heads);
	nm_json_close(o);
}

void emit_flow(const struct flow *f)
{
	const struct head *heads = f->heads;

	ledgers_flow(f);
	if (!wanted(f->process))
		return;
	emit.flows++;
	add(&emit.all, f);
	if (!f->process)
		add(&emit.nobody, f);
	else if (f->process->pid == 0)
		add(&emit.kernel, f);
	if (f->process && !f->socket)
		add(&emit.lost_detail, f);
	emit.datagrams.tx += f->tx_datagrams;
	emit.datagrams.rx += f->rx_datagrams;

	/* What has no room in one is in records before it that move nothing. */
	while (heads_left(heads)) {
		struct flow none = flow_unmoved(f);

		emit.flows++;
		put_flow(&none, &heads);
	}
	put_flow(f, &heads);
	flush_if_large();
}

void emit_process(const char *event, struct process *p)
{
	struct nm_buf *o = &emit.out;

	if (!wanted(p))
		return;
	nm_json_open(o, "event", emit.now_us);
	nm_json_str(o, "event", event);
	put_process(o, p);
	put_netns(o, p->netns);
	nm_json_str(o, "parent", p->parent);
	if (p->cmdline)
		nm_json_str(o, "cmdline", p->cmdline);
	nm_json_close(o);
	flush_if_large();
}

void emit_process_end(struct process *p, uint64_t tx_bytes, uint64_t rx_bytes)
{
	struct nm_buf *o = &emit.out;

	if (!wanted(p))
		return;
	nm_json_open(o, "event", emit.now_us);
	nm_json_str(o, "event", "process_end");
	put_process(o, p);
	put_netns(o, p->netns);
	nm_json_u64(o, "total_tx_bytes", tx_bytes);
	nm_json_u64(o, "total_rx_bytes", rx_bytes);
	nm_json_close(o);
	flush_if_large();
}

static void put_sums(struct nm_buf *o, const char *tx, const char *rx,
		     const struct sums *s)
{
	if (s->tx == 0 && s->rx == 0)
		return;
	nm_json_u64(o, tx, s->tx);
	nm_json_u64(o, rx, s->rx);
}

static void emit_ledger(uint32_t netns, const struct ledger_sums *sums)
{
	struct nm_buf *o = &emit.out;

	nm_json_open(o, "ledger", emit.now_us);
	nm_json_u64(o, "dt_us", emit.dt_us);
	put_netns(o, netns);
	put_ledger(o, sums);
	nm_json_close(o);
	flush_if_large();
}

void emit_tick(const struct losses *lost, uint64_t cpu_us)
{
	const struct ledger_sums *sums = ledgers_tell(emit_ledger, emit.dt_us);
	struct nm_buf *o = &emit.out;

	nm_json_open(o, "tick", emit.now_us);
	nm_json_u64(o, "dt_us", emit.dt_us);
	nm_json_u64(o, "flows", emit.flows);
	nm_json_u64(o, "tx_bytes", emit.all.tx);
	nm_json_u64(o, "rx_bytes", emit.all.rx);
	put_sums(o, "kernel_tx_bytes", "kernel_rx_bytes", &emit.kernel);
	put_sums(o, "unattributed_tx_bytes", "unattributed_rx_bytes",
		 &emit.nobody);
	put_sums(o, "unattributed_tx_datagrams", "unattributed_rx_datagrams",
		 &emit.datagrams);
	put_sums(o, "lost_detail_tx_bytes", "lost_detail_rx_bytes",
		 &emit.lost_detail);
	if (emit.wire) {
		nm_json_u64(o, "tx_wire_bytes", emit.all.tx_wire);
		nm_json_u64(o, "rx_wire_bytes", emit.all.rx_wire);
		put_ledger(o, sums);
	}
	if (lost->flows)
		nm_json_u64(o, "lost_flows", lost->flows);
	if (lost->processes)
		nm_json_u64(o, "lost_processes", lost->processes);
	if (lost->calls)
		nm_json_u64(o, "lost_calls", lost->calls);
	if (lost->heads)
		nm_json_u64(o, "lost_heads", lost->heads);
	nm_json_u64(o, "cpu_us", cpu_us);
	nm_json_close(o);
}

bool emit_flush(void)
{
	if (emit.reader_gone) {
		emit.out.len = 0;
		return false;
	}
	if (nm_buf_flush(&emit.out, STDOUT_FILENO) == 0)
		return true;
	if (errno != EPIPE)
		err(NM_EXIT_FAIL, "cannot write to standard output");
	emit.reader_gone = true;
	emit.out.len = 0;
	return false;
}
