/* SPDX-License-Identifier: MIT */
/*
 * Writing what happened as records, and keeping the sums of the interval for
 * its tick.
 */
#ifndef NM_EMIT_H
#define NM_EMIT_H

#include "backend.h"

/* Only these processes are told of; none: all. pids stay the caller's. */
void emit_only(const uint64_t *pids, size_t n);

/* Flows and ticks tell what went over the wire: the backend counts it. */
void emit_with_wire(bool wire);

/*
 * Begins an interval's records: they carry its end and length. The clock is
 * read here, so call it when the counting of the interval has ended.
 */
void emit_interval(void);

/* When that was: the beginning of the next, in seconds of CLOCK_MONOTONIC. */
double emit_interval_began(void);

void emit_start(const struct backend *b, const struct settings *s);
void emit_notice(const char *level, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void emit_flow(const struct flow *f);
void emit_process(const char *event, struct process *p);
void emit_process_end(struct process *p, uint64_t tx_bytes, uint64_t rx_bytes);
void emit_tick(const struct losses *lost, uint64_t cpu_us);

/*
 * Writes what was emitted to standard output. False: the reader went away.
 * Other write errors end the program with status 1.
 */
bool emit_flush(void);

#endif
