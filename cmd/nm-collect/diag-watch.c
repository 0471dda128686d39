// SPDX-License-Identifier: MIT
/*
 * The table of connections, kept by dumps and notices.
 */
#include "diag-watch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "diag-count.h"
#include "diag-netlink.h"
#include "diag-netns.h"
#include "diag-ports.h"
#include "snmp.h"
#include "diag-table.h"

/* tcpi_last_ack_recv counts in jiffies, of 10 ms at most. */
#define JIFFY_MS 20

static struct {
	uint64_t ended_max;
	bool no_udp;
	struct netns *netns; /* where the socket is that is being looked at */
	uint64_t ended;	     /* came and went since the last dump */
	struct watch_lost lost;
} watch;

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- Listening ports --- */

static void set_listened(const struct sample *s)
{
	ports_add(&watch.netns->listened[0], s->family == AF_INET6, s->lport);
}

static bool is_listened(const struct connection *c)
{
	struct ports *p = c->netns->listened;

	return ports_have(&p[0], c->v6, c->lport) ||
	       ports_have(&p[1], c->v6, c->lport);
}

static void age_listened(struct netns *n)
{
	struct ports before = n->listened[1];

	n->listened[1] = n->listened[0];
	n->listened[0] = before;
	n->listened[0].n = 0;
}

bool watch_settle(struct connection *c)
{
	bool waits = c->waits, in;

	if (c->dir != NM_DIR_UNKNOWN)
		return true;
	in = is_listened(c);
	c->waits = false;
	if (!in && waits)
		return false;
	c->dir = in ? NM_DIR_IN : NM_DIR_OUT;
	if (in)
		c->rx -= c->rx_less;
	return true;
}

/* --- What the kernel says --- */

/* Any segment acknowledges, and a FIN. */
static bool has_come_since(const struct sample *s, uint64_t ms)
{
	return now_ms() + JIFFY_MS >= ms + s->ack_age_ms;
}

static void set_tuple(struct connection *c, const struct sample *s, bool moving)
{
	c->laddr = s->laddr;
	c->raddr = s->raddr;
	c->lport = s->lport;
	c->rport = s->rport;
	c->v6 = s->family == AF_INET6;
	c->dir = c->udp ? NM_DIR_UNKNOWN : count_dir(s, moving);
}

/* A socket can be connected again (connect(2), AF_UNSPEC): the same cookie. */
static bool same_tuple(const struct connection *c, const struct sample *s)
{
	return c->rport == s->rport && c->lport == s->lport &&
	       memcmp(&c->raddr, &s->raddr, sizeof(c->raddr)) == 0 &&
	       memcmp(&c->laddr, &s->laddr, sizeof(c->laddr)) == 0;
}

/* Counters only grow; see taken() in diag-count.c. */
static void count(struct connection *c, uint64_t tx, uint64_t rx)
{
	if (tx > c->tx)
		c->tx = tx;
	if (rx > c->rx)
		c->rx = rx;
}

/*
 * Can its counters, or its being there, change without a segment that comes
 * or leaves? What is unread can be read, what waits can grow; and who is
 * neither here nor there ends by a timer.
 */
static bool is_unsettled(const struct sample *s)
{
	return s->unread || s->unsent || s->flying ||
	       (s->state != TCP_ESTABLISHED && s->state != TCP_CLOSE_WAIT);
}

static void on_socket(const struct sample *s)
{
	struct netns *n = watch.netns;
	struct connection *c;
	bool moving;

	if (s->state == TCP_LISTEN) {
		set_listened(s);
		return;
	}
	if (!s->counted)
		return;
	moving = has_come_since(s, n->dump_ms);
	n->unsettled |= moving || is_unsettled(s);
	c = table_find(s->cookie);
	if (!c) {
		c = table_add(s->cookie, n);
		set_tuple(c, s, moving);
		c->changed = !n->starting;
	} else if (!same_tuple(c, s)) {
		set_tuple(c, s, moving);
		c->tx = c->rx = c->tx_told = c->rx_told = 0;
	}
	count(c, count_tx(s), count_rx(s, moving));
	if (n->starting) {
		c->tx_told = c->tx;
		c->rx_told = c->rx;
	}
	c->state = s->state;
	c->inode = s->inode;
	c->dump = n->dump;
}

/* There is nothing to be seen but that it is there, so that is told. */
static void on_udp_socket(const struct sample *s)
{
	struct connection *c = table_find(s->cookie);

	if (!c) {
		c = table_add(s->cookie, watch.netns);
		c->udp = true;
		c->changed = true;
	}
	c->changed |= !same_tuple(c, s);
	set_tuple(c, s, false);
	c->inode = s->inode;
	c->dump = watch.netns->udp_dump;
}

/*
 * Is this the end of a connection that came and went since the last dump? It
 * may also be one that has been over for long, by a reset maybe, and was
 * kept open by its program: no dump shows those. The last acknowledgement
 * tells them apart, also if the program was slow to close it: what the dump
 * before the last one had would still be in the table.
 */
static bool is_new(const struct sample *s)
{
	const struct netns *n = watch.netns;

	return has_come_since(s, n->dump_ms) ||
	       now_ms() >= n->before_ms + s->ack_age_ms + JIFFY_MS;
}

static void on_unknown_end(const struct sample *s)
{
	enum nm_dir dir = count_dir(s, false);
	uint64_t tx = count_tx(s), rx, rx_in;
	struct connection *c;

	if (watch.netns->starting || !s->counted || !is_new(s))
		return;
	rx = rx_in = count_rx_at_end(s, dir, 0, 0);
	/* Not known who has opened it, so not known either if we sent a FIN. */
	if (dir == NM_DIR_UNKNOWN)
		rx_in = count_rx_at_end(s, NM_DIR_IN, 0, 0);
	if (tx == 0 && rx == 0)
		return;
	if (watch.ended >= watch.ended_max) {
		watch.lost.tx_bytes += tx;
		watch.lost.rx_bytes += rx_in; /* most end in order */
		watch.lost.flows++;
		return;
	}
	watch.ended++;
	c = table_add(s->cookie, watch.netns);
	set_tuple(c, s, false);
	count(c, tx, rx);
	c->rx_less = (uint8_t)(rx - rx_in);
	c->changed = c->closed = c->waits = true;
}

static void on_end(const struct sample *s)
{
	struct connection *c = table_find(s->cookie);

	watch.netns->unsettled = true;
	if (!c && s->rport)
		on_unknown_end(s);
	/* Not connected: most often it has listened. */
	if (!c && !s->rport)
		set_listened(s);
	if (!c || c->closed)
		return;
	/* If the program has disconnected it, the counters are cleared. */
	if (s->counted && same_tuple(c, s))
		count(c, count_tx(s),
		      count_rx_at_end(s, c->dir, c->state, c->rx));
	c->changed = c->closed = true;
}

/* --- Asking it --- */

static int read_notices(struct netns *n)
{
	int dropped;

	watch.netns = n;
	dropped = diag_notices(&n->link, on_end);
	if (dropped > 0)
		watch.lost.notices += (uint64_t)dropped;
	return dropped < 0 ? -1 : 0;
}

int watch_wake(void)
{
	return netns_ready(read_notices);
}

/* A counter that was unsigned long in the kernel may have begun anew. */
static uint64_t grown(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* Takes note of the counters; false: no segment came or left since. */
static bool has_moved(struct netns *n)
{
	struct snmp s = snmp_read(&n->link), before = n->snmp;

	if (!s.known)
		return true;
	n->snmp = s;
	/* All that happened in a namespace that is new is news. */
	if (!n->starting) {
		n->udp_tx += grown(before.udp_tx, s.udp_tx);
		n->udp_rx += grown(before.udp_rx, s.udp_rx);
	}
	return !before.known || s.tcp != before.tcp;
}

static int dump_tcp(struct netns *n)
{
	/* Asked before the dump: what happens in between changes it again. */
	bool moved = has_moved(n);
	int failed = 0;

	n->dump_ms = now_ms();
	n->before_ms = n->dumped_ms ? n->dumped_ms : n->dump_ms;
	if (moved || n->unsettled) {
		/* Segments are counted a moment before their socket knows. */
		n->unsettled = moved;
		n->dump++;
		age_listened(n);
		failed = diag_dump(&n->link, on_socket);
	}
	n->dumped_ms = now_ms();
	return failed;
}

/* This may lack where TCP does not: it is another kernel module. */
static int dump_udp(struct netns *n)
{
	int failed;

	if (watch.no_udp)
		return 0;
	watch.netns = n;
	n->udp_dump++;
	failed = diag_dump_udp(&n->link, on_udp_socket);
	watch.no_udp = failed && errno == ENOENT;
	return watch.no_udp ? 0 : failed;
}

static int look_into(struct netns *n)
{
	if (read_notices(n) || dump_tcp(n))
		return -1;
	return dump_udp(n);
}

int watch_all(void)
{
	watch.ended = 0;
	return netns_each(look_into);
}

static int first_look_into(struct netns *n)
{
	int failed;

	watch.netns = n;
	n->starting = true;
	failed = dump_tcp(n) || read_notices(n) || dump_udp(n);
	n->starting = false;
	return failed ? -1 : 0;
}

int watch_start(uint64_t ended_max)
{
	memset(&watch, 0, sizeof(watch));
	watch.ended_max = ended_max;
	return netns_each(first_look_into);
}

uint32_t watch_missed(const struct connection *c)
{
	if (c->netns->closed)
		return UINT32_MAX;
	return (c->udp ? c->netns->udp_dump : c->netns->dump) - c->dump;
}

void watch_hold(const struct connection *c)
{
	struct netns *n = c->netns;

	if (c->closed || n->closed)
		return;
	n->unsettled |= !c->udp && watch_missed(c);
	/*
	 * A socket of the kernel itself does not keep its namespace alive, so
	 * it must not do so by us. One without an inode ends by itself.
	 */
	n->held |= c->owner ? !c->owner->gone : !c->udp && !c->inode;
}

bool watch_has_udp(void)
{
	return !watch.no_udp;
}

struct watch_lost watch_take_lost(void)
{
	struct watch_lost lost = watch.lost;

	watch.lost = (struct watch_lost){ 0 };
	return lost;
}
