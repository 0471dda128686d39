// SPDX-License-Identifier: MIT
/*
 * Which name counts: what this process asked for, then what it told the server,
 * then what any process asked for, then reverse DNS, which is what the owner of
 * the address likes to call it. Many servers share an address: what a stranger
 * asked for may be another of them, what this flow's own bytes name is not.
 */
#include "hosts.h"

#include <string.h>

#include "cache.h"
#include "reverse.h"
#include "scope.h"

/* Answers that are remembered, by process and by address alone. */
#define ANSWERS 16384

/* An answer is used for a while longer than it says: connections stay. */
#define GRACE_US 3600000000

struct asked {
	uint64_t pid; /* 0: whoever */
	struct nm_addr addr;
};

struct answer {
	char name[NM_HOST_NAME];
	uint64_t until_us; /* by the stream's time */
};

static struct nm_cache *answers;
static bool reverse;

void hosts_forget(void)
{
	nm_cache_free(answers);
	answers = nm_cache_new(ANSWERS, sizeof(struct asked),
			       sizeof(struct answer), NULL);
}

void hosts_open(bool ask_dns, const char *server)
{
	hosts_forget();
	reverse = ask_dns;
	if (reverse)
		reverse_open(server);
}

void hosts_close(void)
{
	nm_cache_free(answers);
	if (reverse)
		reverse_close();
}

/* --- What was asked for --- */

static void keep(const struct asked *key, const char *name, uint64_t until_us)
{
	struct answer *a;
	bool made;

	a = nm_cache_put(answers, key, &made);
	memcpy(a->name, name, sizeof(a->name));
	a->until_us = until_us;
}

void hosts_answer(const struct nm_record *r)
{
	char name[NM_HOST_NAME] = "", addr[NM_ADDR_TEXT];
	struct asked key = { 0 };
	uint64_t ttl_s = 0, until_us;

	if (!nm_get_str(r, "name", name, sizeof(name)) || !name[0] ||
	    !nm_get_str(r, "addr", addr, sizeof(addr)) ||
	    !nm_addr_parse(&key.addr, addr))
		return;
	nm_get_u64(r, "ttl_s", &ttl_s);
	until_us =
		r->ts_us + GRACE_US + (ttl_s < 86400 ? ttl_s : 86400) * 1000000;
	keep(&key, name, until_us);
	if (nm_get_u64(r, "pid", &key.pid) && key.pid)
		keep(&key, name, until_us);
}

static const char *asked_for(const struct nm_record *r, uint64_t pid,
			     const struct nm_addr *addr)
{
	struct asked key = { .pid = pid, .addr = *addr };
	const struct answer *a = nm_cache_get(answers, &key);

	return a && a->until_us > r->ts_us ? a->name : NULL;
}

/* --- A record --- */

static void tell(struct nm_record *r, const char *name, const char *source)
{
	nm_add_str(r, "rhost", name);
	nm_add_str(r, "rhost_source", source);
}

/* Of who comes to us, it is our name. */
static bool named_to_server(const struct nm_record *r, char *name, size_t size)
{
	return nm_get_str(r, "server_name", name, size) && name[0] &&
	       !nm_is(r, "dir", "in");
}

void hosts_add(struct nm_record *r)
{
	char text[NM_ADDR_TEXT], server[NM_HOST_NAME];
	const char *name = NULL;
	struct nm_addr a;
	uint64_t pid;

	if (!nm_get_str(r, "raddr", text, sizeof(text)) ||
	    !nm_addr_parse(&a, text) || nm_find(r, "rhost"))
		return;
	if (nm_get_u64(r, "pid", &pid) && pid)
		name = asked_for(r, pid, &a);
	if (!name && named_to_server(r, server, sizeof(server))) {
		tell(r, server, "server_name");
		return;
	}
	if (!name)
		name = asked_for(r, 0, &a);
	if (name) {
		tell(r, name, "dns");
		return;
	}
	if (!reverse || nm_scope_of(&a) == NM_SCOPE_LOOPBACK ||
	    nm_scope_of(&a) == NM_SCOPE_MULTICAST)
		return;
	name = reverse_name(&a);
	if (name && name[0])
		tell(r, name, "reverse");
}
