// SPDX-License-Identifier: MIT
/*
 * What the counters of tcp_info mean. Measured: tests/nm-collect-diag.bats.
 */
#include "diag-count.h"

bool count_has_fin(int state)
{
	return state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK ||
	       state == TCP_CLOSING;
}

uint64_t count_tx(const struct sample *s)
{
	bool fin = s->state == TCP_FIN_WAIT1 || s->state == TCP_CLOSING ||
		   s->state == TCP_LAST_ACK;

	/* The FIN is the last to leave: if anything waits, it waits too. */
	return s->sent + s->unsent - (fin && s->unsent);
}

/* May count the FIN. Never less than 0: the two are not read at once. */
static uint64_t taken(const struct sample *s)
{
	return s->received > s->unread ? s->received - s->unread : 0;
}

uint64_t count_rx(const struct sample *s, bool moving)
{
	uint64_t rx = taken(s);
	bool fin = moving || count_has_fin(s->state);

	return rx - (rx && s->unread == 0 && fin);
}

uint64_t count_rx_at_end(const struct sample *s, enum nm_dir dir,
			 int state_before, uint64_t rx_before)
{
	uint64_t rx = taken(s), syn = dir != NM_DIR_IN;

	if (s->unread || rx == 0)
		return rx;
	if (count_has_fin(state_before))
		return rx - 1;
	/* Nothing came since, or our own FIN was not acknowledged: a reset. */
	if (rx == rx_before || s->acked <= s->sent + syn)
		return rx;
	/*
	 * It ended in order. If the program closed it before the other side
	 * did, then the kernel has replaced it (tcp_time_wait) before a FIN
	 * came, by something small that waits for the FIN, for as long as the
	 * other side needs to send one. In all other cases the FIN was read.
	 */
	return diag_state(s) == TCP_FIN_WAIT2 ? rx : rx - 1;
}

enum nm_dir count_dir(const struct sample *s, bool moving)
{
	bool fin = moving ||
		   (s->state != TCP_ESTABLISHED && s->state != TCP_CLOSE_WAIT);
	uint64_t extra = s->acked - s->sent;

	if (s->flying == 0 && extra == 0)
		return NM_DIR_IN;
	if (s->flying == 0 && (extra == 2 || (extra == 1 && !fin)))
		return NM_DIR_OUT;
	return NM_DIR_UNKNOWN;
}
