/* SPDX-License-Identifier: MIT */
/*
 * What the first bytes of a flow tell, by nDPI. It is loaded at the first
 * head: a stream without heads does not pay for it.
 */
#ifndef NM_INSPECT_H
#define NM_INSPECT_H

#include "finding.h"
#include "tuple.h"

struct inspection; /* of a flow */

/*
 * Of flows of this protocol, TCP or UDP; heads of the other are not looked at.
 * nDPI is shown these ports. Exits with status 1 if there is no memory.
 */
struct inspection *inspect_new(const struct tuple *shown);
void inspect_free(struct inspection *i);

/*
 * Looks at n bytes that were sent, or received, at ts_us. True: it is known
 * what it is, and no more heads are needed.
 */
bool inspect_head(struct inspection *i, bool tcp, bool sent,
		  const uint8_t *payload, size_t n, uint64_t ts_us,
		  struct finding *f);

void inspect_close(void);

#endif
