/* SPDX-License-Identifier: MIT */
/*
 * Between lib/record.c, which scans flat lines, and lib/record_slow.c, which
 * asks jansson about all others. Nobody else includes this.
 */
#ifndef NM_RECORD_SCAN_H
#define NM_RECORD_SCAN_H

#include "record.h"

enum nm_trust {
	NM_FROM_OUTSIDE, /* anything: take only what is flat and surely JSON */
	NM_FROM_JANSSON, /* JSON already, maybe nested, or with odd keys */
};

/* Fills r from one line; false if the line must be judged by jansson. */
bool nm_scan_flat(struct nm_record *r, const char *line, size_t len,
		  enum nm_trust trust);

/* Like nm_record_scan, by way of jansson and r->rebuilt. */
const char *nm_scan_slow(struct nm_record *r, const char *line, size_t len);

/* Behind the escape at p; NULL if it is none, or \u0000 (as in jansson). */
const char *nm_skip_escape(const char *p, const char *end);

/*
 * Unescapes what is at *p, a whole string body up to end, by one character:
 * writes 1 to 4 bytes to out, moves *p behind it, returns their number.
 */
size_t nm_unescape(const char **p, const char *end, char out[4]);

#endif
