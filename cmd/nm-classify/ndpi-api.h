/* SPDX-License-Identifier: MIT */
/*
 * nDPI from 4.2 on, whose functions take and return something else in almost
 * every version. What is called here is what they have in common.
 */
#ifndef NM_NDPI_API_H
#define NM_NDPI_API_H

#include <ndpi/ndpi_api.h>
#include <ndpi/ndpi_main.h>
#include <stdbool.h>
#include <stdint.h>

#define NDPI_SINCE(major, minor) \
	(NDPI_MAJOR > (major) || \
	 (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

/* With all its protocols. NULL: no memory. */
static inline struct ndpi_detection_module_struct *ndpi_load(void)
{
	/* No preferences; from 4.10 on, no context that modules share. */
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(0);

	if (!m)
		return NULL;
#if !NDPI_SINCE(5, 0) /* which looks for all unasked */
	NDPI_PROTOCOL_BITMASK all;

	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(m, &all);
#endif
	ndpi_finalize_initialization(m);
	return m;
}

static inline ndpi_protocol ndpi_look_at(struct ndpi_detection_module_struct *m,
					 struct ndpi_flow_struct *flow,
					 const uint8_t *packet, size_t n,
					 uint64_t ts_ms)
{
	return ndpi_detection_process_packet(m, flow, packet, (unsigned short)n,
					     ts_ms
#if NDPI_SINCE(4, 6) /* what the caller knows of the flow */
					     ,
					     NULL
#endif
	);
}

/* 4.11 is what 4.12 was called before. */
#if NDPI_SINCE(4, 11)
#define NDPI_MASTER(p) ((p).proto.master_protocol)
#define NDPI_APP(p)    ((p).proto.app_protocol)
#else
#define NDPI_MASTER(p) ((p).master_protocol)
#define NDPI_APP(p)    ((p).app_protocol)
#endif

/*
 * By bytes that it has seen. What it remembers is of this flow as well: no
 * other has its addresses.
 */
static inline bool ndpi_is_sure(const struct ndpi_flow_struct *flow)
{
	return flow->confidence == NDPI_CONFIDENCE_DPI ||
	       flow->confidence == NDPI_CONFIDENCE_DPI_CACHE;
}

#endif
