# SPDX-License-Identifier: MIT
# Reads a stream of nm-collect as it comes, and writes what each process moved,
# "PID TICKS TX RX", to `sums`, with "here" behind it if it used sockets of the
# network namespace `netns`. What contradicts nm-record(5) goes to standard error, and it fails.
# At the end it prints what it saw: intervals, their sum and the longest, flows,
# what was lost.
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
	total_dt += dt
	if (dt > longest)
		longest = dt
	if (tick_flows != number("flows") || tick_tx != number("tx_bytes") ||
	    tick_rx != number("rx_bytes"))
		wrong("flows " tick_flows " tx " tick_tx " rx " tick_rx)
	tick_flows = tick_tx = tick_rx = 0
	lost_flows += number("lost_flows")
	lost_processes += number("lost_processes")
	lost_calls += number("lost_calls")
	cpu += number("cpu_us")
	ticks++
	next
}

has("\"event\":\"process_start\"") {
	if (begins[process()]++)
		wrong("began before")
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
}

END {
	if (tick_flows)
		wrong("no tick at the end")
	for (id in tx)
		printf "%s %.0f %.0f%s\n", id, tx[id], rx[id],
			id in ours ? " here" : "" >sums
	printf "%d intervals of %.0f s in all, the longest %.1f s; ", ticks,
		total_dt / 1e6, longest / 1e6
	printf "%.0f flows; lost: %.0f flows, %.0f processes, %.0f calls; ",
		flows, lost_flows, lost_processes, lost_calls
	printf "processor %.2f %%\n", total_dt ? 100 * cpu / total_dt : 0
	exit faults > 0
}
