/* SPDX-License-Identifier: MIT */
/*
 * The columns of the table of processes.
 */
#ifndef VIEW_PROC_COLUMNS_H
#define VIEW_PROC_COLUMNS_H

#include "amount.h"
#include "model.h"
#include "table.h"

enum {
	COLUMN_PID,
	COLUMN_USER,
	COLUMN_PROGRAM,
	COLUMN_TX_RATE,
	COLUMN_RX_RATE,
	COLUMN_TX,
	COLUMN_RX,
	COLUMN_SOCKETS,
	COLUMN_RATE,
	COLUMN_DETAIL,
	COLUMN_COUNT,
};

/* What the last column shows. */
enum detail {
	DETAIL_EXE,
	DETAIL_CGROUP,
	DETAIL_NONE,
	DETAIL_COUNT
};

/* What a cell must know beside its row. */
struct proc_shape {
	enum unit unit;
	enum detail detail;
	uint64_t gone; /* processes in [earlier] */
};

extern struct proc_shape proc_shape;
extern const struct column proc_columns[COLUMN_COUNT];

#endif
