// SPDX-License-Identifier: MIT
/*
 * Backend diag: no program in the kernel, and no rights but to look into other
 * network namespaces. The counters that the kernel keeps of each TCP socket
 * are read once an interval, and a last time from the notice that the kernel
 * sends when the socket is gone. A process's bytes are those of the sockets
 * that it has open.
 *
 * The kernel keeps no such counters of UDP. What it does know is told: which
 * sockets there are, whose they are, and how many datagrams all of a
 * namespace sent and received together.
 *
 * What is inferred, and what can't be seen:
 *  - Who moved the bytes: see diag-owner.h. A connection that begins and ends
 *    between two dumps is nobody's: its notice comes when no descriptor is
 *    left.
 *  - The other side's FIN, 1 byte: see diag-count.h.
 *  - What moves between the last dump and a reset by the program itself
 *    (SO_LINGER with 0 seconds): the kernel clears the counters before it
 *    tells (tcp_disconnect).
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diag-netns.h"
#include "diag-owner.h"
#include "diag-table.h"
#include "diag-watch.h"
#include "emit.h"

/* A descriptor may be on its way from process to process for a moment. */
#define SEARCHES_MAX 3

static struct {
	uint64_t max_flows;
	bool told_trouble, told_udp;
	bool last;	/* interval */
	int error;	/* of reading notices between the intervals */
	uint64_t flows; /* records with detail in this interval */
	uint64_t lost_flows;
	uint64_t tx_rest, rx_rest; /* nobody's, without detail */
} diag;

/* --- Who has the sockets --- */

static struct {
	struct held *held;
	size_t n;
	bool needed;
} search;

static bool is_unowned(const struct connection *c)
{
	return c->inode && !c->closed && c->searches < SEARCHES_MAX &&
	       (!c->owner || c->owner->gone);
}

static bool add_to_search(struct connection *c)
{
	search.needed |= is_unowned(c);
	if (c->inode && !c->closed)
		search.held[search.n++].inode = c->inode;
	return true;
}

static bool take_found(struct connection *c)
{
	struct owner *o;

	if (!c->inode || c->closed)
		return true;
	o = owners_found(search.held, search.n, c->inode);
	if (!o) {
		c->searches += is_unowned(c);
		return true;
	}
	if (c->owner)
		c->owner->sockets--;
	c->owner = o;
	o->sockets++;
	c->searches = 0;
	return true;
}

/*
 * /proc is read only if there is a socket whose owner is not known; then it
 * costs little more to look at all of them again. Returns how many processes
 * found no room.
 */
static uint64_t find_owners(void)
{
	uint64_t refused = 0;

	search.held = calloc(table_count() + 1, sizeof(*search.held));
	if (!search.held)
		err(1, NULL);
	search.n = 0;
	search.needed = false;
	table_each(add_to_search);
	if (search.needed) {
		refused = owners_find(search.held, search.n);
		table_each(take_found);
	}
	free(search.held);
	return refused;
}

/* --- What is told --- */

static void tell_owner(struct owner *o)
{
	if (!o->told)
		emit_process("process_start", &o->process);
	else if (o->changed && !o->ended)
		emit_process("process_exec", &o->process);
	o->told = true;
	o->changed = false;
}

static void tell_connection(const struct connection *c, uint64_t tx,
			    uint64_t rx)
{
	struct owner *o = c->owner;
	struct flow f = {
		.process = o ? &o->process : NULL,
		.socket = true,
		.cookie = c->cookie,
		.netns = c->netns->inode,
		.proto = c->udp ? NM_PROTO_UDP : NM_PROTO_TCP,
		.dir = c->dir,
		.closed = c->closed,
		.laddr = c->laddr,
		.raddr = c->raddr,
		.lport = c->lport,
		.rport = c->rport,
		.tx_bytes = tx,
		.rx_bytes = rx,
		.counts = c->udp ? COUNTS_NOTHING : COUNTS_BYTES,
		.inferred = true,
	};

	if (o && (tx || rx || c->udp))
		tell_owner(o);
	if (o) {
		o->tx += tx;
		o->rx += rx;
	}
	if (diag.flows < diag.max_flows) {
		diag.flows++;
		emit_flow(&f);
		return;
	}
	diag.lost_flows++;
	*(o ? &o->tx_rest : &diag.tx_rest) += tx;
	*(o ? &o->rx_rest : &diag.rx_rest) += rx;
}

/*
 * A connection that two dumps did not have is over, also without a notice:
 * the kernel has dropped it, or sends none (sockets of its own), or the
 * program keeps the descriptor of a dead connection. is_new() knows those
 * whose notice comes later.
 */
static bool tell(struct connection *c)
{
	uint32_t missed = watch_missed(c);
	uint64_t tx, rx;

	if (!c->udp && !watch_settle(c) && !diag.last)
		return true;
	tx = c->tx - c->tx_told;
	rx = c->rx - c->rx_told;
	if (!c->closed && missed >= 2)
		c->changed = c->closed = true;
	if (c->changed || tx || rx)
		tell_connection(c, tx, rx);
	c->tx_told = c->tx;
	c->rx_told = c->rx;
	c->changed = false;
	if (c->owner && c->closed)
		c->owner->sockets--;
	else if (c->owner && missed)
		c->owner->missing = true;
	watch_hold(c);
	return !c->closed;
}

static void tell_rest(struct process *p, uint64_t tx, uint64_t rx)
{
	struct flow f = {
		.process = p, .tx_bytes = tx, .rx_bytes = rx, .inferred = true
	};

	if (tx || rx)
		emit_flow(&f);
}

/* What only the namespace is known of. */
static int tell_datagrams(struct netns *n)
{
	struct flow f = {
		.netns = n->inode,
		.proto = NM_PROTO_UDP,
		.counts = COUNTS_DATAGRAMS,
		.tx_datagrams = n->udp_tx,
		.rx_datagrams = n->udp_rx,
		.inferred = true,
	};

	if (n->udp_tx || n->udp_rx)
		emit_flow(&f);
	n->udp_tx = n->udp_rx = 0;
	return 0;
}

/* The end of a process is told when nothing more can come of it. */
static bool end_owner(struct owner *o)
{
	tell_rest(&o->process, o->tx_rest, o->rx_rest);
	o->tx_rest = o->rx_rest = 0;
	if (o->gone && !o->missing && !o->ended) {
		o->ended = true;
		if (o->told)
			emit_process_end(&o->process, o->tx, o->rx);
	}
	o->missing = false;
	return o->ended && o->sockets == 0;
}

static void tell_lost(struct losses *lost)
{
	struct watch_lost l = watch_take_lost();

	tell_rest(NULL, diag.tx_rest + l.tx_bytes, diag.rx_rest + l.rx_bytes);
	diag.tx_rest = diag.rx_rest = 0;
	lost->flows += diag.lost_flows + l.flows;
	diag.lost_flows = 0;
	if (l.notices)
		emit_notice("warning", "lost",
			    "the kernel had no room for notices of closed "
			    "connections: what those moved in their last "
			    "interval is not counted");
}

/* Once is enough: it is tried again. */
static void tell_trouble(void)
{
	int error = netns_take_trouble();

	if (!watch_has_udp() && !diag.told_udp)
		emit_notice("info", "backend",
			    "UDP sockets are not told of: the kernel cannot "
			    "list them; remedy: modprobe udp_diag");
	diag.told_udp = true;
	if (!error || diag.told_trouble)
		return;
	diag.told_trouble = true;
	emit_notice("warning", "lost",
		    "not all network namespaces can be looked into: %s",
		    error == ESRCH ? "the process that enters them is gone"
				   : strerror(error));
}

/* --- The backend --- */

static void diag_stop(void)
{
	table_free();
	netns_stop();
	owners_free();
	memset(&diag, 0, sizeof(diag));
}

static void explain(struct reason *why, int error)
{
	if (error == ENOENT || error == EPROTONOSUPPORT)
		reason_set(why, "modprobe tcp_diag",
			   "NETLINK_SOCK_DIAG: the kernel cannot tell of its "
			   "TCP sockets (CONFIG_INET_TCP_DIAG)");
	else
		reason_set(why,
			   "look for a security module's policy or a seccomp "
			   "filter",
			   "NETLINK_SOCK_DIAG: %s", strerror(error));
}

static int diag_start(const struct settings *s, struct reason *why)
{
	memset(&diag, 0, sizeof(diag));
	diag.max_flows = s->max_flows;
	owners_init(s->max_processes);
	if (netns_start() || watch_start(s->max_flows)) {
		explain(why, errno);
		diag_stop();
		return -1;
	}
	find_owners();
	return 0;
}

static int diag_begin(void)
{
	emit_interval();
	return 0;
}

static void diag_wake(void)
{
	if (watch_wake())
		diag.error = errno;
}

static int diag_drain(struct losses *lost, bool last)
{
	if (diag.error) {
		errno = diag.error;
		return -1;
	}
	netns_look();
	if (watch_all())
		return -1;
	emit_interval();
	lost->processes += find_owners();
	diag.flows = 0;
	diag.last = last;
	table_each(tell);
	netns_each(tell_datagrams);
	owners_check(end_owner);
	tell_lost(lost);
	tell_trouble();
	netns_sweep();
	return 0;
}

static const char *diag_lacks(void)
{
	if (netns_all())
		return "only TCP is counted, and short connections are "
		       "nobody's";
	return "only TCP is counted, only in this network namespace, and short "
	       "connections are nobody's";
}

const struct backend backend_diag = {
	.name = "diag",
	.what = "inferred, from the TCP sockets' own counters; no bytes of "
		"UDP; "
		"no BPF",
	.lacks = diag_lacks,
	.all_netns = netns_all,
	.start = diag_start,
	.begin = diag_begin,
	.fd = netns_fd,
	.wake = diag_wake,
	.drain = diag_drain,
	.stop = diag_stop,
};
