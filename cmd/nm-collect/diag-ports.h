/* SPDX-License-Identifier: MIT */
/*
 * A set of ports of IPv4 and of IPv6 sockets.
 */
#ifndef NM_DIAG_PORTS_H
#define NM_DIAG_PORTS_H

#include "diag-netns.h"

void ports_add(struct ports *p, bool v6, uint16_t port);
bool ports_have(struct ports *p, bool v6, uint16_t port);
void ports_free(struct ports *p);

#endif
