/* SPDX-License-Identifier: MIT */
/*
 * The ClientHello with which a client of QUIC begins, in versions 1 (RFC 9001)
 * and 2 (RFC 9369). It is encrypted, but its key follows from what the packet
 * says in clear. nDPI 4.2 wants it in order and does not know version 2;
 * browsers shuffle its pieces, and spread them over two packets.
 */
#ifndef NM_QUIC_H
#define NM_QUIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quic; /* what is known of the hello of one connection */

/*
 * Looks at a datagram. True: it is an Initial packet of a client, unaltered,
 * and what it has of the hello is added to *q, which is made if it is NULL.
 * Exits with status 1 if there is no memory.
 */
bool quic_read(struct quic **q, const uint8_t *datagram, size_t n);
void quic_free(struct quic *q);

/* The hello as far as it is known without a gap. Returns how many bytes. */
size_t quic_hello(const struct quic *q, const uint8_t **hello);

#endif
