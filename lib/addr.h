/* SPDX-License-Identifier: MIT */
/*
 * Addresses as records carry them: textual, an IPv4 address mapped into IPv6
 * (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2) as the IPv4 address it is.
 */
#ifndef NM_ADDR_H
#define NM_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NM_ADDR_TEXT 46 /* INET6_ADDRSTRLEN */

/* Always 16 bytes in network order; IPv4 in its mapped form. */
struct nm_addr {
	uint8_t byte[16];
};

struct nm_addr nm_addr_v4(uint32_t be32);
bool nm_addr_is_v4(const struct nm_addr *a);
bool nm_addr_is_any(const struct nm_addr *a); /* 0.0.0.0, :: */

/* Both ways; parse returns false for anything that is not an address. */
const char *nm_addr_text(const struct nm_addr *a, char out[NM_ADDR_TEXT]);
bool nm_addr_parse(struct nm_addr *a, const char *text);

#endif
