/* SPDX-License-Identifier: MIT */
/*
 * What the files of lib/options*.c have of one another.
 */
#ifndef NM_OPTIONS_PARTS_H
#define NM_OPTIONS_PARTS_H

#include "options.h"

bool nm_option_is_end(const struct nm_option *o);

/* Is arg one of the words, which are separated by single spaces? */
bool nm_option_is_word(const char *words, const char *arg);

/* --help */
void nm_print_help(const struct nm_program *p);

/*
 * Stores the value. False: why is what is wrong with it; empty if the option's
 * own function has told so already.
 */
bool nm_option_set(const struct nm_option *o, const char *arg, char *why,
		   size_t size);

bool nm_option_set_seconds(const struct nm_option *o, double value, char *why,
			   size_t size);

/*
 * Sets those that were not `given`, by their place in the table, from this file
 * or the usual one.
 */
void nm_options_from_config(const struct nm_program *p, const char *file,
			    const bool *given);

#endif
