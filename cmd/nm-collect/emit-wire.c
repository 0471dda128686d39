// SPDX-License-Identifier: MIT
/*
 * Packets in the records of flows, and the ledger.
 */
#include "emit-wire.h"

#include "json.h"

void put_wire(struct nm_buf *o, const struct flow *f)
{
	nm_json_u64(o, "tx_wire_bytes", f->wire.tx_bytes);
	nm_json_u64(o, "rx_wire_bytes", f->wire.rx_bytes);
	nm_json_u64(o, "tx_packets", f->wire.tx_packets);
	nm_json_u64(o, "rx_packets", f->wire.rx_packets);
	if (f->rtt_us)
		nm_json_u64(o, "rtt_us", f->rtt_us);
	if (f->proto == NM_PROTO_TCP)
		nm_json_u64(o, "retrans_packets", f->retrans_packets);
}

static void put_side(struct nm_buf *o, const char *const keys[LEDGER_LINES],
		     const uint64_t line[LEDGER_LINES])
{
	for (int i = 0; i < LEDGER_LINES; i++)
		if (line[i] || i == LEDGER_NIC)
			nm_json_u64(o, keys[i], line[i]);
}

void put_ledger(struct nm_buf *o, const struct ledger_sums *sums)
{
#define KEYS(way)                                                         \
	{                                                                 \
		[LEDGER_NIC] = "nic_" way "_bytes",                       \
		[LEDGER_NAMED] = "nic_named_" way "_bytes",               \
		[LEDGER_KERNEL] = "nic_kernel_" way "_bytes",             \
		[LEDGER_UNATTRIBUTED] = "nic_unattributed_" way "_bytes", \
		[LEDGER_CARRIER] = "nic_carrier_" way "_bytes",           \
		[LEDGER_FORWARDED] = "nic_forwarded_" way "_bytes",       \
		[LEDGER_NO_SOCKET] = "nic_no_socket_" way "_bytes",       \
		[LEDGER_SURPLUS] = "nic_surplus_" way "_bytes",           \
	}
	static const char *const tx[LEDGER_LINES] = KEYS("tx");
	static const char *const rx[LEDGER_LINES] = KEYS("rx");
#undef KEYS

	if (!sums)
		return;
	put_side(o, tx, sums->tx);
	put_side(o, rx, sums->rx);
	if (sums->tunnel_tx || sums->tunnel_rx) {
		nm_json_u64(o, "tunnel_tx_wire_bytes", sums->tunnel_tx);
		nm_json_u64(o, "tunnel_rx_wire_bytes", sums->tunnel_rx);
	}
}
