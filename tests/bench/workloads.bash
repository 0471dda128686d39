# SPDX-License-Identifier: MIT
# Workloads that know what they moved, and what nm-collect told of them: to be
# sourced behind measure.bash, with $duration in seconds.
# shellcheck shell=bash

# shellcheck disable=SC2154 # of measure.bash and of who sources this
:

netns=$(stat -L -c %i /proc/self/ns/net)
port=5201

# Each workload writes $dir/moved: processes, ports, bytes, rate.

listening() {
	grep -q "$(printf ':%04X 00000000:0000 0A' "$port")" /proc/net/tcp
}

# iperf3 writes a cookie of 37 bytes on each connection before it counts.
run_iperf() {
	local server client

	iperf3 -s -1 -B 127.0.0.1 -p "$port" >"$dir/server" 2>&1 &
	server=$!
	started "$server"
	wait_until 20 listening
	iperf3 -c 127.0.0.1 -p "$port" -t "$duration" -l "$1" -J \
		>"$dir/client" 2>&1 &
	client=$!
	started "$client"
	ended "$client" || fail "iperf3: $(jq -r .error "$dir/client")"
	ended "$server" || fail "iperf3: $(tail -n 1 "$dir/server")"
	jq -c --argjson client "$client" --argjson server "$server" '{
		$client, $server,
		lport: .start.connected[0].local_port,
		tx: (.end.sum_sent.bytes + 37),
		rx: (.end.sum_received.bytes + 37),
		rate: (.end.sum_received.bits_per_second / 1e9)
	}' "$dir/client" >"$dir/moved"
}

# Both ends on one processor: then a transaction takes what its code takes,
# not what it takes to wake up another processor.
run_pingpong() {
	taskset -c 0 "$B/tests/bench/pingpong" "$duration" 64 >"$dir/client" ||
		fail "pingpong"
	jq -c '{ client, server, tx: (.bytes * 2), rx: (.bytes * 2),
		rate: (.transactions / .seconds / 1000) }' \
		"$dir/client" >"$dir/moved"
}

workload() {
	case $1 in
	128K | 1K) run_iperf "$1" ;;
	64) run_pingpong ;;
	esac
}

title() {
	case $1 in
	128K) echo "iperf3, 128 kB writes: Gbit/s" ;;
	1K) echo "iperf3, 1 kB writes: Gbit/s" ;;
	64) echo "64-byte requests: thousand/s" ;;
	esac
}

# A reader for start: what was told is in $dir/told.
keep() {
	exec cat >"$dir/told"
}

# share_nm: told bytes / moved bytes, of the two processes and the measured
# connection (iperf3 has another one for control), each way.
share_nm() {
	jq -n --argjson netns "$netns" --slurpfile moved "$dir/moved" '
		$moved[0] as $m |
		reduce (inputs | select(.type == "flow" and .netns == $netns))
			as $f ({ tx: 0, rx: 0 };
			if $m.lport == null then
				.tx += $f.tx_bytes | .rx += $f.rx_bytes
			elif $f.pid == $m.client and $f.lport == $m.lport then
				.tx += $f.tx_bytes
			elif $f.pid == $m.server and $f.rport == $m.lport then
				.rx += $f.rx_bytes
			else . end) |
		(.tx + .rx) / ($m.tx + $m.rx)' "$dir/told"
}

# column WORKLOAD MODE FIELD: of the results, one number a line.
column() {
	awk -v what="$1" -v mode="$2" -v field="$3" \
		'$1 == what && $2 == mode { print $field }' "$dir/results"
}

# ratios WORKLOAD MODE: rates against those without, round by round.
ratios() {
	paste <(column "$1" "$2" 3) <(column "$1" none 3) |
		awk '{ print $1 / $2 }'
}

row() {
	local label=$1 format=$2

	shift 2
	[ $# -eq 3 ] || fail "no numbers for '$label'"
	# shellcheck disable=SC2059 # one format for three numbers
	printf "  %-32s $format $format $format\n" "$label" "$@"
}
