/* SPDX-License-Identifier: MIT */
/*
 * What the first bytes of a flow tell, by nDPI. It is loaded at the first
 * head: a stream without heads does not pay for it.
 */
#ifndef NM_INSPECT_H
#define NM_INSPECT_H

#include "tuple.h"

struct inspection; /* of a flow */

struct finding {
	char app[32];	       /* the protocol, in lower case: "tls" */
	char category[32];     /* "web" */
	char server_name[256]; /* asked for: TLS and QUIC SNI, HTTP Host */
};

/*
 * Of flows of this protocol, TCP or UDP; heads of the other are not looked at.
 * Exits with status 1 if there is no memory.
 */
struct inspection *inspect_new(const struct tuple *t);
void inspect_free(struct inspection *i);

/*
 * Looks at n bytes that were sent, or received, at ts_us. True: it is known
 * what it is, and no more heads are needed.
 */
bool inspect_head(struct inspection *i, const struct tuple *t, bool sent,
		  const uint8_t *payload, size_t n, uint64_t ts_us,
		  struct finding *f);

/* No more heads come. True: enough was seen to know what it is. */
bool inspect_end(struct inspection *i, struct finding *f);

void inspect_close(void);

#endif
