/* SPDX-License-Identifier: MIT */
/*
 * What records say of a process, and of a flow but for its packets; see flow in
 * nm-record(5).
 */
#ifndef NM_EMIT_FLOW_H
#define NM_EMIT_FLOW_H

#include "backend.h"

/* Who it is. Written once, not for each of its flows. */
void put_process(struct nm_buf *o, struct process *p);

/* Unknown (0): nothing. */
void put_netns(struct nm_buf *o, uint32_t netns);

void put_flow_id(struct nm_buf *o, const struct flow *f);

/* Addresses and ports, who called whom, open or closed. */
void put_socket(struct nm_buf *o, const struct flow *f);

/* Bytes, or what is known in place of them. */
void put_counts(struct nm_buf *o, const struct flow *f);

/* The same flow, still open, without anything that it moved. */
struct flow flow_unmoved(const struct flow *f);

/* What put_heads() would leave. */
const struct head *heads_left(const struct head *heads);

/*
 * First bytes: those of a packet, and of the next if it went the other way.
 * Takes them off.
 */
void put_heads(struct nm_buf *o, const struct head **heads);

#endif
