// SPDX-License-Identifier: MIT
/*
 * nDPI, which wants packets and decides after some of them.
 */
#include "inspect.h"

#include <ctype.h>
#include <err.h>
#include <ndpi/ndpi_api.h>
#include <ndpi/ndpi_main.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "text.h"

struct inspection {
	struct ndpi_flow_struct *flow;
	/*
	 * In place of addresses, which tell nothing of what this is: nDPI
	 * remembers them, and takes what else they do for the same.
	 */
	uint32_t serial;
	uint32_t sent, received; /* bytes of TCP so far */
	bool tcp;
};

static struct ndpi_detection_module_struct *module;
static uint32_t serial;

static void load(void)
{
	NDPI_PROTOCOL_BITMASK all;

	module = ndpi_init_detection_module(ndpi_no_prefs);
	if (!module)
		errx(NM_EXIT_FAIL, "cannot load nDPI");
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(module, &all);
	ndpi_finalize_initialization(module);
}

struct inspection *inspect_new(const struct tuple *t)
{
	struct inspection *i = calloc(1, sizeof(*i));

	if (!module)
		load();
	/* nDPI frees it. */
	if (i)
		i->flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
	if (!i || !i->flow)
		err(NM_EXIT_FAIL, NULL);
	memset(i->flow, 0, SIZEOF_FLOW_STRUCT);
	i->serial = ++serial;
	i->tcp = t->tcp;
	return i;
}

void inspect_free(struct inspection *i)
{
	if (!i)
		return;
	ndpi_free_flow(i->flow);
	free(i);
}

void inspect_close(void)
{
	if (module)
		ndpi_exit_detection_module(module);
	module = NULL;
}

/* --- What it found --- */

static void lower(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from && from[n] && n + 1 < size; n++)
		to[n] = (char)tolower((unsigned char)from[n]);
	to[n] = '\0';
}

/* Without a port; what is no name, or an address in IPv6, is left out. */
static void take_name(char *to, size_t size, const char *from)
{
	size_t n = strcspn(from, ":");

	if (n >= size)
		n = 0;
	lower(to, n + 1, from);
	if (!nm_is_host_name(to))
		to[0] = '\0';
}

static bool has_server_name(uint16_t protocol)
{
	return protocol == NDPI_PROTOCOL_TLS ||
	       protocol == NDPI_PROTOCOL_QUIC || protocol == NDPI_PROTOCOL_HTTP;
}

/* nDPI tells TLS and, above it, whose service it is: the first is the app. */
static bool tell(struct inspection *i, ndpi_protocol p, struct finding *f)
{
	uint16_t protocol =
		p.master_protocol ? p.master_protocol : p.app_protocol;

	/* A guess by port or address is ours to make. */
	if (protocol == NDPI_PROTOCOL_UNKNOWN ||
	    i->flow->confidence == NDPI_CONFIDENCE_UNKNOWN ||
	    i->flow->confidence == NDPI_CONFIDENCE_MATCH_BY_PORT ||
	    i->flow->confidence == NDPI_CONFIDENCE_MATCH_BY_IP)
		return false;
	lower(f->app, sizeof(f->app), ndpi_get_proto_name(module, protocol));
	lower(f->category, sizeof(f->category),
	      ndpi_category_get_name(module, p.category));
	if (has_server_name(protocol))
		take_name(f->server_name, sizeof(f->server_name),
			  i->flow->host_server_name);
	return true;
}

bool inspect_head(struct inspection *i, const struct tuple *t, bool sent,
		  const uint8_t *payload, size_t n, uint64_t ts_us,
		  struct finding *f)
{
	uint8_t packet[HEAD_MAX + HEADERS_MAX];
	ndpi_protocol p;
	size_t len;

	/* nDPI takes the memory of one for that of the other. */
	if (t->tcp != i->tcp)
		return false;
	len = tuple_packet(t, i->serial, sent,
			   1 + (sent ? i->sent : i->received),
			   1 + (sent ? i->received : i->sent), payload, n,
			   packet);
	*(sent ? &i->sent : &i->received) += (uint32_t)n;
	p = ndpi_detection_process_packet(module, i->flow, packet,
					  (unsigned short)len, ts_us / 1000);
	return tell(i, p, f) &&
	       !ndpi_extra_dissection_possible(module, i->flow);
}

bool inspect_end(struct inspection *i, struct finding *f)
{
	uint8_t guessed;

	return tell(i, ndpi_detection_giveup(module, i->flow, 0, &guessed), f);
}
