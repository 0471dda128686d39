// SPDX-License-Identifier: MIT
/*
 * The table of connections, kept by dumps and notices.
 */
#include "diag-watch.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "diag-count.h"
#include "diag-netlink.h"
#include "diag-table.h"

/* tcpi_last_ack_recv counts in jiffies, of 10 ms at most. */
#define JIFFY_MS 20

#define PORTS 65536

static struct {
	uint64_t ended_max;
	bool starting;	  /* what was before is not told */
	uint32_t dump;	  /* number of the last one */
	uint64_t dump_ms; /* when it began, CLOCK_MONOTONIC */
	/* Ports, of IPv4 and of IPv6; since the last dump, and before. */
	uint8_t listened[2][2][PORTS / 8];
	uint64_t ended; /* came and went since the last dump */
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
	watch.listened[0][s->family == AF_INET6][s->lport / 8] |=
		(uint8_t)(1 << s->lport % 8);
}

static bool is_listened(const struct connection *c)
{
	uint8_t ports = watch.listened[0][c->v6][c->lport / 8] |
			watch.listened[1][c->v6][c->lport / 8];

	return ports >> c->lport % 8 & 1;
}

static void age_listened(void)
{
	memcpy(watch.listened[1], watch.listened[0], sizeof(*watch.listened));
	memset(watch.listened[0], 0, sizeof(*watch.listened));
}

void watch_settle(struct connection *c)
{
	if (c->dir != NM_DIR_UNKNOWN)
		return;
	c->dir = is_listened(c) ? NM_DIR_IN : NM_DIR_OUT;
	if (c->dir == NM_DIR_IN)
		c->rx -= c->rx_less;
}

/* --- What the kernel says --- */

static void set_tuple(struct connection *c, const struct sample *s)
{
	c->laddr = s->laddr;
	c->raddr = s->raddr;
	c->lport = s->lport;
	c->rport = s->rport;
	c->v6 = s->family == AF_INET6;
	c->dir = count_dir(s);
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

static void on_socket(const struct sample *s)
{
	struct connection *c;

	if (s->state == TCP_LISTEN) {
		set_listened(s);
		return;
	}
	if (!s->counted)
		return;
	c = table_find(s->cookie);
	if (!c) {
		c = table_add(s->cookie);
		set_tuple(c, s);
		c->changed = !watch.starting;
	} else if (!same_tuple(c, s)) {
		set_tuple(c, s);
		c->tx = c->rx = c->tx_told = c->rx_told = 0;
	}
	count(c, count_tx(s), count_rx(s));
	if (watch.starting) {
		c->tx_told = c->tx;
		c->rx_told = c->rx;
	}
	c->state = s->state;
	c->inode = s->inode;
	c->dump = watch.dump;
}

/*
 * Is this the end of a connection that came and went since the last dump? It
 * may also be one that has been over for long, by a reset maybe, and was
 * kept open by its program: no dump shows those. The handshake's last
 * acknowledgement tells them apart.
 */
static bool is_new(const struct sample *s)
{
	return now_ms() + JIFFY_MS >= watch.dump_ms + s->ack_age_ms;
}

static void on_unknown_end(const struct sample *s)
{
	enum nm_dir dir = count_dir(s);
	uint64_t tx = count_tx(s), rx, rx_in;
	struct connection *c;

	if (watch.starting || !s->counted || !is_new(s))
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
	c = table_add(s->cookie);
	set_tuple(c, s);
	count(c, tx, rx);
	c->rx_less = (uint8_t)(rx - rx_in);
	c->changed = c->closed = true;
}

static void on_end(const struct sample *s)
{
	struct connection *c = table_find(s->cookie);

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

int watch_notices(void)
{
	int n = netlink_notices(on_end);

	if (n > 0)
		watch.lost.notices += (uint64_t)n;
	return n < 0 ? -1 : 0;
}

int watch_dump(void)
{
	watch.dump++;
	watch.dump_ms = now_ms();
	watch.ended = 0;
	age_listened();
	return netlink_dump(on_socket);
}

int watch_start(uint64_t ended_max)
{
	int failed;

	memset(&watch, 0, sizeof(watch));
	watch.ended_max = ended_max;
	watch.starting = true;
	failed = watch_dump() || watch_notices();
	watch.starting = false;
	return failed ? -1 : 0;
}

uint32_t watch_missed(const struct connection *c)
{
	return watch.dump - c->dump;
}

struct watch_lost watch_take_lost(void)
{
	struct watch_lost lost = watch.lost;

	watch.lost = (struct watch_lost){ 0 };
	return lost;
}
