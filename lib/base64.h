/* SPDX-License-Identifier: MIT */
/*
 * Bytes as text: RFC 4648, section 4, with padding.
 */
#ifndef NM_BASE64_H
#define NM_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Appends the text of n bytes. */
void nm_base64_put(struct nm_buf *b, const uint8_t *bytes, size_t n);

/*
 * The bytes of a text of n characters. How many, or -1: it is no such text, or
 * has more than size.
 */
int nm_base64_decode(const char *text, size_t n, uint8_t *out, size_t size);

#endif
