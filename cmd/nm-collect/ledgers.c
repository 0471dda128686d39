// SPDX-License-Identifier: MIT
/*
 * Beginning and ending the ledgers, and finding that of a flow.
 */
#include "ledgers.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emit.h"
#include "enter.h"
#include "netns-choice.h"
#include "netns-look.h"
#include "options.h"
#include "rights.h"

#define BUCKETS 256

/* A process can slip through one look: it forks, and ends. */
#define UNSEEN_MAX 2

static struct {
	struct ledger *own;
	struct ledger *bucket[BUCKETS]; /* by netns */
	size_t others;
	bool all; /* also those that come */
	bool starting;
	struct waiting waiting_tx, waiting_rx;
	bool blind;	/* not all processes are seen */
	size_t refused; /* so many, when we looked last */
	int trouble;	/* an errno, of entering one */
	bool told_trouble, told_blind, told_refused, told_unread;
} ledgers;

static struct ledger *find(uint32_t netns)
{
	struct ledger *l = ledgers.bucket[netns % BUCKETS];

	while (l && l->netns != netns)
		l = l->next;
	return l;
}

/* --- Beginning and ending --- */

/* Takes over the descriptors. NULL, and errno: it cannot be read. */
static struct ledger *add(uint32_t netns, const struct netlink *link)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (!l)
		err(NM_EXIT_FAIL, NULL);
	l->netns = netns;
	l->link = *link;
	l->fresh = !ledgers.starting;
	l->nics.foreign = ledgers.own != NULL;
	if (ledger_read(l)) {
		int error = errno;

		netlink_close(&l->link);
		nic_free(&l->nics);
		free(l);
		errno = error;
		return NULL;
	}
	l->next = ledgers.bucket[netns % BUCKETS];
	ledgers.bucket[netns % BUCKETS] = l;
	ledgers.others += ledgers.own != NULL;
	return l;
}

static void end(struct ledger *l)
{
	struct ledger **link = &ledgers.bucket[l->netns % BUCKETS];

	while (*link != l)
		link = &(*link)->next;
	*link = l->next;
	ledgers.others -= l != ledgers.own;
	netlink_close(&l->link);
	nic_free(&l->nics);
	free(l);
}

/* By a descriptor of the namespace. 0, or -1 and errno. */
static int add_other(int fd)
{
	struct netlink link;
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	if (find((uint32_t)st.st_ino))
		return 0;
	if (enter_open(fd, &link, NETLINK_ROUTE))
		return -1;
	return add((uint32_t)st.st_ino, &link) ? 0 : -1;
}

static void add_chosen(int fd, const char *name)
{
	if (add_other(fd))
		err(NM_EXIT_FAIL, "network namespace '%s'", name);
}

/* If there is no room for one, or nobody to enter it, so it is for the others.
 */
static bool is_over(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	       error == ENOBUFS || error == ESRCH;
}

static void is_inhabited(uint32_t netns, int dir, const char *path)
{
	struct ledger *l = find(netns);
	int fd;

	if (l)
		l->unseen = 0;
	if (l || !ledgers.all || is_over(ledgers.trouble))
		return;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT && errno != ESRCH)
		ledgers.trouble = errno;
	if (fd < 0)
		return;
	if (add_other(fd))
		ledgers.trouble = errno;
	close(fd);
}

/* Finds those that are new, and those in which nobody is. */
static void look_around(void)
{
	if ((!ledgers.all && !ledgers.others) || !look_is_due())
		return;
	ledgers.trouble = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct ledger *l = ledgers.bucket[i]; l; l = l->next)
			l->unseen++;
	ledgers.refused = look(is_inhabited);
	ledgers.blind = !rights_have_sys_ptrace();
}

bool ledgers_open(void)
{
	struct netlink link;
	struct stat st;

	if (stat("/proc/self/ns/net", &st) ||
	    netlink_open(&link, NETLINK_ROUTE))
		return false;
	ledgers.starting = true;
	ledgers.own = add((uint32_t)st.st_ino, &link);
	if (!ledgers.own)
		return false;
	ledgers.all = netns_choice_all();
	if (netns_choice_any() && !enter_start())
		err(NM_EXIT_CANNOT, "cannot enter network namespaces");
	netns_choice_each(add_chosen);
	look_around();
	/* Those that were named need no more. */
	if (!ledgers.all)
		enter_stop();
	ledgers.starting = false;
	return true;
}

void ledgers_close(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (ledgers.bucket[i])
			end(ledgers.bucket[i]);
	if (ledgers.own) {
		enter_stop();
		look_end();
	}
	memset(&ledgers, 0, sizeof(ledgers));
}

/* --- An interval --- */

static void read_one(struct ledger *l)
{
	if (l->fresh || !ledger_read(l) || ledgers.told_unread)
		return;
	ledgers.told_unread = true;
	emit_notice("warning", "wire",
		    "no ledger of this interval: counters of the network "
		    "interfaces: %s",
		    strerror(errno));
}

void ledgers_interval(void)
{
	if (!ledgers.own)
		return;
	look_around();
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct ledger *l = ledgers.bucket[i]; l; l = l->next)
			if (l != ledgers.own)
				read_one(l);
	/* What flows now has been read here, and is not in the flows. */
	read_one(ledgers.own);
}

void ledgers_turned(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct ledger *l = ledgers.bucket[i]; l; l = l->next)
			ledger_turned(l);
}

void ledgers_flow(const struct flow *f)
{
	struct ledger *l = find(f->netns);

	if (!l || l->fresh)
		return;
	l->unseen = 0;
	ledger_flow(l, f);
}

void ledgers_waiting(const struct nm_wire *more)
{
	ledgers.waiting_tx.more += (int64_t)(more->tx_bytes - more->tx_split);
	ledgers.waiting_rx.more += (int64_t)(more->rx_bytes - more->rx_split);
}

/* Once each is enough. */
static void tell_trouble(void)
{
	if (ledgers.trouble && !ledgers.told_trouble)
		emit_notice("warning", "lost",
			    "the ledger is not kept of all network "
			    "namespaces: %s",
			    ledgers.trouble == ESRCH
				    ? "the process that enters them is gone"
				    : strerror(ledgers.trouble));
	if (ledgers.blind && !ledgers.told_blind)
		emit_notice("warning", "rights",
			    "network namespaces are kept alive after their "
			    "end without CAP_SYS_PTRACE");
	if (ledgers.all && ledgers.refused && !ledgers.told_refused)
		emit_notice("info", "rights",
			    "%zu process%s may not be looked at: a network "
			    "namespace that nobody else is in has no ledger",
			    ledgers.refused, ledgers.refused == 1 ? "" : "es");
	ledgers.told_trouble |= ledgers.trouble != 0;
	ledgers.told_blind |= ledgers.blind;
	ledgers.told_refused |= ledgers.refused != 0;
}

static void tell_one(struct ledger *l, ledger_fn *tell)
{
	if (!l->fresh &&
	    ledger_close(l, &ledgers.waiting_tx, &ledgers.waiting_rx))
		tell(l->netns, &l->sums);
	l->fresh = false;
	if (l->unseen >= UNSEEN_MAX && !ledgers.blind)
		end(l);
}

const struct ledger_sums *ledgers_tell(ledger_fn *tell, uint64_t dt_us)
{
	if (!ledgers.own)
		return NULL;
	ledger_wait(&ledgers.waiting_tx, dt_us);
	ledger_wait(&ledgers.waiting_rx, dt_us);
	/* Ours first: it has the first claim to what waits. */
	ledger_close(ledgers.own, &ledgers.waiting_tx, &ledgers.waiting_rx);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct ledger *l = ledgers.bucket[i], *next; l; l = next) {
			next = l->next;
			if (l != ledgers.own)
				tell_one(l, tell);
		}
	tell_trouble();
	return ledgers.own->unread ? NULL : &ledgers.own->sums;
}
