/* SPDX-License-Identifier: MIT */
/*
 * Reverse DNS by c-ares: asks, and does not wait.
 */
#ifndef NM_REVERSE_H
#define NM_REVERSE_H

#include "addr.h"

/* Names in DNS are no longer (RFC 1035, section 2.3.4), dots and NUL included.
 */
#define NM_HOST_NAME 256

/*
 * server: an address with or without a port, in place of the system's; NULL:
 * the system's. Exits with status 2 if it is no address, with 1 if c-ares
 * cannot begin.
 */
void reverse_open(const char *server);

/*
 * The name of an address if it is known, "" if it has none, or NULL if that is
 * not known: then it has been asked for, unless too many questions are under
 * way already.
 */
const char *reverse_name(const struct nm_addr *a);

void reverse_close(void);

#endif
