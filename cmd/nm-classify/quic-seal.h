/* SPDX-License-Identifier: MIT */
/*
 * How an Initial packet of QUIC is sealed (RFC 9001, section 5), with what
 * differs by version.
 */
#ifndef NM_QUIC_SEAL_H
#define NM_QUIC_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What comes after where the packet's number begins, at least. */
#define SEAL_MIN 20

struct seal {
	uint8_t salt[20];
	const char *key, *iv, *header; /* labels */
};

/*
 * Opens, in place, n bytes of a client's packet, whose number begins there and
 * is sealed too; id: of the connection. Returns where the content begins, and
 * in *end where it ends; 0: it was altered.
 */
size_t seal_open(const struct seal *s, const uint8_t *id, size_t id_len,
		 uint8_t *packet, size_t n, size_t number, size_t *end);

#endif
