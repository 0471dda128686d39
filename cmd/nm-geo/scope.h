/* SPDX-License-Identifier: MIT */
/*
 * How far away an address is, by itself: no database is asked.
 */
#ifndef NM_SCOPE_H
#define NM_SCOPE_H

#include "addr.h"

enum scope {
	SCOPE_INTERNET, /* all that is not reserved for something else */
	SCOPE_LOOPBACK,
	SCOPE_LAN,	 /* private, link-local, shared by a provider */
	SCOPE_MULTICAST, /* and broadcast to all of the link */
};

enum scope scope_of(const struct nm_addr *a);

/* As nm-record(5) spells it. */
const char *scope_name(enum scope scope);

/*
 * The address that another one carries for a translator, if it does: NAT64
 * (64:ff9b::/96, RFC 6052) and 6to4 (2002::/16, RFC 3056). Else the same.
 */
struct nm_addr scope_carried(const struct nm_addr *a);

#endif
