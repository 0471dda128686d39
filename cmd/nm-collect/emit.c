// SPDX-License-Identifier: MIT
/*
 * The records of nm-collect; see nm-record(5), which this must agree with.
 */
#include "emit.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

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

static void write_keys(struct nm_buf *o, const struct process *p)
{
	nm_json_u64(o, "pid", p->pid);
	if (p->pid == 0) {
		nm_json_str(o, "comm", "kernel");
		return;
	}
	nm_json_u64(o, "start_us", p->start_us);
	nm_json_str(o, "comm", p->comm);
	if (p->exe)
		nm_json_str(o, "exe", p->exe);
	if (p->uid_known)
		nm_json_u64(o, "uid", p->uid);
	if (p->ppid)
		nm_json_u64(o, "ppid", p->ppid);
	if (p->cgroup)
		nm_json_str(o, "cgroup", p->cgroup);
}

/* Written once, not for each of its flows. */
static void put_process(struct nm_buf *o, struct process *p)
{
	if (p->keys.len == 0)
		write_keys(&p->keys, p);
	nm_buf_add(o, p->keys.data, p->keys.len);
}

static void put_netns(struct nm_buf *o, uint32_t netns)
{
	if (netns)
		nm_json_u64(o, "netns", netns);
}

static void put_address(struct nm_buf *o, const char *key,
			const struct nm_addr *a)
{
	char text[NM_ADDR_TEXT];

	if (!nm_addr_is_any(a))
		nm_json_str(o, key, nm_addr_text(a, text));
}

static void put_port(struct nm_buf *o, const char *key, uint16_t port)
{
	if (port)
		nm_json_u64(o, key, port);
}

/* FNV-1a, to tell the remote sides of one socket apart by few digits. */
static uint32_t peer_hash(const struct flow *f)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(f->raddr.byte); i++)
		h = (h ^ f->raddr.byte[i]) * 16777619u;
	h = (h ^ (f->rport & 0xff)) * 16777619u;
	return (h ^ (f->rport >> 8)) * 16777619u;
}

static void put_socket(struct nm_buf *o, const struct flow *f)
{
	static const char *const protos[] = {
		[NM_PROTO_TCP] = "tcp",		[NM_PROTO_UDP] = "udp",
		[NM_PROTO_UDPLITE] = "udplite", [NM_PROTO_MPTCP] = "mptcp",
		[NM_PROTO_SCTP] = "sctp",	[NM_PROTO_DCCP] = "dccp",
		[NM_PROTO_ICMP] = "icmp",	[NM_PROTO_ICMPV6] = "icmpv6",
		[NM_PROTO_RAW] = "raw",		[NM_PROTO_PACKET] = "packet",
	};

	put_netns(o, f->netns);
	if (protos[f->proto])
		nm_json_str(o, "proto", protos[f->proto]);
	if (f->dir == NM_DIR_OUT || f->dir == NM_DIR_IN)
		nm_json_str(o, "dir", f->dir == NM_DIR_OUT ? "out" : "in");
	put_address(o, "laddr", &f->laddr);
	put_port(o, "lport", f->lport);
	put_address(o, "raddr", &f->raddr);
	put_port(o, "rport", f->rport);
	nm_json_str(o, "state", f->closed ? "closed" : "open");
}

static void put_flow_id(struct nm_buf *o, const struct flow *f)
{
	char id[32];

	if (!f->peer) {
		nm_json_hex(o, "flow", f->cookie);
		return;
	}
	snprintf(id, sizeof(id), "%" PRIx64 "-%" PRIx32, f->cookie,
		 peer_hash(f));
	nm_json_str(o, "flow", id);
}

static void add(struct sums *s, const struct flow *f)
{
	s->tx += f->tx_bytes;
	s->rx += f->rx_bytes;
	s->tx_wire += f->wire.tx_bytes;
	s->rx_wire += f->wire.rx_bytes;
}

static void put_counts(struct nm_buf *o, const struct flow *f)
{
	switch (f->counts) {
	case COUNTS_BYTES:
		nm_json_u64(o, "tx_bytes", f->tx_bytes);
		nm_json_u64(o, "rx_bytes", f->rx_bytes);
		break;
	case COUNTS_DATAGRAMS:
		put_netns(o, f->netns);
		nm_json_str(o, "proto", "udp");
		nm_json_u64(o, "tx_datagrams", f->tx_datagrams);
		nm_json_u64(o, "rx_datagrams", f->rx_datagrams);
		break;
	case COUNTS_NOTHING:
		break;
	}
}

void emit_flow(const struct flow *f)
{
	struct nm_buf *o = &emit.out;

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
	nm_json_close(o);
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
