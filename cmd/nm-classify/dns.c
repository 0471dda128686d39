// SPDX-License-Identifier: MIT
/*
 * Reading answers with the resolver's own parser (resolver(3)), which checks
 * every length.
 */
#include "dns.h"

#include <arpa/nameser.h>
#include <string.h>

#include "addr.h"
#include "filter.h"
#include "json.h"
#include "text.h"

#define NAME_MAX_LEN 256

/* An alias of a name, and so the same to who asked for that. */
#define ALIASES_MAX 16

struct aliases {
	char name[ALIASES_MAX][NAME_MAX_LEN];
	size_t count;
};

static bool is_asked(const struct aliases *asked, const char *name)
{
	for (size_t i = 0; i < asked->count; i++)
		if (strcasecmp(asked->name[i], name) == 0)
			return true;
	return false;
}

static void add_alias(struct aliases *asked, const ns_msg *message,
		      const ns_rr *rr)
{
	if (asked->count < ALIASES_MAX &&
	    ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
			       ns_rr_rdata(*rr), asked->name[asked->count],
			       NAME_MAX_LEN) >= 0)
		asked->count++;
}

static bool address_of(const ns_rr *rr, struct nm_addr *a)
{
	uint32_t v4;

	if (ns_rr_type(*rr) == ns_t_a && ns_rr_rdlen(*rr) == sizeof(v4)) {
		memcpy(&v4, ns_rr_rdata(*rr), sizeof(v4));
		*a = nm_addr_v4(v4);
		return true;
	}
	if (ns_rr_type(*rr) != ns_t_aaaa || ns_rr_rdlen(*rr) != sizeof(a->byte))
		return false;
	memcpy(a->byte, ns_rr_rdata(*rr), sizeof(a->byte));
	return true;
}

static void tell(const char *name, const struct nm_addr *a, uint32_t ttl_s,
		 uint64_t ts_us, uint64_t pid)
{
	struct nm_buf *out = nm_filter_out();
	char text[NM_ADDR_TEXT];

	nm_json_open(out, "dns", ts_us);
	nm_json_str(out, "name", name);
	nm_json_str(out, "addr", nm_addr_text(a, text));
	nm_json_u64(out, "ttl_s", ttl_s);
	if (pid)
		nm_json_u64(out, "pid", pid);
	nm_json_close(out);
}

/*
 * What was asked for: the question's name. By multicast there need not be one
 * (RFC 6762, section 6), but for who asks from another port (6.7).
 */
static bool question_of(ns_msg *message, const struct tuple *t,
			struct aliases *asked)
{
	ns_rr rr;

	if (!ns_msg_count(*message, ns_s_qd))
		return t->rport == PORT_MDNS && t->lport == PORT_MDNS;
	if (ns_parserr(message, ns_s_qd, 0, &rr))
		return false;
	if (strlen(ns_rr_name(rr)) >= NAME_MAX_LEN)
		return false;
	strcpy(asked->name[0], ns_rr_name(rr));
	asked->count = 1;
	return true;
}

/*
 * By multicast anybody nearby can answer: of other names than those that are
 * made for it (RFC 6762, section 3), nobody is believed.
 */
static bool may_name(const struct tuple *t, const char *name)
{
	static const char local[] = ".local";
	size_t n = strlen(name), end = sizeof(local) - 1;

	return nm_is_host_name(name) &&
	       (t->rport != PORT_MDNS ||
		(n > end && strcasecmp(name + n - end, local) == 0));
}

/* By multicast, another bit goes with it. */
#define CLASS 0x7fff

bool dns_is_message(const uint8_t *bytes, size_t n)
{
	ns_msg message;
	ns_sect first;
	ns_rr rr;

	if (ns_initparse(bytes, (int)n, &message) ||
	    ns_msg_getflag(message, ns_f_opcode) != ns_o_query)
		return false;
	first = ns_msg_count(message, ns_s_qd) ? ns_s_qd : ns_s_an;
	return ns_parserr(&message, first, 0, &rr) == 0 &&
	       (ns_rr_class(rr) & CLASS) == ns_c_in;
}

bool dns_is_question(const uint8_t *bytes, size_t n)
{
	ns_msg message;

	return dns_is_message(bytes, n) &&
	       !ns_initparse(bytes, (int)n, &message) &&
	       !ns_msg_getflag(message, ns_f_qr) &&
	       ns_msg_count(message, ns_s_qd);
}

size_t dns_tell(const struct tuple *t, const uint8_t *answer, size_t n,
		uint64_t ts_us, uint64_t pid)
{
	struct aliases asked = { .count = 0 };
	struct nm_addr a;
	size_t told = 0;
	ns_msg message;
	ns_rr rr;

	if (ns_initparse(answer, (int)n, &message) ||
	    !ns_msg_getflag(message, ns_f_qr) ||
	    ns_msg_getflag(message, ns_f_rcode) != ns_r_noerror ||
	    !question_of(&message, t, &asked))
		return 0;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		const char *name;

		if (ns_parserr(&message, ns_s_an, i, &rr))
			break;
		name = ns_rr_name(rr);
		if (asked.count && !is_asked(&asked, name))
			continue;
		if (asked.count && ns_rr_type(rr) == ns_t_cname)
			add_alias(&asked, &message, &rr);
		if (!address_of(&rr, &a))
			continue;
		name = asked.count ? asked.name[0] : name;
		if (!may_name(t, name))
			continue;
		tell(name, &a, ns_rr_ttl(rr), ts_us, pid);
		told++;
	}
	return told;
}
