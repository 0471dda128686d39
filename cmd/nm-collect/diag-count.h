/* SPDX-License-Identifier: MIT */
/*
 * From the kernel's counters of a TCP socket to what its program sent and
 * received.
 *
 * Sent is what the program gave to the socket: what has left, each byte once,
 * and what waits. It is exact at every moment but one: of a connection that
 * is torn down with data and a FIN still waiting the FIN may count 1.
 *
 * Received is what the program took from the socket: what came in order, less
 * what is unread. The kernel counts a FIN as 1, and it is read like a byte:
 * by its state one sees that a socket which still exists has one. Of a socket
 * that is gone it must be concluded; see count_rx_at_end.
 */
#ifndef NM_DIAG_COUNT_H
#define NM_DIAG_COUNT_H

#include "diag-netlink.h"

uint64_t count_tx(const struct sample *s);

/*
 * moving: segments came while the kernel was asked. It reads the state first,
 * and waits for whoever uses the socket before it reads the counters
 * (tcp_get_info): they may have a FIN of which the state does not know. Then
 * one byte is left for the next sample to tell.
 */
uint64_t count_rx(const struct sample *s, bool moving);

/* Is this one of the states that a socket enters by the other side's FIN? */
bool count_has_fin(int state);

/*
 * What was received in all, from a notice. before: the sample before this
 * one, its state (0: there was none) and the value of count_rx. If it is not
 * known who opened it, this is for NM_DIR_OUT.
 */
uint64_t count_rx_at_end(const struct sample *s, enum nm_dir dir,
			 int state_before, uint64_t rx_before);

/*
 * Who opened the connection: only who connects has its SYN counted. Unknown
 * while packets are on their way, or if it could as well be the FIN.
 */
enum nm_dir count_dir(const struct sample *s, bool moving);

#endif
