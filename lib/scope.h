/* SPDX-License-Identifier: MIT */
/*
 * How far away an address is, by itself: no database is asked.
 */
#ifndef NM_SCOPE_H
#define NM_SCOPE_H

#include "addr.h"

enum nm_scope {
	NM_SCOPE_INTERNET, /* all that is not reserved for something else */
	NM_SCOPE_LOOPBACK,
	NM_SCOPE_LAN,	    /* private, link-local, shared by a provider */
	NM_SCOPE_MULTICAST, /* and broadcast to all of the link */
};

enum nm_scope nm_scope_of(const struct nm_addr *a);

/* As nm-record(5) spells it. */
const char *nm_scope_name(enum nm_scope scope);

/*
 * The address that another one carries for a translator, if it does: NAT64
 * (64:ff9b::/96, RFC 6052) and 6to4 (2002::/16, RFC 3056). Else the same.
 */
struct nm_addr nm_scope_carried(const struct nm_addr *a);

#endif
