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
#include "hello.h"
#include "inspect.h"
#include "ports.h"
#include "tuple.h"

/* After so many it is as clear as it will ever be. */
#define HEADS_MAX 8

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

#define PORT_DNS  53
#define PORT_MDNS 5353

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
	unsigned char heads; /* that were */
	struct inspection *inspection;
};

static struct nm_cache *flows;

static void free_known(const void *key, void *value)
{
	(void)key;
	inspect_free(((struct known *)value)->inspection);
}

static void forget_all(void)
{
	nm_cache_free(flows);
	flows = nm_cache_new(max_flows, sizeof(struct flow_key),
			     sizeof(struct known), free_known);
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

static void found(struct known *k, const struct finding *f)
{
	if (f->app[0]) {
		k->finding = *f;
		k->source = BY_PATTERN;
	}
}

static void settle(struct known *k)
{
	inspect_free(k->inspection);
	k->inspection = NULL;
	k->settled = true;
}

static void look_at(const struct nm_record *r, const struct tuple *t,
		    struct known *k, const char *key)
{
	const struct nm_field *head = nm_find(r, key);
	uint8_t payload[HEAD_MAX];
	struct finding f = { 0 };
	bool enough;
	int n;

	if (!head || head->kind != NM_STRING || k->settled)
		return;
	n = nm_base64_decode(head->val.ptr, head->val.len, payload,
			     sizeof(payload));
	if (n <= 0)
		return;
	if (!k->inspection)
		k->inspection = inspect_new(t);
	enough = inspect_head(k->inspection, t, key[0] == 't', payload,
			      t->tcp ? hello_complete(payload, (size_t)n)
				     : (size_t)n,
			      r->ts_us, &f);
	found(k, &f);
	if (enough || ++k->heads == HEADS_MAX)
		settle(k);
}

/* Who opened it spoke first, in most protocols. */
static void look(const struct nm_record *r, const struct tuple *t,
		 struct known *k)
{
	bool in = nm_is(r, "dir", "in");
	struct finding f = { 0 };

	look_at(r, t, k, in ? "rx_head" : "tx_head");
	look_at(r, t, k, in ? "tx_head" : "rx_head");
	if (k->inspection && nm_is(r, "state", "closed")) {
		if (inspect_end(k->inspection, &f))
			found(k, &f);
		settle(k);
	}
}

/* Answers to a question that was asked here, or by multicast to all. */
static void tell_names(const struct nm_record *r, const struct tuple *t)
{
	const struct nm_field *head = nm_find(r, "rx_head");
	uint8_t answer[HEAD_MAX];
	uint64_t pid = 0;
	int n;

	if (!head || head->kind != NM_STRING || t->tcp ||
	    (t->rport != PORT_DNS && t->rport != PORT_MDNS))
		return;
	n = nm_base64_decode(head->val.ptr, head->val.len, answer,
			     sizeof(answer));
	nm_get_u64(r, "pid", &pid);
	if (n > 0)
		dns_tell(answer, (size_t)n, r->ts_us, pid);
}

static void on_flow(struct nm_record *r)
{
	struct flow_key key = { 0 };
	struct known *k, once = { 0 };
	struct tuple t;
	bool made;

	if (!tuple_of(r, &t))
		return;
	k = &once;
	if (nm_get_str(r, "flow", key.id, sizeof(key.id)))
		k = nm_cache_put(flows, &key, &made);
	look(r, &t, k);
	tell_names(r, &t);
	guess(r, &t, k);
	if (k->source != NOT_KNOWN) {
		nm_add_str(r, "app", k->finding.app);
		nm_add_str(r, "app_source",
			   k->source == BY_PORT ? "port" : "pattern");
	}
	if (k->finding.category[0])
		nm_add_str(r, "category", k->finding.category);
	if (k->finding.server_name[0])
		nm_add_str(r, "server_name", k->finding.server_name);
	if (k == &once)
		inspect_free(once.inspection);
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
	inspect_close();
	return status;
}
