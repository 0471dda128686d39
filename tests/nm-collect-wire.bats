# SPDX-License-Identifier: MIT
# bats file_tags=root
# The wire meter and the ledger: held to the counters of interfaces, in network
# namespaces where nothing else moves.

load helpers
load collect
load accuracy

setup_file() {
	cannot=$(why_not)
	[ -n "$cannot" ] || nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} --once |
		grep -q '"type":"tick".*"tx_wire_bytes"' ||
		cannot='the wire cannot be metered here'
	export cannot
}

setup() {
	[ -z "$cannot" ] || skip "$cannot"
	need ip iperf3
	cd "$BATS_TEST_TMPDIR"
	spaces=() started=()
}

teardown() {
	local space

	end_started
	for space in ${spaces[@]+"${spaces[@]}"}; do
		ip netns del "$space" 2>/dev/null || true
	done
}

# in_space SPACE COMMAND...: with the machine's own /sys, where cgroups are.
in_space() {
	local space=$1

	shift
	nsenter --net="/run/netns/$space" "$@"
}

# space NAME: a namespace without IPv6, which speaks by itself.
space() {
	ip netns add "$1"
	spaces+=("$1")
	in_space "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1
	ip -n "$1" link set lo up
}

# end SPACE INTERFACE ADDRESS MAC
end() {
	ip -n "$1" link set "$2" address "$4"
	ip -n "$1" address add "$3/24" dev "$2"
	ip -n "$1" link set "$2" up
}

# cable LEFT RIGHT: two new namespaces, 10.93.0.1 and 10.93.0.2, whose
# interfaces get each packet as it would be on a wire. Nobody asks who is who.
cable() {
	left=nm-$1-$$ right=nm-$2-$$
	space "$left"
	space "$right"
	ip -n "$left" link add e0 mtu 1500 gso_max_segs 1 type veth \
		peer name e0 netns "$right" mtu 1500 gso_max_segs 1
	end "$left" e0 10.93.0.1 02:00:00:00:00:01
	end "$right" e0 10.93.0.2 02:00:00:00:00:02
	ip -n "$left" neighbour add 10.93.0.2 lladdr 02:00:00:00:00:02 dev e0
	ip -n "$right" neighbour add 10.93.0.1 lladdr 02:00:00:00:00:01 dev e0
	netns=$(stat -L -c %i "/run/netns/$left")
}

# counted: what the left interface has moved, without Ethernet's headers.
counted() {
	ip -n "$left" -s -j link show dev e0 | jq -c '.[0].stats64 |
		[.tx.bytes - 14 * .tx.packets, .rx.bytes - 14 * .rx.packets,
		.tx.packets, .rx.packets]'
}

# metered STREAM: the same, as the flows of that namespace tell it.
metered() {
	grep '}$' "$1" | jq -nc --argjson netns "$netns" '
		[inputs | select(.type == "flow" and .netns == $netns) |
			[.tx_wire_bytes, .rx_wire_bytes, .tx_packets,
			.rx_packets]] | transpose | map(add)'
}

# all_metered STREAM BEFORE: what the interface has moved since then is what
# flows tell, but for the last acknowledgement of a connection, which has no
# socket any more.
all_metered() {
	jq -en "[$(counted), $2, $(metered "$1")] | transpose |
		map(.[0] - .[1] - .[2]) as [\$tx, \$rx, \$tx_packets,
			\$rx_packets] |
		([\$tx_packets, \$rx_packets] | all(. >= 0 and . <= 2)) and
		\$tx == 52 * \$tx_packets and \$rx == 52 * \$rx_packets"
}

# serve_iperf SPACE ADDRESS
serve_iperf() {
	in_background nsenter --net="/run/netns/$1" iperf3 -s -1 -B "$2" \
		>server 2>&1
	wait_until 20 iperf_listens "$1"
}

iperf_listens() {
	in_space "$1" ss -Hltn 'sport = :5201' | grep -q .
}

# to_right OPTION...: iperf3 from left to right, ended on both sides.
to_right() {
	serve_iperf "$right" 10.93.0.2
	in_space "$left" iperf3 -c 10.93.0.2 "$@" >client 2>&1 ||
		{ cat client; false; }
	wait "${started[-1]}"
}

# Each tick's ledger closes, in both directions.
closes() {
	same "$(grep '}$' "$1" | jq -nc '
		inputs | select(.type == "tick") | . as $t | ("tx", "rx") |
		. as $way | def of(what): $t["nic_\(what)\($way)_bytes"] // 0;
		(of("") + of("surplus_")) as $seen |
		(of("named_") + of("kernel_") + of("unattributed_") +
		of("carrier_") + of("forwarded_") + of("no_socket_")) as $told |
		select($seen != $told) | [$way, $seen, $told, $t]')" ''
}

# of_ledger STREAM LINE: its sum over the stream, both directions.
of_ledger() {
	grep '}$' "$1" | jq -n "[inputs | select(.type == \"tick\") |
		.nic_$2_tx_bytes // 0, .nic_$2_rx_bytes // 0] | add"
}

# --- The meter ---

@test "nm-collect: TCP's packets are those of the interface, headers and all" {
	cable a b
	before=$(counted)
	collect stream -i 0.2
	to_right -n 20M
	an_interval_later stream
	collected stream
	all_metered stream "$before"
}

@test "nm-collect: UDP's packets are those of the interface" {
	cable a b
	before=$(counted)
	collect stream -i 0.2
	to_right -u -b 200M -n 5M -l 1400
	an_interval_later stream
	collected stream
	all_metered stream "$before"
}

@test "nm-collect: what was joined to one packet counts as its segments" {
	cable a b
	ip -n "$left" link set e0 gso_max_segs 65535
	ip -n "$right" link set e0 gso_max_segs 65535
	collect stream -i 0.2
	to_right -n 20M
	an_interval_later stream
	collected stream
	# 32 bytes of TCP with its timestamps, 20 of IP; 1448 fit in between.
	grep '}$' stream | jq -e -n --argjson netns "$netns" '
		[inputs | select(.type == "flow" and .netns == $netns and
			.tx_bytes > 10000000)] |
		(map(.tx_wire_bytes) | add) as $wire |
		(map(.tx_packets) | add) as $packets |
		($wire / $packets) > 1400 and ($wire / $packets) <= 1500'
}

@test "nm-collect: packets sent again are counted, and told" {
	cable a b
	collect stream -i 0.2
	# Lost on their way back: acknowledgements. Lost on their way: a tenth.
	tc -n "$right" qdisc add dev e0 root netem loss 30% 2>/dev/null ||
		skip "no netem in this kernel"
	to_right -n 3M
	an_interval_later stream
	collected stream
	retrans=$(in_space "$left" awk '/^Tcp:/ {
			for (i = 1; i <= NF; i++) {
				if ($i == "RetransSegs") field = i
				else if (field && $field != "RetransSegs") value = $field
			}
		} END { print value }' /proc/net/snmp)
	same "$(grep '}$' stream | jq -n --argjson netns "$netns" '[inputs |
		select(.type == "flow" and .netns == $netns).retrans_packets //
		0] | add')" "$retrans"
	[ "$retrans" -gt 0 ]
}

@test "nm-collect: rtt_us is the round-trip time" {
	cable a b
	tc -n "$right" qdisc add dev e0 root netem delay 60ms 2>/dev/null ||
		skip "no netem in this kernel"
	collect stream -i 0.2
	to_right -n 100K
	an_interval_later stream
	collected stream
	grep '}$' stream | jq -e -n --argjson netns "$netns" '
		[inputs | select(.type == "flow" and .netns == $netns).rtt_us |
		values] | length > 0 and all(. >= 60000 and . < 2000000)'
}

@test "nm-collect: --no-wire counts no packets" {
	collect stream -i 0.2 --no-wire
	traffic ledger tcp4
	an_interval_later stream
	collected stream
	exact ledger stream
	! grep -E 'wire|packets|nic_' stream
}

# --- It only looks ---

# A transfer beside it ends well, whatever is done to nm-collect meanwhile.
undisturbed() {
	cable a b
	serve_iperf "$right" 10.93.0.2
	in_background nsenter --net="/run/netns/$left" iperf3 -c 10.93.0.2 \
		-t 8 -J >client 2>&1
	local transfer=${started[-1]}

	"$@"
	wait "$transfer" || { cat client; false; }
	jq -e '.end.sum_received.bytes > 0 and
		([.intervals[].sum.bytes] | all(. > 0))' client
}

kill_it() {
	for ((i = 0; i < 5; i++)); do
		collect stream -i 0.1
		kill -KILL "$collector"
		wait "$collector" || true
	done
}

@test "nm-collect: traffic goes on when it is killed in the middle" {
	undisturbed kill_it
}

fill_it() {
	collect stream -i 0.1 --max-flows 1 --max-processes 1
	traffic ledger tcp-many
	collected stream
}

@test "nm-collect: traffic goes on when its maps are full" {
	undisturbed fill_it
}

restart_it() {
	for ((i = 0; i < 15; i++)); do
		nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.05 -c 1 >stream
	done
}

@test "nm-collect: traffic goes on while it starts and ends in a loop" {
	undisturbed restart_it
}

# --- The ledger ---

# watch_left: nm-collect in the left namespace, whose ledger it then is.
watch_left() {
	nsenter --net="/run/netns/$left" nm-collect \
		${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.2 >stream 2>stream.errors \
		3>&- &
	collector=$!
	started+=("$collector")
	wait_until 60 grep -q '"type":"start"' stream
}

@test "nm-collect: the ledger closes, and processes have it all" {
	cable a b
	before=$(counted)
	watch_left
	to_right -n 20M
	to_right -u -b 100M -n 2M -l 1400
	an_interval_later stream
	collected stream
	closes stream
	moved=$(jq -n "[$(counted), $before] | transpose | map(.[0] - .[1]) |
		.[0] + .[1]")
	# The last acknowledgement of a connection has no socket any more; a
	# packet that the interface drops was sent all the same.
	told=$(($(of_ledger stream named) + $(of_ledger stream no_socket)))
	[ "$told" -ge "$moved" ] && [ "$told" -le $((moved + moved / 500)) ]
	same "$(of_ledger stream unattributed)" 0
	# Of what was between the interface and the socket when it was read.
	[ "$(of_ledger stream no_socket)" -lt $((moved / 200)) ]
}

@test "nm-collect: what the kernel answers by itself has no socket" {
	need ping
	cable a b
	watch_left
	in_space "$right" ping -q -c 5 -i 0.2 -s 1000 10.93.0.1 >/dev/null
	an_interval_later stream
	collected stream
	closes stream
	# 1000 bytes, 8 of ICMP, 20 of IP, there and back.
	same "$(of_ledger stream no_socket)" $((5 * 2 * 1028))
	same "$(of_ledger stream named)" 0
}

@test "nm-collect: what passes through is told as forwarded" {
	cable a b
	third=nm-c-$$
	space "$third"
	ip -n "$left" link add e1 mtu 1500 type veth peer name e0 netns "$third"
	end "$left" e1 10.94.0.1 02:00:00:00:00:03
	end "$third" e0 10.94.0.2 02:00:00:00:00:04
	in_space "$left" sysctl -qw net.ipv4.ip_forward=1
	ip -n "$right" route add default via 10.93.0.1
	ip -n "$third" route add default via 10.94.0.1
	watch_left
	serve_iperf "$third" 10.94.0.2
	in_space "$right" iperf3 -c 10.94.0.2 -n 20M >client 2>&1
	an_interval_later stream
	collected stream
	closes stream
	# Each packet came in by one interface and went out by the other.
	[ "$(of_ledger stream forwarded)" -gt 30000000 ]
	echo "no socket: $(of_ledger stream no_socket) of $(of_ledger stream forwarded)"
	[ "$(of_ledger stream no_socket)" -lt 200000 ]
	same "$(of_ledger stream unattributed)" 0
}

@test "nm-collect: a tunnel's carrier is told apart from what it carries" {
	cable a b
	for side in 1:2:"$left" 2:1:"$right"; do
		IFS=: read -r own other name <<<"$side"
		ip -n "$name" link add v0 mtu 1400 type vxlan id 7 dstport 4789 \
			local "10.93.0.$own" remote "10.93.0.$other" 2>error ||
			skip "no VXLAN in this kernel"
		end "$name" v0 "10.95.0.$own" "02:00:00:00:00:1$own"
		ip -n "$name" neighbour add "10.95.0.$other" \
			lladdr "02:00:00:00:00:1$other" dev v0
	done
	watch_left
	serve_iperf "$right" 10.95.0.2
	in_space "$left" iperf3 -c 10.95.0.2 -n 10M >client 2>&1
	an_interval_later stream
	collected stream
	closes stream
	grep '}$' stream | jq -c 'select(.type == "tick" and .nic_tx_bytes > 0)'
	# Inside: what iperf3 moved. Outside: the same with more headers, but
	# the interface counts them once for segments that are still joined.
	grep '}$' stream | jq -e -s 'map(select(.type == "tick")) |
		(map(.tunnel_tx_wire_bytes // 0) | add) as $in |
		(map(.nic_carrier_tx_bytes // 0) | add) as $out |
		$in > 5000000 and $out > 0.9 * $in and $out < 1.1 * $in'
	same "$(of_ledger stream named)" 0
	[ "$(of_ledger stream no_socket)" -lt 10000 ]
}

@test "nm-collect: frames of a packet socket are their sender's" {
	cable a b
	[ "${NM_BACKEND-}" != fexit ] ||
		grep -q ' packet_sendmsg$' /proc/kallsyms ||
		skip "packet sockets are a module here, which fexit does not see"
	need arping
	watch_left
	in_space "$left" arping -q -c 3 -w 2 -I e0 10.93.0.2 || true
	an_interval_later stream
	collected stream
	closes stream
	grep '}$' stream | jq -e -s 'any(.type == "flow" and .comm == "arping"
		and .proto == "packet" and .tx_packets >= 1)'
}
