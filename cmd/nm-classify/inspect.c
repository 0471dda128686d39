// SPDX-License-Identifier: MIT
/*
 * nDPI, which wants packets and decides after some of them.
 */
#include "inspect.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "ndpi-api.h"
#include "options.h"

struct inspection {
	struct ndpi_flow_struct *flow;
	struct tuple shown;
	/*
	 * In place of addresses, which tell nothing of what this is: nDPI
	 * remembers them, and takes what else they do for the same.
	 */
	uint32_t serial;
	uint32_t sent, received; /* bytes of TCP so far */
};

static struct ndpi_detection_module_struct *module;
static uint32_t serial;

struct inspection *inspect_new(const struct tuple *shown)
{
	struct inspection *i = calloc(1, sizeof(*i));

	if (!module)
		module = ndpi_load();
	if (!module)
		errx(NM_EXIT_FAIL, "cannot load nDPI");
	/* nDPI frees it. */
	if (i)
		i->flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
	if (!i || !i->flow)
		err(NM_EXIT_FAIL, NULL);
	memset(i->flow, 0, SIZEOF_FLOW_STRUCT);
	i->shown = *shown;
	i->serial = ++serial;
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

static bool has_server_name(uint16_t protocol)
{
	return protocol == NDPI_PROTOCOL_TLS ||
	       protocol == NDPI_PROTOCOL_QUIC || protocol == NDPI_PROTOCOL_HTTP;
}

/*
 * nDPI tells TLS and, above it, whose service it is: the first is the app. But
 * below HTTP it puts what else uses the port, unseen.
 */
static uint16_t protocol_of(ndpi_protocol p)
{
	if (NDPI_MASTER(p) == NDPI_PROTOCOL_UNKNOWN ||
	    NDPI_APP(p) == NDPI_PROTOCOL_HTTP)
		return NDPI_APP(p);
	return NDPI_MASTER(p);
}

static bool tell(struct inspection *i, ndpi_protocol p, struct finding *f)
{
	uint16_t protocol = protocol_of(p);

	if (protocol == NDPI_PROTOCOL_UNKNOWN || !ndpi_is_sure(i->flow))
		return false;
	finding_app(f, ndpi_get_proto_name(module, protocol),
		    ndpi_category_get_name(module, p.category));
	if (has_server_name(protocol))
		finding_server(f, i->flow->host_server_name);
	return true;
}

bool inspect_head(struct inspection *i, bool tcp, bool sent,
		  const uint8_t *payload, size_t n, uint64_t ts_us,
		  struct finding *f)
{
	uint8_t packet[HEAD_MAX + HEADERS_MAX];
	ndpi_protocol p;
	size_t len;

	/* nDPI takes the memory of one for that of the other. */
	if (tcp != i->shown.tcp)
		return false;
	len = tuple_packet(&i->shown, i->serial, sent,
			   1 + (sent ? i->sent : i->received),
			   1 + (sent ? i->received : i->sent), payload, n,
			   packet);
	*(sent ? &i->sent : &i->received) += (uint32_t)n;
	p = ndpi_look_at(module, i->flow, packet, len, ts_us / 1000);
	return tell(i, p, f) && !i->flow->extra_packets_func;
}
