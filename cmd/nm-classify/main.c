// SPDX-License-Identifier: MIT
/*
 * What a flow is: its protocol, by the first bytes that it carried or else by
 * its port, and the server that was asked for; and the names that DNS answered.
 *
 * reads: type ts_us pid flow proto dir lport rport state tx_head rx_head
 * adds:  app app_source category server_name; dns records
 */
#include <string.h>

#include "base64.h"
#include "cache.h"
#include "dns.h"
#include "filter.h"
#include "greeting.h"
#include "hello.h"
#include "inspect.h"
#include "ports.h"
#include "quic.h"
#include "tuple.h"

/* After so many it is as clear as it will ever be. */
#define HEADS_MAX 8

/*
 * Flows that are looked at, at a time: it takes far more memory than what is
 * kept of a flow, and strangers can begin as many as they like.
 */
#define WORKS_MAX 4096

static bool keep_heads;
static uint64_t max_flows = 65536;

static const struct nm_option options[] = {
	{ .name = "keep-heads",
	  .help = "keep the first bytes in the records",
	  .kind = NM_OPT_FLAG,
	  .into = &keep_heads },
	{ .name = "max-flows",
	  .arg = "COUNT",
	  .help = "remember so many flows (65536)",
	  .kind = NM_OPT_UINT,
	  .into = &max_flows,
	  .min = 1,
	  .max = 1 << 24 },
	{ 0 }
};

static const struct nm_program program = {
	.name = "nm-classify",
	.synopsis = "[OPTION]…",
	.summary = "say which protocol it is, and which server was asked for",
	.options = options,
	.examples = "  nm-collect --peek | nm-classify | jq -c '{comm, app, "
		    "rport}'\n",
	.filter = true,
};

/* Flows have ids of up to 33 characters. */
struct flow_key {
	char id[40];
};

enum source {
	NOT_KNOWN,
	BY_PORT,
	BY_PATTERN,
};

struct known {
	struct finding finding;
	enum source source;
	bool settled;	     /* no head is looked at any more */
	bool asks;	     /* a question of DNS was sent */
	bool greeted;	     /* there was a head of the server's */
	unsigned char heads; /* that were */
};

/* What is needed of a flow until it is settled. */
struct work {
	struct known *known;
	struct inspection *inspection;
	struct quic *quic;
};

struct flow {
	struct flow_key key; /* empty: it is not to be remembered */
	struct tuple tuple;
	struct known *known;
};

static struct nm_cache *flows, *works;

static struct work *work_of(const struct flow *f)
{
	bool made;
	struct work *w = nm_cache_put(works, &f->key, &made);

	w->known = f->known;
	return w;
}

/* Begun anew, it would miss how the flow began. */
static void end_work(const void *key, void *value)
{
	struct work *w = value;

	(void)key;
	inspect_free(w->inspection);
	quic_free(w->quic);
	w->known->settled = true;
}

static void settle(const struct flow *f)
{
	nm_cache_drop(works, &f->key);
	f->known->settled = true;
}

static void forget(const void *key, void *value)
{
	(void)value;
	nm_cache_drop(works, key);
}

static void forget_all(void)
{
	nm_cache_free(flows);
	nm_cache_free(works);
	flows = nm_cache_new(max_flows, sizeof(struct flow_key),
			     sizeof(struct known), forget);
	works = nm_cache_new(max_flows < WORKS_MAX ? max_flows : WORKS_MAX,
			     sizeof(struct flow_key), sizeof(struct work),
			     end_work);
}

/* --- The record --- */

static uint16_t port_of(const struct nm_record *r, const char *key)
{
	uint64_t port;

	return nm_get_u64(r, key, &port) && port <= UINT16_MAX ? (uint16_t)port
							       : 0;
}

/* False: of a protocol that nobody here knows more of. */
static bool tuple_of(const struct nm_record *r, struct tuple *t)
{
	t->tcp = nm_is(r, "proto", "tcp") || nm_is(r, "proto", "mptcp");
	if (!t->tcp && !nm_is(r, "proto", "udp") &&
	    !nm_is(r, "proto", "udplite"))
		return false;
	t->lport = port_of(r, "lport");
	t->rport = port_of(r, "rport");
	t->called = nm_is(r, "dir", "in") ||
		    (!nm_is(r, "dir", "out") && t->lport < t->rport);
	return true;
}

/* --- By port --- */

/* The server's: that of the side that was called. */
static bool use_of(const struct nm_record *r, const struct tuple *t,
		   struct port_use *use)
{
	if (nm_is(r, "dir", "in"))
		return ports_use(t->lport, t->tcp, use);
	if (nm_is(r, "dir", "out"))
		return ports_use(t->rport, t->tcp, use);
	return ports_use(t->rport, t->tcp, use) ||
	       ports_use(t->lport, t->tcp, use);
}

static void guess(const struct nm_record *r, const struct tuple *t,
		  struct known *k)
{
	struct port_use use;

	if (k->source != NOT_KNOWN || !use_of(r, t, &use))
		return;
	memcpy(k->finding.app, use.app, sizeof(use.app));
	if (use.category)
		strncpy(k->finding.category, use.category,
			sizeof(k->finding.category) - 1);
	k->source = BY_PORT;
}

/* --- By pattern --- */

static void learn(struct known *k, const struct finding *found)
{
	if (found->app[0]) {
		k->finding = *found;
		k->source = BY_PATTERN;
	}
}

static bool head_of(const struct nm_record *r, const char *key,
		    uint8_t bytes[HEAD_MAX], size_t *n)
{
	const struct nm_field *head = nm_find(r, key);
	int len;

	if (!head || head->kind != NM_STRING)
		return false;
	len = nm_base64_decode(head->val.ptr, head->val.len, bytes, HEAD_MAX);
	*n = (size_t)len;
	return len > 0;
}

/* False: this is not QUIC, or nDPI may know more of it. */
static bool look_at_quic(struct work *w, const uint8_t *datagram, size_t n,
			 bool *enough)
{
	struct finding found = { 0 };
	const uint8_t *hello;
	char name[256];
	size_t len;

	if (!quic_read(&w->quic, datagram, n))
		return w->quic;
	finding_app(&found, "quic", "web");
	len = quic_hello(w->quic, &hello);
	*enough = hello_server_name(hello, len, name, sizeof(name));
	if (*enough)
		finding_server(&found, name);
	learn(w->known, &found);
	return true;
}

static struct inspection *begin(const struct tuple *t, const uint8_t *bytes,
				size_t n)
{
	bool dns = !t->tcp && dns_is_message(bytes, n);
	struct tuple shown = tuple_shown(t, dns);

	return inspect_new(&shown);
}

static void listen_to(struct known *k, const uint8_t *bytes, size_t n,
		      struct finding *found)
{
	if (!k->greeted && k->source != BY_PATTERN)
		greeting_tells(bytes, n, found);
	k->greeted = true;
}

static bool look_at_bytes(struct work *w, const struct tuple *t, bool sent,
			  uint8_t *bytes, size_t n, uint64_t ts_us)
{
	struct finding found = { 0 };
	bool enough;

	if (!w->inspection)
		w->inspection = begin(t, bytes, n);
	if (t->tcp && sent == t->called)
		listen_to(w->known, bytes, n, &found);
	if (t->tcp)
		n = hello_complete(bytes, n);
	enough = inspect_head(w->inspection, t->tcp, sent, bytes, n, ts_us,
			      &found);
	learn(w->known, &found);
	return enough;
}

static void look_at(const struct nm_record *r, const struct flow *f, bool sent)
{
	const struct tuple *t = &f->tuple;
	struct known *k = f->known;
	uint8_t bytes[HEAD_MAX];
	bool enough = false;
	struct work *w;
	size_t n;

	if (!head_of(r, sent ? "tx_head" : "rx_head", bytes, &n))
		return;
	if (!t->tcp && sent && dns_is_question(bytes, n))
		k->asks = true;
	if (k->settled)
		return;
	w = work_of(f);
	if (t->tcp || !look_at_quic(w, bytes, n, &enough))
		enough = look_at_bytes(w, t, sent, bytes, n, r->ts_us);
	if (enough || ++k->heads == HEADS_MAX)
		settle(f);
}

/* Who opened it spoke first, in most protocols. */
static void look(const struct nm_record *r, const struct flow *f)
{
	bool in = nm_is(r, "dir", "in");

	look_at(r, f, !in);
	look_at(r, f, in);
	if (f->known->heads && nm_is(r, "state", "closed"))
		settle(f);
}

/*
 * By multicast, to all; or what was asked for here, on other ports if it looks
 * like it.
 */
static bool may_answer(const struct tuple *t, const struct known *k)
{
	if (t->tcp)
		return false;
	return t->rport == PORT_MDNS ||
	       (k->asks &&
		(t->rport == PORT_DNS || (k->source == BY_PATTERN &&
					  strcmp(k->finding.app, "dns") == 0)));
}

static void tell_names(const struct nm_record *r, const struct flow *f)
{
	uint8_t answer[HEAD_MAX];
	uint64_t pid = 0;
	size_t n;

	if (!may_answer(&f->tuple, f->known) ||
	    !head_of(r, "rx_head", answer, &n))
		return;
	nm_get_u64(r, "pid", &pid);
	dns_tell(&f->tuple, answer, n, r->ts_us, pid);
}

static void add(struct nm_record *r, const struct known *k)
{
	if (k->source != NOT_KNOWN) {
		nm_add_str(r, "app", k->finding.app);
		nm_add_str(r, "app_source",
			   k->source == BY_PORT ? "port" : "pattern");
	}
	if (k->finding.category[0])
		nm_add_str(r, "category", k->finding.category);
	if (k->finding.server_name[0])
		nm_add_str(r, "server_name", k->finding.server_name);
}

static void on_flow(struct nm_record *r)
{
	struct known once = { 0 };
	struct flow f = { .known = &once };
	bool made, remember;

	if (!tuple_of(r, &f.tuple))
		return;
	remember = nm_get_str(r, "flow", f.key.id, sizeof(f.key.id));
	if (remember)
		f.known = nm_cache_put(flows, &f.key, &made);
	look(r, &f);
	tell_names(r, &f);
	guess(r, &f.tuple, f.known);
	add(r, f.known);
	if (!remember)
		settle(&f);
}

static enum nm_verdict on_record(struct nm_record *r, void *state)
{
	(void)state;
	if (r->type == NM_TYPE_START)
		forget_all();
	if (r->type == NM_TYPE_FLOW)
		on_flow(r);
	if (!keep_heads) {
		nm_drop(r, "tx_head");
		nm_drop(r, "rx_head");
	}
	return NM_KEEP;
}

int main(int argc, char **argv)
{
	int status;

	nm_options(&program, argc, argv);
	forget_all();
	status = nm_filter(&program, on_record, NULL);
	nm_cache_free(flows);
	nm_cache_free(works);
	inspect_close();
	return status;
}
