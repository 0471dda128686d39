// SPDX-License-Identifier: MIT
/*
 * As a list that is sorted when it is asked: a namespace most often has a few,
 * and there may be a thousand namespaces.
 */
#include "diag-ports.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

static uint32_t key(bool v6, uint16_t port)
{
	return (uint32_t)v6 << 16 | port;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void ports_add(struct ports *p, bool v6, uint16_t port)
{
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 8;
		p->port = reallocarray(p->port, p->room, sizeof(*p->port));
		if (!p->port)
			err(1, NULL);
	}
	p->port[p->n++] = key(v6, port);
	p->sorted = false;
}

bool ports_have(struct ports *p, bool v6, uint16_t port)
{
	uint32_t wanted = key(v6, port);

	if (p->n == 0)
		return false;
	if (!p->sorted)
		qsort(p->port, p->n, sizeof(*p->port), compare);
	p->sorted = true;
	return bsearch(&wanted, p->port, p->n, sizeof(wanted), compare);
}

void ports_free(struct ports *p)
{
	free(p->port);
	memset(p, 0, sizeof(*p));
}
