# SPDX-License-Identifier: MIT
# Network namespaces joined by a cable, where nothing else moves, and what the
# interfaces and the ledger say of it: `load cable`, after helpers, collect and
# accuracy. A file with a setup of its own calls cable_setup in it, and
# cable_teardown in its teardown.

# why_no_wire: why packets are not counted here; nothing if they are.
why_no_wire() {
	local cannot

	cannot=$(why_not)
	[ -n "$cannot" ] || nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} --once |
		grep -q '"type":"tick".*"tx_wire_bytes"' ||
		cannot='the wire cannot be metered here'
	echo "$cannot"
}

cable_setup() {
	[ -z "$cannot" ] || skip "$cannot"
	need ip iperf3
	cd "$BATS_TEST_TMPDIR"
	spaces=() started=()
}

cable_teardown() {
	local space

	end_started
	for space in ${spaces[@]+"${spaces[@]}"}; do
		ip netns del "$space" 2>/dev/null || true
	done
}

setup_file() {
	cannot=$(why_no_wire)
	export cannot
}

setup() {
	cable_setup
}

teardown() {
	cable_teardown
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

# watch_left [COMMAND]...: nm-collect (run by COMMAND) in the left namespace,
# whose ledger it then is.
watch_left() {
	nsenter --net="/run/netns/$left" "$@" nm-collect \
		${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.2 >stream 2>stream.errors \
		3>&- &
	collector=$!
	started+=("$collector")
	wait_until 60 grep -q '"type":"start"' stream
}

# send FROM TO ADDRESS BYTES: by a connection that ends when all has come
# (iperf3 throws away what is still on its way).
send() {
	in_background nsenter --net="/run/netns/$2" socat -u \
		"TCP-LISTEN:5201,bind=$3,reuseaddr" OPEN:received,creat,trunc
	wait_until 20 iperf_listens "$2"
	in_space "$1" socat -u "OPEN:/dev/zero,readbytes=$4" "TCP:$3:5201"
	wait "${started[-1]}"
	same "$(stat -c %s received)" "$4"
}

# transfer FROM TO ADDRESS BYTES: the same, and the collector's end.
transfer() {
	send "$@"
	an_interval_later stream
	collected stream
	closes stream
}

# --- What the ledger says ---

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

# moved BEFORE: what the left interface has sent and received since then.
moved() {
	jq -cn "[$(counted), $1] | transpose | map(.[0] - .[1]) | .[:2]"
}

# lines STREAM KEY [END]: the sums over its ticks of KEYtxEND_bytes and
# KEYrxEND_bytes.
lines() {
	grep '}$' "$1" | jq -cn "[inputs | select(.type == \"tick\") |
		[.$2tx${3-}_bytes // 0, .$2rx${3-}_bytes // 0]] |
		transpose | map(add)"
}

# dropped SPACE INTERFACE: packets that it could not send.
dropped() {
	ip -n "$1" -s -j link show dev "$2" |
		jq '.[0].stats64.tx | .dropped + .carrier_errors + .errors'
}

# has_all LINE BEFORE: to the byte, what the left interface has moved since then
# is on this line of the ledger, but for the last acknowledgement of a
# connection, which has no socket any more. What it drops was sent all the same.
has_all() {
	local drops

	drops=$(dropped "$left" e0)
	echo "moved $(moved "$2"), $1 $(lines stream "nic_$1_"), no socket" \
		"$(lines stream nic_no_socket_), surplus" \
		"$(lines stream nic_surplus_), dropped $drops packets" >&2
	jq -en "($(moved "$2")) as \$moved | $(lines stream "nic_$1_") as \$told |
		[range(2) | \$moved[.] - \$told[.]] | (.[1] >= 0) and
		(.[0] <= 104) and (.[1] <= 104) and (.[1] % 52 == 0) and
		if $drops == 0 then .[0] >= 0 and .[0] % 52 == 0
		else .[0] >= -1500 * $drops end"
}

# all_of LINE BEFORE: and the ledger has no more than the interface.
all_of() {
	local drops

	has_all "$@" || return
	drops=$(dropped "$left" e0)
	jq -en "($(moved "$2")) as \$moved | $(lines stream nic_) as \$told |
		[range(2) | \$told[.] - \$moved[.]] |
		all(. >= 0 and . <= 1500 * $drops)"
}

# next_to_none LINE: it has less than a thousandth of what was moved.
next_to_none() {
	jq -en "($(lines stream "nic_$1_") | add) * 1000 <
		($(lines stream nic_) | add)" >/dev/null && return
	echo "$1: $(lines stream "nic_$1_") of $(lines stream nic_)" >&2
	return 1
}

# exchange_late THERE BACK: bytes between left and right, by a connection that
# is on its way when nm-collect starts; to the byte.
exchange_late() {
	in_background nsenter --net="/run/netns/$right" socat \
		"TCP-LISTEN:5201,bind=10.93.0.2" \
		"SYSTEM:head -c $1 >received; head -c $2 /dev/zero"
	wait_until 20 iperf_listens "$right"
	ip -n "$left" neighbour replace 10.93.0.2 lladdr 02:00:00:00:00:99 \
		dev e0
	in_background nsenter --net="/run/netns/$left" socat \
		TCP:10.93.0.2:5201 \
		"SYSTEM:head -c $1 /dev/zero; head -c $2 >back"
	wait_until 20 is_connecting
	collect stream -i 0.2
	ip -n "$left" neighbour replace 10.93.0.2 lladdr 02:00:00:00:00:02 \
		dev e0
	wait "${started[@]:0:2}"
	same "$(stat -c %s received back)" "$1"$'\n'"$2"
	an_interval_later stream
	collected stream
	same "$(of_sides)" "[$1,$2,$2,$1]"
}

is_connecting() {
	in_space "$left" ss -Htn state syn-sent | grep -q .
}

# of_sides: payload that left and right sent and received.
of_sides() {
	grep '}$' stream | jq -s -c --argjson left "$netns" \
		--argjson right "$(stat -L -c %i "/run/netns/$right")" '
		map(select(.type == "flow")) | [(map(select(.netns == $left)),
			map(select(.netns == $right))) |
			map(.tx_bytes), map(.rx_bytes) | add]'
}
