/* SPDX-License-Identifier: MIT */
/*
 * What a flow is known by on the wire, and the packets that its heads were.
 */
#ifndef NM_TUPLE_H
#define NM_TUPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tuple {
	uint16_t lport, rport;
	bool tcp;    /* else UDP */
	bool called; /* the server is here */
};

/*
 * Takes off it the ports that nDPI would judge the flow by: what it tells is
 * to be told by the bytes. Those stay without which it does not look for a
 * protocol at all. dns: it is a message of DNS, which nDPI knows on its port.
 */
struct tuple tuple_shown(const struct tuple *t, bool dns);

/* The most that a head may have, and that a packet may be longer. */
#define HEAD_MAX    4096
#define HEADERS_MAX 40

/*
 * Makes the IPv4 packet in which n bytes of payload were sent (or received),
 * between two addresses that are made of number. seq, ack: TCP's numbers.
 * Returns its length, at most n + HEADERS_MAX.
 */
size_t tuple_packet(const struct tuple *t, uint32_t number, bool sent,
		    uint32_t seq, uint32_t ack, const uint8_t *payload,
		    size_t n, uint8_t *packet);

#endif
