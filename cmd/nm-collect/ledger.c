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
 *    each end, so under steady traffic something is always lent; what stays
 *    lent never was at an interface (dropped in a queue, or one packet for
 *    several sockets) and is told as the surplus.
 *  - A packet may come before its socket is used: it is held back, and told in
 *    the interval of the first use; what stays is nobody's.
 */
#include "ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "emit.h"
#include "nic.h"

/* What an amount that comes and goes was at least, in so many intervals. */
struct window {
	uint64_t least;
	unsigned intervals;
};

/* One direction. */
struct side {
	uint64_t nic, nic_packets;
	uint64_t named, kernel, nobody;
	uint64_t packets;		 /* of all these */
	int64_t waiting;		 /* so much more than before */
	uint64_t tunnel, tunnel_packets; /* by the counters of tunnels */
	uint64_t inside, inside_packets; /* by flows, as segments */
	uint64_t lent;			 /* to the last interval */
	struct window lent_window;
	uint64_t waited;  /* in all, for sockets to be used */
	uint64_t nobodys; /* of it, told as such */
	uint64_t held;	  /* of it, back from the last interval */
	struct window held_window;
	uint64_t passed; /* packets forwarded then, that were not seen yet */
};

static struct {
	bool open;
	bool unread; /* the last interval's counters */
	bool told;   /* that it is so */
	uint32_t netns;
	uint64_t forwarded, forwarded_before; /* packets, since the boot */
	struct side tx, rx;
	struct ledger_sums sums;
} ledger;

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* --- What the IP layer has counted --- */

/* The number under a name of /proc/net/snmp: a line of names, one of numbers */
static uint64_t forwarded_v4(void)
{
	FILE *f = fopen("/proc/net/snmp", "re");
	char names[1024], numbers[1024];
	uint64_t found = 0;

	while (f && fgets(names, sizeof(names), f) &&
	       fgets(numbers, sizeof(numbers), f)) {
		char *n, *v, *name, *number;

		if (strncmp(names, "Ip: ", 4) != 0)
			continue;
		name = strtok_r(names, " \n", &n);
		number = strtok_r(numbers, " \n", &v);
		while (name && number && strcmp(name, "ForwDatagrams") != 0) {
			name = strtok_r(NULL, " \n", &n);
			number = strtok_r(NULL, " \n", &v);
		}
		if (name && number)
			sscanf(number, "%" SCNu64, &found);
		break;
	}
	if (f)
		fclose(f);
	return found;
}

static uint64_t forwarded_v6(void)
{
	FILE *f = fopen("/proc/net/snmp6", "re");
	char line[128];
	uint64_t found = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Ip6OutForwDatagrams %" SCNu64, &found) == 1)
			break;
	if (f)
		fclose(f);
	return found;
}

/* --- What the interfaces have --- */

static void see_nic(const struct nic *nic, void *ctx)
{
	const struct nic_counts *was = &nic->was, *now = &nic->now;
	struct side *tx = &ledger.tx, *rx = &ledger.rx;
	bool edge = nic->role == NIC_EDGE;

	(void)ctx;
	if (!edge && nic->role != NIC_TUNNEL)
		return;
	*(edge ? &tx->nic : &tx->tunnel) += now->tx_bytes - was->tx_bytes;
	*(edge ? &rx->nic : &rx->tunnel) += now->rx_bytes - was->rx_bytes;
	*(edge ? &tx->nic_packets : &tx->tunnel_packets) +=
		now->tx_packets - was->tx_packets;
	*(edge ? &rx->nic_packets : &rx->tunnel_packets) +=
		now->rx_packets - was->rx_packets;
}

bool ledger_open(void)
{
	struct stat ns;

	if (stat("/proc/self/ns/net", &ns) || nic_open())
		return false;
	ledger.netns = (uint32_t)ns.st_ino;
	ledger.forwarded = forwarded_v4() + forwarded_v6();
	ledger.open = true;
	return true;
}

void ledger_close(void)
{
	if (ledger.open)
		nic_close();
	memset(&ledger, 0, sizeof(ledger));
}

static void begin(struct side *s)
{
	*s = (struct side){
		.lent = s->lent,
		.lent_window = s->lent_window,
		.waited = s->waited,
		.nobodys = s->nobodys,
		.held = s->held,
		.held_window = s->held_window,
		.passed = s->passed,
	};
}

void ledger_interval(void)
{
	if (!ledger.open)
		return;
	/* What could not be closed is closed with the next. */
	if (!ledger.unread) {
		begin(&ledger.tx);
		begin(&ledger.rx);
	}
	ledger.unread = nic_read();
	if (ledger.unread) {
		if (!ledger.told)
			emit_notice("warning", "wire",
				    "no ledger of this interval: counters of "
				    "the network interfaces: %s",
				    strerror(errno));
		ledger.told = true;
		return;
	}
	nic_each(see_nic, NULL);
	ledger.forwarded_before = ledger.forwarded;
	/* If it could not be read, nothing is known to have passed. */
	ledger.forwarded =
		most(ledger.forwarded, forwarded_v4() + forwarded_v6());
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

void ledger_flow(const struct flow *f)
{
	const struct nm_wire *w = &f->wire;
	const struct nic *nic;

	if (!ledger.open || f->netns != ledger.netns)
		return;
	/* A frame's interface may be in its address, which nobody looks at. */
	if (!f->ifindex && f->proto == NM_PROTO_PACKET) {
		add(&ledger.tx, f, w->tx_bytes, w->tx_packets);
		return;
	}
	nic = nic_find(f->ifindex);
	if (nic && nic->role == NIC_TUNNEL) {
		ledger.tx.inside += w->tx_bytes;
		ledger.rx.inside += w->rx_bytes;
		ledger.tx.inside_packets += w->tx_packets;
		ledger.rx.inside_packets += w->rx_packets;
	} else if (nic && nic->role != NIC_LOOPBACK) {
		add(&ledger.tx, f,
		    w->tx_bytes - (nic->segments ? 0 : w->tx_split),
		    w->tx_packets);
		add(&ledger.rx, f,
		    w->rx_bytes - (nic->segments ? 0 : w->rx_split),
		    w->rx_packets);
	}
}

void ledger_waiting(const struct nm_wire *more)
{
	/*
	 * A program's packet is sent in its call, behind which its socket has
	 * an owner. What else waits was sent by the kernel: answers (ICMP,
	 * TCP resets), by sockets that are nobody's.
	 */
	ledger.rx.waiting += (int64_t)(more->rx_bytes - more->rx_split);
}

/* --- Closing --- */

/* Takes up to `part` from what is not explained yet. */
static uint64_t take(uint64_t *rest, uint64_t part)
{
	uint64_t taken = least(*rest, part);

	*rest -= taken;
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
static uint64_t forwarded_of(struct side *s, uint64_t packets, uint64_t rest)
{
	uint64_t now = ledger.forwarded - ledger.forwarded_before;
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

/* Up to this part of an interval may pass between interfaces and flows. */
#define MOMENT 16

static uint64_t surplus_of(struct side *s, uint64_t lent, uint64_t flows)
{
	uint64_t stayed = least(lent, s->lent);
	uint64_t moment = flows / MOMENT;

	stayed = most(stayed > moment ? stayed - moment : 0,
		      settled(&s->lent_window, lent));
	/* It is told beside what sockets have: not in an idle interval. */
	stayed = least(stayed, flows);
	if (stayed)
		s->lent_window.intervals = 0;
	return stayed;
}

/* So much waits too long; the rest of what waits is to be held back. */
static uint64_t nobodys_of(struct side *s)
{
	uint64_t more;

	if (s->waiting < 0 && (uint64_t)-s->waiting > s->waited)
		s->waited = 0;
	else
		s->waited += (uint64_t)s->waiting;
	s->nobodys = least(s->nobodys, s->waited);
	more = settled(&s->held_window, s->waited - s->nobodys);
	if (more || s->waited == s->nobodys)
		s->held_window.intervals = 0;
	s->nobodys += more;
	return more;
}

static void close_side(struct side *s, uint64_t line[LEDGER_LINES])
{
	uint64_t flows = s->named + s->kernel + s->nobody;
	uint64_t seen = s->nic + s->held, rest = 0, surplus = 0, lent = 0;
	uint64_t nobodys = nobodys_of(s), packets;

	/* What was lent to the last interval was told there. */
	if (seen >= s->lent + flows) {
		rest = seen - s->lent - flows;
		seen -= s->lent;
	} else {
		lent = s->lent + flows - seen;
		surplus = surplus_of(s, lent, flows);
		lent -= surplus;
		seen = flows - surplus;
	}
	s->lent = lent;
	if (!lent)
		s->lent_window.intervals = 0;
	nobodys = take(&rest, nobodys);
	s->held = take(&rest, s->waited - s->nobodys);

	packets = s->nic_packets > s->packets ? s->nic_packets - s->packets : 0;
	line[LEDGER_NIC] = seen - s->held;
	line[LEDGER_SURPLUS] = surplus;
	line[LEDGER_NAMED] = s->named;
	line[LEDGER_KERNEL] = s->kernel;
	line[LEDGER_UNATTRIBUTED] = s->nobody + nobodys;
	line[LEDGER_CARRIER] =
		take(&rest, most(s->tunnel, s->inside) +
				    most(s->tunnel_packets, s->inside_packets) *
					    CARRIER_HEADERS);
	line[LEDGER_FORWARDED] = take(&rest, forwarded_of(s, packets, rest));
	line[LEDGER_NO_SOCKET] = rest;
}

const struct ledger_sums *ledger_close_interval(void)
{
	if (!ledger.open || ledger.unread)
		return NULL;
	close_side(&ledger.tx, ledger.sums.tx);
	close_side(&ledger.rx, ledger.sums.rx);
	ledger.sums.tunnel_tx = ledger.tx.inside;
	ledger.sums.tunnel_rx = ledger.rx.inside;
	return &ledger.sums;
}
