/* SPDX-License-Identifier: MIT */
/*
 * Podman's lists of containers: of root, and of each user who runs some.
 */
#ifndef NM_PODMAN_H
#define NM_PODMAN_H

#include <stdint.h>

#include "place.h"

/*
 * The name of a container in its list, valid until the next call, or NULL. In
 * the slice of a user only that user's own lists are believed.
 *
 * A list is read once until it changes. now_us: the time of the stream; a user
 * can have only so much read in a minute of it.
 */
const char *podman_name(const struct place *p, uint64_t now_us);

void podman_close(void);

#endif
