/* SPDX-License-Identifier: MIT */
/*
 * One file in MaxMind's DB format, whatever is in it: the layouts of MaxMind
 * and DB-IP (nested), of ip-location-db (flat) and of IPinfo.
 */
#ifndef NM_DATABASE_H
#define NM_DATABASE_H

#include <maxminddb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "addr.h"

/* What is known of an address. Empty, or 0: not known. */
struct place {
	char country[3]; /* ISO 3166-1 alpha-2 */
	char city[64];	 /* in English, UTF-8 */
	uint32_t asn;
	char org[128]; /* who has the AS, UTF-8 */
};

struct database {
	char *path;
	struct stat st; /* of the file when it was opened, or refused */
	MMDB_s mmdb;
	bool is_open;
	bool named;   /* by the user: it may not be missing */
	size_t order; /* what is first in the list is believed */
	bool seen;    /* found by the look that is under way */
};

/*
 * Opens it. NULL, or what is wrong with it: of libmaxminddb, or a word of
 * errno; valid until the next call.
 */
const char *database_open(struct database *d);

void database_close(struct database *d);

/* "city ipv4, of 2026-06-05": what it says of itself. */
void database_describe(const struct database *d, char *out, size_t size);

/*
 * Adds to place what the file knows of the address and place does not have:
 * the city together with its country, an AS with its name, each from one file.
 * False: the file has become shorter while it was read.
 */
bool database_look_up(const struct database *d, const struct nm_addr *a,
		      struct place *place);

#endif
