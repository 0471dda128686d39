/* SPDX-License-Identifier: MIT */
/*
 * config.toml, as netmonitor.toml(5) describes it: which file it is, that it
 * can be trusted, and the table of a command in it.
 */
#ifndef NM_CONFIG_H
#define NM_CONFIG_H

#include "toml.h"

struct nm_config {
	char *path;	      /* NULL: there is none */
	struct nm_toml *root; /* NULL then too */
	bool secret; /* who reads our messages may not read it: they do not
			quote it */
};

/*
 * Reads the file that is named, if one is, or else the first of the usual ones
 * that is there. Ends the program if it cannot: with status 1 if the file
 * cannot be read or trusted, 2 if it is wrong.
 */
void nm_config_read(struct nm_config *c, const char *named);

/* The table of this name, or NULL. */
struct nm_toml *nm_config_table(const struct nm_config *c, const char *name);

/* Ends with "PROGRAM: PATH:LINE: …" and status 2. */
void nm_config_error(const struct nm_config *c, const struct nm_toml *where,
		     const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

void nm_config_free(struct nm_config *c);

#endif
