// SPDX-License-Identifier: MIT
/*
 * What the table of processes shows of each: columns, as data.
 */
#include <inttypes.h>
#include <stdio.h>

#include "proc_columns.h"

struct proc_shape proc_shape;

static enum role put_amount(double bytes, enum role role, char *out,
			    size_t size)
{
	char text[AMOUNT_TEXT];

	if (!(bytes > 0)) {
		snprintf(out, size, "0");
		return ROLE_FAINT;
	}
	amount_text(bytes < 1e19 ? (uint64_t)(bytes + 0.5) : UINT64_MAX,
		    proc_shape.unit, text);
	snprintf(out, size, "%s", text);
	return role;
}

static double pid(const void *row)
{
	return (double)((const struct proc *)row)->pid;
}

static enum role put_pid(const void *row, char *out, size_t size)
{
	const struct proc *p = row;

	out[0] = '\0';
	if (p->kind == PROC_USER || p->kind == PROC_KERNEL)
		snprintf(out, size, "%" PRIu64, p->pid);
	return ROLE_NORMAL;
}

static const char *user(const void *row)
{
	return ((const struct proc *)row)->user;
}

static const char *program(const void *row)
{
	return ((const struct proc *)row)->comm;
}

static enum role put_program(const void *row, char *out, size_t size)
{
	const struct proc *p = row;

	snprintf(out, size, "%s", p->comm);
	return p->kind == PROC_USER ? ROLE_TITLE : ROLE_NORMAL;
}

static double tx_rate(const void *row)
{
	return ((const struct proc *)row)->shown.tx_rate;
}

/* "per second" is said by the title. */
static enum role put_tx_rate(const void *row, char *out, size_t size)
{
	return put_amount(tx_rate(row), ROLE_ACTIVE, out, size);
}

static double rx_rate(const void *row)
{
	return ((const struct proc *)row)->shown.rx_rate;
}

static enum role put_rx_rate(const void *row, char *out, size_t size)
{
	return put_amount(rx_rate(row), ROLE_ACTIVE, out, size);
}

static double rate(const void *row)
{
	return tx_rate(row) + rx_rate(row);
}

static enum role put_rate(const void *row, char *out, size_t size)
{
	return put_amount(rate(row), ROLE_ACTIVE, out, size);
}

static double tx(const void *row)
{
	return (double)((const struct proc *)row)->shown.tx_bytes;
}

static enum role put_tx(const void *row, char *out, size_t size)
{
	return put_amount(tx(row), ROLE_NORMAL, out, size);
}

static double rx(const void *row)
{
	return (double)((const struct proc *)row)->shown.rx_bytes;
}

static enum role put_rx(const void *row, char *out, size_t size)
{
	return put_amount(rx(row), ROLE_NORMAL, out, size);
}

static double sockets(const void *row)
{
	return ((const struct proc *)row)->shown.sockets;
}

static enum role put_sockets(const void *row, char *out, size_t size)
{
	const struct proc *p = row;

	out[0] = '\0';
	if (p->shown.ended)
		snprintf(out, size, "ended");
	else if (p->kind != PROC_EARLIER)
		snprintf(out, size, "%" PRIu32 "%s", p->shown.sockets,
			 p->shown.sockets_more ? "+" : "");
	return p->shown.sockets ? ROLE_NORMAL : ROLE_FAINT;
}

static const char *detail(const void *row)
{
	const struct proc *p = row;
	const char *text =
		proc_shape.detail == DETAIL_CGROUP ? p->cgroup : p->exe;

	return text ? text : "";
}

/* The rows of sums have no program; here is room to say what they are. */
static enum role put_detail(const void *row, char *out, size_t size)
{
	const struct proc *p = row;

	switch (p->kind) {
	case PROC_USER:
		snprintf(out, size, "%s", detail(row));
		return ROLE_NORMAL;
	case PROC_KERNEL:
		snprintf(out, size, "the kernel's own");
		break;
	case PROC_UNKNOWN:
		snprintf(out, size, "nobody could be named");
		break;
	case PROC_EARLIER:
		snprintf(out, size, "sum of %" PRIu64 " that are gone",
			 proc_shape.gone);
		break;
	case PROC_OTHER:
		snprintf(out, size, "sum of those beyond %d",
			 MODEL_PROCESSES_MAX);
		break;
	}
	return ROLE_FAINT;
}

/* Widths that are not here depend on the unit and the canvas. */
const struct column proc_columns[COLUMN_COUNT] = {
	[COLUMN_PID] = {
		.title = "PID",
		.width = 7,
		.right = true,
		.number = pid,
		.cell = put_pid,
	},
	[COLUMN_USER] = {
		.title = "USER",
		.width = 8,
		.importance = 5,
		.text = user,
	},
	[COLUMN_PROGRAM] = {
		.title = "PROGRAM",
		.grow = 1,
		.text = program,
		.cell = put_program,
	},
	[COLUMN_TX_RATE] = {
		.title = "SENT/s",
		.importance = 8,
		.right = true,
		.down = true,
		.number = tx_rate,
		.cell = put_tx_rate,
	},
	[COLUMN_RX_RATE] = {
		.title = "RECV/s",
		.importance = 9,
		.right = true,
		.down = true,
		.number = rx_rate,
		.cell = put_rx_rate,
	},
	[COLUMN_TX] = {
		.title = "SENT",
		.importance = 3,
		.right = true,
		.down = true,
		.number = tx,
		.cell = put_tx,
	},
	[COLUMN_RX] = {
		.title = "RECV",
		.importance = 4,
		.right = true,
		.down = true,
		.number = rx,
		.cell = put_rx,
	},
	[COLUMN_SOCKETS] = {
		.title = "SOCKETS",
		.width = 7,
		.importance = 6,
		.right = true,
		.down = true,
		.number = sockets,
		.cell = put_sockets,
	},
	[COLUMN_RATE] = {
		.title = "RATE",
		.importance = 2,
		.right = true,
		.down = true,
		.number = rate,
		.cell = put_rate,
	},
	[COLUMN_DETAIL] = {
		.title = "EXE",
		.grow = 8,
		.text = detail,
		.cell = put_detail,
	},
};
