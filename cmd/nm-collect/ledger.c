// SPDX-License-Identifier: MIT
/*
 * Interfaces count at another place, at another time and in other units than
 * sockets, so three things are made good here:
 *
 *  - Loopback, ports of bridges and the upper ones of stacked interfaces are
 *    left out: what passes them is counted elsewhere, or nowhere.
 *  - Hardware counts segments, everything else the packet before it was split.
 *  - The counters are read a moment before the flows. What flows have more
 *    than interfaces is lent from the next interval. The moment comes again at
 *    each end, so under steady traffic something is always lent, in proportion
 *    to its length; what stays lent beyond that never was at an interface
 *    (dropped in a queue, or one packet for several sockets) and is told as the
 *    surplus.
 *  - A packet may come before its socket is used: it is held back, and told in
 *    the interval of the first use; what stays is nobody's. So is what may
 * still be on its way from the interface to a socket, for one interval.
 */
#include "ledger.h"

#include <string.h>

#include "clock.h"
#include "snmp.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* --- What the interfaces have --- */

static void see_nic(struct ledger *l, const struct nic *nic)
{
	const struct nic_counts *was = &nic->was, *now = &nic->now;
	struct side *tx = &l->tx, *rx = &l->rx;
	bool edge = nic->role == NIC_EDGE;

	if (!edge && nic->role != NIC_TUNNEL)
		return;
	*(edge ? &tx->nic : &tx->tunnel) += now->tx_bytes - was->tx_bytes;
	*(edge ? &rx->nic : &rx->tunnel) += now->rx_bytes - was->rx_bytes;
	*(edge ? &tx->nic_packets : &tx->tunnel_packets) +=
		now->tx_packets - was->tx_packets;
	*(edge ? &rx->nic_packets : &rx->tunnel_packets) +=
		now->rx_packets - was->rx_packets;
}

static void begin(struct side *s)
{
	*s = (struct side){
		.lent = s->lent,
		.lent_window = s->lent_window,
		.held = s->held,
		.early = s->early,
		.passed = s->passed,
	};
}

int ledger_read(struct ledger *l)
{
	bool first = l->nics.count == 0;
	double began_s;

	/* What could not be closed is closed with the next. */
	if (!l->unread) {
		begin(&l->tx);
		begin(&l->rx);
	}
	began_s = clock_seconds(CLOCK_MONOTONIC);
	l->unread = nic_read(&l->nics, &l->link) != 0;
	if (l->unread)
		return -1;
	l->last_read_s = l->read_s;
	l->read_s = began_s;
	for (size_t i = 0; i < l->nics.count; i++)
		see_nic(l, &l->nics.list[i]);
	l->forwarded_before = l->forwarded;
	/*
	 * It costs as much as all the rest, and where nothing moved nothing has
	 * passed. If it could not be read, nothing is known to have passed.
	 */
	if (first || l->tx.nic_packets || l->rx.nic_packets)
		l->forwarded =
			most(l->forwarded, snmp_read(&l->link).forwarded);
	if (first)
		l->forwarded_before = l->forwarded;
	return 0;
}

void ledger_turned(struct ledger *l)
{
	double interval = l->read_s - l->last_read_s;

	l->moment = interval > 0
			    ? (clock_seconds(CLOCK_MONOTONIC) - l->read_s) /
				      interval
			    : 0;
}

/* --- What the flows have --- */

static void add(struct side *s, const struct flow *f, uint64_t bytes,
		uint64_t packets)
{
	s->packets += packets;
	if (!f->process)
		s->nobody += bytes;
	else if (f->process->pid == 0)
		s->kernel += bytes;
	else
		s->named += bytes;
}

void ledger_flow(struct ledger *l, const struct flow *f)
{
	const struct nm_wire *w = &f->wire;
	const struct nic *nic;

	/* A frame's interface may be in its address, which nobody looks at. */
	if (!f->ifindex && f->proto == NM_PROTO_PACKET) {
		add(&l->tx, f, w->tx_bytes, w->tx_packets);
		return;
	}
	nic = nic_find(&l->nics, f->ifindex);
	if (nic && nic->role == NIC_TUNNEL) {
		l->tx.inside += w->tx_bytes;
		l->rx.inside += w->rx_bytes;
		l->tx.inside_packets += w->tx_packets;
		l->rx.inside_packets += w->rx_packets;
	} else if (nic && nic->role != NIC_LOOPBACK) {
		add(&l->tx, f, w->tx_bytes - (nic->segments ? 0 : w->tx_split),
		    w->tx_packets);
		add(&l->rx, f, w->rx_bytes - (nic->segments ? 0 : w->rx_split),
		    w->rx_packets);
	}
}

/* --- Closing --- */

/* Takes up to `part` from what is not explained yet. */
static uint64_t take(uint64_t *rest, uint64_t part)
{
	uint64_t taken = least(*rest, part);

	*rest -= taken;
	return taken;
}

/* The same, of what may be of any namespace. */
static uint64_t take_both(uint64_t *rest, uint64_t *part)
{
	uint64_t taken = take(rest, *part);

	*part -= taken;
	return taken;
}

/*
 * An inner packet is carried with 28 bytes more at least (UDP, IPv4) and
 * 95 at most (WireGuard with padding, IPv6).
 */
#define CARRIER_HEADERS 95

/*
 * The IP layer counts what it forwards in packets only: it is their share of
 * the rest. What it has counted before the interface was read, or after, is
 * made up for in the next interval.
 */
static uint64_t forwarded_of(const struct ledger *l, struct side *s,
			     uint64_t packets, uint64_t rest)
{
	uint64_t now = l->forwarded - l->forwarded_before;
	uint64_t known = s->passed + now, used = least(known, packets);

	s->passed = least(known - used, now);
	if (used == packets)
		return used ? rest : 0;
	return (uint64_t)((double)rest * (double)used / (double)packets);
}

/* So many intervals show what is always there, whenever they end. */
#define SETTLED 10

/* That, or 0 as long as it is not known. */
static uint64_t settled(struct window *w, uint64_t now)
{
	w->least = w->intervals ? least(w->least, now) : now;
	return ++w->intervals > SETTLED ? w->least : 0;
}

static uint64_t beyond(uint64_t amount, uint64_t allowed)
{
	return amount > allowed ? amount - allowed : 0;
}

/* What is lent in one interval and the next may be so much of the flows. */
#define BURST (1 / 16.)

/* What is lent all the time, so many times what flows in the moment. */
#define STEADY 2

static uint64_t surplus_of(const struct ledger *l, struct side *s,
			   uint64_t lent, uint64_t flows)
{
	double steady = STEADY * l->moment;
	double burst = steady > BURST ? steady : BURST;
	uint64_t stayed =
		beyond(least(lent, s->lent), (uint64_t)((double)flows * burst));

	lent = beyond(lent, (uint64_t)((double)flows * steady));
	stayed = most(stayed, settled(&s->lent_window, lent));
	/* It is told beside what sockets have: not in an idle interval. */
	stayed = least(stayed, flows);
	if (stayed)
		s->lent_window.intervals = 0;
	return stayed;
}

/*
 * And for so long, because a program that waits for data has not used its
 * socket: SCTP, for one, sends what was lost again after 3 s
 * (net.sctp.rto_initial).
 */
#define WAIT_US 10000000

void ledger_wait(struct waiting *w, uint64_t dt_us)
{
	if (w->more < 0 && (uint64_t)-w->more > w->waited)
		w->waited = 0;
	else
		w->waited += (uint64_t)w->more;
	w->more = 0;
	w->nobodys = least(w->nobodys, w->waited);
	w->to_tell = settled(&w->window, w->waited - w->nobodys);
	w->window_us += dt_us;
	if (w->window_us < WAIT_US)
		w->to_tell = 0;
	if (w->to_tell || w->waited == w->nobodys)
		w->window.intervals = w->window_us = 0;
	w->nobodys += w->to_tell;
	w->to_hold = w->waited - w->nobodys;
}

/*
 * An interface has counted a packet when it waits for its turn to be received
 * by a socket, which may be when the next interval has begun: what is of no
 * socket so far, and no more than may be on its way like this, is held back,
 * once.
 */
#define ON_ITS_WAY 65536

static uint64_t early_of(struct side *s, uint64_t rest)
{
	uint64_t told = least(rest, s->early);

	s->early = least(rest - told, ON_ITS_WAY);
	return s->early;
}

static void close_side(const struct ledger *l, struct side *s,
		       struct waiting *w, uint64_t line[LEDGER_LINES])
{
	uint64_t flows = s->named + s->kernel + s->nobody;
	uint64_t seen = s->nic + s->held, rest = 0, surplus = 0, lent = 0;
	uint64_t nobodys, packets;

	/* What was lent to the last interval was told there. */
	if (seen >= s->lent + flows) {
		rest = seen - s->lent - flows;
		seen -= s->lent;
	} else {
		lent = s->lent + flows - seen;
		surplus = surplus_of(l, s, lent, flows);
		lent -= surplus;
		seen = flows - surplus;
	}
	s->lent = lent;
	if (!lent)
		s->lent_window.intervals = 0;
	nobodys = take_both(&rest, &w->to_tell);
	s->held = take_both(&rest, &w->to_hold);

	packets = s->nic_packets > s->packets ? s->nic_packets - s->packets : 0;
	line[LEDGER_SURPLUS] = surplus;
	line[LEDGER_NAMED] = s->named;
	line[LEDGER_KERNEL] = s->kernel;
	line[LEDGER_UNATTRIBUTED] = s->nobody + nobodys;
	line[LEDGER_CARRIER] =
		take(&rest, most(s->tunnel, s->inside) +
				    most(s->tunnel_packets, s->inside_packets) *
					    CARRIER_HEADERS);
	line[LEDGER_FORWARDED] = take(&rest, forwarded_of(l, s, packets, rest));
	if (s == &l->rx)
		s->held += take(&rest, early_of(s, rest));
	line[LEDGER_NO_SOCKET] = rest;
	line[LEDGER_NIC] = seen - s->held;
}

bool ledger_close(struct ledger *l, struct waiting *tx, struct waiting *rx)
{
	const struct ledger_sums *s = &l->sums;
	uint64_t any = l->tx.inside | l->rx.inside;

	if (l->unread)
		return false;
	close_side(l, &l->tx, tx, l->sums.tx);
	close_side(l, &l->rx, rx, l->sums.rx);
	l->sums.tunnel_tx = l->tx.inside;
	l->sums.tunnel_rx = l->rx.inside;
	for (int i = 0; i < LEDGER_LINES; i++)
		any |= s->tx[i] | s->rx[i];
	return any != 0;
}
