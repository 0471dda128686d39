/* SPDX-License-Identifier: MIT */
/*
 * What records say of the wire; see flow, ledger and tick in nm-record(5).
 */
#ifndef NM_EMIT_WIRE_H
#define NM_EMIT_WIRE_H

#include "backend.h"
#include "ledger.h"

void put_wire(struct nm_buf *o, const struct flow *f);

/* Nothing without sums. */
void put_ledger(struct nm_buf *o, const struct ledger_sums *sums);

#endif
