/* SPDX-License-Identifier: MIT */
/*
 * What a port is for: services(5), and what that lacks.
 */
#ifndef NM_PORTS_H
#define NM_PORTS_H

#include <stdbool.h>
#include <stdint.h>

struct port_use {
	char app[32]; /* as nDPI calls it where it knows it: "tls", "dns" */
	const char *category; /* NULL: not known */
};

/* Of a server's port, in host order. False: nothing is known. */
bool ports_use(uint16_t port, bool tcp, struct port_use *use);

#endif
