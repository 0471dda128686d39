// SPDX-License-Identifier: MIT
/*
 * Questions for PTR records and their answers, which are kept as long as they
 * say. A question that is not answered is an answer too, for a while.
 */
#include "reverse.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache.h"
#include "filter.h"
#include "text.h"

/* Addresses that are remembered, and questions under way. */
#define NAMES	  16384
#define UNDER_WAY 32

/* How long to wait for an answer, and how often to ask. */
#define TIMEOUT_MS 2000
#define TRIES	   2

/* Seconds that an answer holds: at least, at most; and that none holds. */
#define TTL_MIN	      10
#define TTL_MAX	      86400
#define TTL_NO_NAME   300
#define TTL_NO_ANSWER 60

enum state {
	FRESH,
	ASKED,
	ANSWERED,
};

struct name {
	char text[NM_HOST_NAME]; /* "": it has none */
	int64_t until;		 /* seconds of the monotonic clock */
	enum state state;
};

static struct {
	ares_channel channel;
	struct nm_cache *names;
	unsigned int under_way;
} reverse;

static int64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* --- What c-ares waits for --- */

static size_t watch(struct pollfd *fds, size_t max, int *timeout_ms)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	/* ARES_GETSOCK_WRITABLE() shifts into the sign. */
	unsigned int mask = (unsigned int)ares_getsock(reverse.channel, sockets,
						       ARES_GETSOCK_MAXNUM);
	struct timeval most = { .tv_sec = 60 }, tv;
	size_t n = 0;

	if (!reverse.under_way)
		return 0;
	for (int i = 0; i < ARES_GETSOCK_MAXNUM && n < max; i++) {
		short events = 0;

		if (mask & 1U << i)
			events |= POLLIN;
		if (mask & 1U << (i + ARES_GETSOCK_MAXNUM))
			events |= POLLOUT;
		if (events)
			fds[n++] = (struct pollfd){ .fd = sockets[i],
						    .events = events };
	}
	ares_timeout(reverse.channel, &most, &tv);
	*timeout_ms = (int)(tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1);
	return n;
}

static void ready(const struct pollfd *fds, size_t n)
{
	if (!reverse.under_way)
		return;
	for (size_t i = 0; i < n; i++)
		if (fds[i].revents)
			ares_process_fd(
				reverse.channel,
				fds[i].revents & ~POLLOUT ? fds[i].fd
							  : ARES_SOCKET_BAD,
				fds[i].revents & POLLOUT ? fds[i].fd
							 : ARES_SOCKET_BAD);
	/* What was not answered in time. */
	ares_process_fd(reverse.channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static const struct nm_filter_also also = { watch, ready };

/* --- Questions and answers --- */

/* The first PTR record (RFC 1035, section 3.3.12). False: there is none. */
static bool read_answer(const unsigned char *answer, int len, struct name *n)
{
	ns_msg message;
	ns_rr rr;

	if (ns_initparse(answer, len, &message))
		return false;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &rr))
			return false;
		if (ns_rr_type(rr) != ns_t_ptr)
			continue;
		if (ns_name_uncompress(ns_msg_base(message),
				       ns_msg_end(message), ns_rr_rdata(rr),
				       n->text, sizeof(n->text)) < 0 ||
		    !nm_is_host_name(n->text)) {
			n->text[0] = '\0';
			continue;
		}
		n->until = ns_rr_ttl(rr);
		return true;
	}
	return false;
}

static void on_answer(void *arg, int status, int timeouts,
		      unsigned char *answer, int len)
{
	struct nm_addr *a = arg;
	struct name *n = nm_cache_get(reverse.names, a);
	int64_t ttl = TTL_NO_ANSWER;

	(void)timeouts;
	free(a);
	reverse.under_way--;
	if (!n) /* forgotten meanwhile */
		return;
	n->state = ANSWERED;
	n->text[0] = '\0';
	if (status == ARES_SUCCESS && read_answer(answer, len, n))
		ttl = n->until < TTL_MIN   ? TTL_MIN
		      : n->until > TTL_MAX ? TTL_MAX
					   : n->until;
	else if (status == ARES_SUCCESS || status == ARES_ENOTFOUND ||
		 status == ARES_ENODATA)
		ttl = TTL_NO_NAME;
	n->until = now_s() + ttl;
}

/* 7.2.0.192.in-addr.arpa (RFC 1035, 3.5), 1.0.….ip6.arpa (RFC 3596, 2.5) */
static void question_of(const struct nm_addr *a, char *out, size_t size)
{
	size_t n = 0;

	if (nm_addr_is_v4(a)) {
		snprintf(out, size, "%u.%u.%u.%u.in-addr.arpa", a->byte[15],
			 a->byte[14], a->byte[13], a->byte[12]);
		return;
	}
	for (int i = 15; i >= 0; i--)
		n += (size_t)snprintf(out + n, size - n, "%x.%x.",
				      a->byte[i] & 15, a->byte[i] >> 4);
	snprintf(out + n, size - n, "ip6.arpa");
}

static void ask(const struct nm_addr *a, struct name *n)
{
	char question[80];
	struct nm_addr *arg;

	if (reverse.under_way >= UNDER_WAY)
		return;
	arg = malloc(sizeof(*arg));
	if (!arg)
		err(NM_EXIT_FAIL, NULL);
	*arg = *a;
	n->state = ASKED;
	reverse.under_way++;
	question_of(a, question, sizeof(question));
	/* It may answer at once: that it cannot ask. */
	ares_query(reverse.channel, question, ns_c_in, ns_t_ptr, on_answer,
		   arg);
}

const char *reverse_name(const struct nm_addr *a)
{
	struct name *n;
	bool made;

	n = nm_cache_put(reverse.names, a, &made);
	if (n->state == ANSWERED && n->until > now_s())
		return n->text;
	if (n->state != ASKED)
		ask(a, n);
	/* What was known counts until it is known anew. */
	n = nm_cache_get(reverse.names, a);
	return n && n->text[0] ? n->text : NULL;
}

void reverse_open(const char *server)
{
	struct ares_options options = { .timeout = TIMEOUT_MS, .tries = TRIES };
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	if (!status)
		status = ares_init_options(&reverse.channel, &options,
					   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	if (status)
		errx(NM_EXIT_FAIL, "cannot ask DNS: %s", ares_strerror(status));
	if (server && ares_set_servers_ports_csv(reverse.channel, server))
		errx(NM_EXIT_USAGE, "'%s' is not the address of a DNS server",
		     server);
	reverse.names = nm_cache_new(NAMES, sizeof(struct nm_addr),
				     sizeof(struct name), NULL);
	nm_filter_also(&also);
}

void reverse_close(void)
{
	if (!reverse.channel)
		return;
	ares_destroy(reverse.channel);
	ares_library_cleanup();
	nm_cache_free(reverse.names);
	nm_filter_also(NULL);
	memset(&reverse, 0, sizeof(reverse));
}
