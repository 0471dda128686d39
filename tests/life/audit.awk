# SPDX-License-Identifier: MIT
# Reads a stream of nm-collect as it comes, and writes what each process moved,
# "PID TICKS TX RX", to `sums`, with "here" behind it if it used sockets of the
# network namespace `netns`. What contradicts nm-record(5) goes to standard
# error, and it fails. At the end it prints what it saw, and for programs the
# same to `values`, a word and a number a line.
#
# The sums of a flow without a socket (lost_flows) have no namespace: they
# count for their process all the same.

function number(key,	at) {
	at = index($0, "\"" key "\":")
	return at ? substr($0, at + length(key) + 3, 20) + 0 : 0
}

function has(text) {
	return index($0, text)
}

function wrong(what) {
	if (++faults <= 20)
		print NR ": " what ": " $0 >"/dev/stderr"
}

function process() {
	return sprintf("%.0f %.0f", number("pid"), int(number("start_us") / 10000))
}

# Both directions of PART_tx_bytes and PART_rx_bytes are what was added up.
function adds_up(part, t, r) {
	if (number(part "tx_bytes") != t || number(part "rx_bytes") != r)
		wrong("flows have " part "tx " t " rx " r)
}

function nic(part, way) {
	return number("nic_" part way "_bytes")
}

function closes(way,	seen, told) {
	seen = nic("", way) + nic("surplus_", way)
	told = nic("named_", way) + nic("kernel_", way)
	told += nic("unattributed_", way) + nic("carrier_", way)
	told += nic("forwarded_", way) + nic("no_socket_", way)
	if (seen != told)
		wrong("the ledger of " way " does not close")
	nic_bytes += nic("", way)
	nic_named += nic("named_", way)
}

# The first record may have been read by somebody else, who gives it to us. The
# time since the boot is nobody's to set.
BEGIN {
	$0 = ENVIRON["START"]
	began = number("ts_us") - number("boot_us")
}

!/^{"v":1,"type":"[a-z]+","ts_us":[0-9]+,.*}$/ {
	wrong("not a record")
	next
}

has("\"type\":\"flow\"") {
	t = number("tx_bytes")
	r = number("rx_bytes")
	flows++
	tick_flows++
	tick_tx += t
	tick_rx += r
	if (tick_flows == 1)
		tick_dt = number("dt_us")
	else if (tick_dt != number("dt_us"))
		wrong("of another interval")
	if (!has("\"pid\":")) {
		nobody_tx += t
		nobody_rx += r
		nobody += t + r
	} else if (!has("\"flow\":\"")) {
		merged++
		merged_tx += t
		merged_rx += r
	}
	id = process()
	here = has("\"netns\":" netns ",")
	if (here && !number("pid"))
		wrong("nobody's")
	if (here)
		ours[id]
	tx[id] += t
	rx[id] += r
	next
}

has("\"type\":\"tick\"") {
	dt = number("dt_us")
	ts = number("ts_us")
	total_dt += dt
	if (dt > longest) {
		longest = dt
		longest_end = began + total_dt
	}
	if (tick_flows && tick_dt != dt)
		wrong("flows of another interval")
	if (tick_flows != number("flows"))
		wrong("flows " tick_flows)
	adds_up("", tick_tx, tick_rx)
	adds_up("lost_detail_", merged_tx, merged_rx)
	adds_up("unattributed_", nobody_tx, nobody_rx)
	if (has("\"nic_")) {
		closes("tx")
		closes("rx")
	}
	tick_flows = tick_tx = tick_rx = 0
	merged_tx = merged_rx = nobody_tx = nobody_rx = 0
	lost_flows += number("lost_flows")
	lost_processes += number("lost_processes")
	lost_calls += number("lost_calls")
	cpu += number("cpu_us")
	wire += has("\"tx_wire_bytes\"") > 0
	# Somebody set the clock: that is in ts_us, and in no length.
	if (ticks && (ts - last_ts - dt > 60e6 || last_ts + dt - ts > 60e6))
		clock_steps++
	last_ts = ts
	ticks++
	next
}

has("\"event\":\"process_start\"") {
	id = process()
	if (begins[id]++)
		wrong("began before")
	if (has("\"netns\":" netns ",") || has("\"netns\":" netns "}"))
		ours[id]
	if (pids[number("pid")]++)
		again++
	next
}

has("\"event\":\"process_end\"") {
	id = process()
	if (!begins[id])
		wrong("did not begin")
	if (ends[id]++)
		wrong("ended before")
	if (tx[id] + 0 != number("total_tx_bytes") ||
	    rx[id] + 0 != number("total_rx_bytes"))
		wrong("told tx " tx[id] + 0 " rx " rx[id] + 0)
	next
}

function value(name, n) {
	printf "%s %.2f\n", name, n >values
}

END {
	$0 = "at the end"
	if (tick_flows)
		wrong("no tick")
	if (merged && !lost_flows)
		wrong("merged, and no word of it")
	for (id in tx)
		printf "%s %.0f %.0f%s\n", id, tx[id], rx[id],
			id in ours ? " here" : "" >sums
	for (id in ours)
		if (begins[id] && !ends[id])
			wrong(id " did not end")
	printf "%d intervals of %.0f s in all, the longest %.1f s; ", ticks,
		total_dt / 1e6, longest / 1e6
	printf "%.0f flows; lost: %.0f flows (%.0f records instead), ",
		flows, lost_flows, merged
	printf "%.0f processes, %.0f calls; nobody's: %.0f bytes; ",
		lost_processes, lost_calls, nobody
	printf "processor %.2f %%\n", total_dt ? 100 * cpu / total_dt : 0
	printf "process ids used again: %d; clock seen set: %d times; ",
		again, clock_steps
	printf "interfaces: %.0f bytes, processes' %.0f\n", nic_bytes, nic_named
	if (values != "") {
		value("length", total_dt / 1e6)
		value("longest", longest / 1e6)
		value("longest_end", longest_end / 1e6)
		value("merged", merged)
		value("again", again)
		value("clock_steps", clock_steps)
		value("wire", wire)
		value("nic_named", nic_named)
	}
	exit faults > 0
}
