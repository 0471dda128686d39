/* SPDX-License-Identifier: MIT */
/*
 * A TLS ClientHello may be longer than the head that was taken of it, and
 * nDPI waits for its end.
 */
#ifndef NM_HELLO_H
#define NM_HELLO_H

#include <stddef.h>
#include <stdint.h>

/*
 * If the n bytes begin a ClientHello (RFC 8446, section 4.1.2) that goes on
 * behind them: writes into its lengths that it ends with its last whole
 * extension, and returns where that is. Else returns n.
 */
size_t hello_complete(uint8_t *bytes, size_t n);

#endif
