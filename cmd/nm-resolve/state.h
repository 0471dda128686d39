/* SPDX-License-Identifier: MIT */
/*
 * Reading what an engine wrote down, as JSON, and no more of it than can be
 * afforded: a user may have written it to do harm.
 */
#ifndef NM_STATE_H
#define NM_STATE_H

#include <jansson.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Opens a file that is this user's, and no other's. -1: there is none. */
int state_open(const char *path, uid_t writer, struct stat *st);

/* What is in it, and how many bytes were read; closes it. NULL: nothing, or it
 * is too large. */
json_t *state_read(int fd, uid_t writer, size_t *bytes);

/* Both. */
json_t *state_load(const char *path, uid_t writer);

#endif
