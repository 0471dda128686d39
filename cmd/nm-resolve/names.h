/* SPDX-License-Identifier: MIT */
/*
 * What only files know: of a container and a pod the name, as the engine's own
 * state has it. No daemon is asked.
 */
#ifndef NM_NAMES_H
#define NM_NAMES_H

#include <stdint.h>

#include "place.h"

/* The folder that stands for /: files are looked for below it. */
void names_root(const char *root);

/* A path below it; NULL if it is too long. Valid until the next call. */
const char *names_path(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * Names in place of ids, where a file is there, can be read, and has them:
 * Docker's, Podman's (of root, and of users), what the kubelet calls the
 * folders of logs, and what containerd and CRI-O tell the runtime.
 * now_us: the time of the stream.
 */
void names_of(struct place *p, uint64_t now_us);

/* Has it names for all that has an id? */
bool names_known(const struct place *p);

#endif
