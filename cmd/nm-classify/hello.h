/* SPDX-License-Identifier: MIT */
/*
 * The ClientHello of TLS (RFC 8446, section 4.1.2). It may be longer than what
 * was taken of it, and nDPI waits for its end.
 */
#ifndef NM_HELLO_H
#define NM_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * If the n bytes, of TLS over TCP, begin a ClientHello that goes on behind
 * them: writes into its lengths that it ends with its last whole
 * extension, and returns where that is. Else returns n.
 */
size_t hello_complete(uint8_t *bytes, size_t n);

/*
 * The server's name in the ClientHello, without what TLS over TCP has before
 * it, of which the n bytes are known. False: it is not among them.
 */
bool hello_server_name(const uint8_t *hello, size_t n, char *name, size_t size);

#endif
