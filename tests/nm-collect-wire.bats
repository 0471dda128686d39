# SPDX-License-Identifier: MIT
# bats file_tags=root
# The wire meter: held to the counters of interfaces, in network namespaces
# where nothing else moves.

load helpers
load collect
load accuracy
load cable

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
	# Of the connection that sends; a slow machine takes many intervals.
	# 32 bytes of TCP with its timestamps, 20 of IP; 1448 fit in between.
	grep '}$' stream | jq -e -n --argjson netns "$netns" '
		[inputs | select(.type == "flow" and .netns == $netns)] |
		group_by(.flow) | map(select(map(.tx_bytes) | add > 10000000)) |
		add | (map(.tx_wire_bytes) | add) as $wire |
		(map(.tx_packets) | add) as $packets |
		($wire / $packets) > 1400 and ($wire / $packets) <= 1500'
}

@test "nm-collect: a connection that is on its way at the start, to the byte" {
	need socat
	cable a b
	exchange_late 300007 1003
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

@test "nm-collect: what came for a port that nobody read is told of who closed it" {
	collect stream -i 0.2
	for scenario in udp4-unread udp6-unread; do
		nm-traffic "$scenario" >"$scenario" 3>&-
		pid=$(jq 'select(.role == "srv").pid' "$scenario")
		an_interval_later stream
		# 101 datagrams of 997 bytes, with 28 or 48 bytes of headers.
		same "$(grep '}$' stream | jq -nc --argjson pid "$pid" '
			[inputs | select(.type == "flow" and .pid == $pid) |
				{ rx_wire_bytes, comm, netns }] |
			[map(.rx_wire_bytes) | add] +
			(map(.comm, .netns) | unique)')" \
			"[$((101 * (${scenario:3:1} == 4 ? 1025 : 1045))),$(
			stat -L -c %i /proc/self/ns/net),\"t-srv\"]"
	done
}

@test "nm-collect: so is what came for one whose process was killed, and its end" {
	need perl socat
	collect stream -i 0.2
	coproc exec perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
			Proto => "udp") or die $!;
		$| = 1;
		print $s->sockport, "\n";
		sleep 60' 3>&-
	pid=$! started+=("$!")
	read -r port <&"${COPROC[0]}"
	for i in {1..5}; do
		echo 0123456789 | socat -u - "UDP-SENDTO:127.0.0.1:$port"
	done
	an_interval_later stream
	kill -KILL "$pid"
	an_interval_later stream
	same "$(grep '}$' stream | jq -nc --argjson pid "$pid" '
		[inputs | select(.pid == $pid)] |
		[(map(.rx_wire_bytes) | add), (map(.event // empty))]')" \
		"[$((5 * 39)),[\"process_start\",\"process_end\"]]"
}

# A daemon on $port, whose parent has ended when this returns; its pid.
daemon() {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
			LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1)
			or die $!;
		my $child = fork;
		print "$child\n" and exit if $child;
		close STDOUT;
		for (1 .. 20) {
			my $c = $s->accept or die $!;
			print $c scalar <$c>;
		}
	' "$port" 3>&-
}

@test "nm-collect: the handshakes of a server that went to the background are its own" {
	need perl socat
	port=$((20000 + RANDOM % 10000))
	collect stream -i 0.2
	# The second has the port of the first.
	for round in 1 2; do
		child=$(daemon)
		started+=("$child")
		an_interval_later stream
		from=$(stat -c %s stream)
		for i in {1..20}; do
			echo "$i" | socat -t 5 - "TCP:127.0.0.1:$port" >/dev/null
		done
		an_interval_later stream
		# But for the first connection, before which the child had
		# served none: SYN and ACK.
		same "$(tail -c "+$from" stream | grep '}$' | jq -nc \
			--argjson child "$child" --argjson port "$port" '
			[inputs | select(.type == "flow" and .lport == $port)] |
			(map(select(.pid != $child).rx_packets) | add // 0) as $other |
			(map(select(.pid == $child).rx_packets) | add // 0) as $own |
			$other <= 2 and $own >= 20 * 4 - 2')" true
	done
}

# connections COUNT: from left to right, of 2,000 bytes each.
connections() {
	in_background nsenter --net="/run/netns/$right" \
		socat -u TCP-LISTEN:5201,fork,reuseaddr OPEN:/dev/null
	wait_until 20 iperf_listens "$right"
	# shellcheck disable=SC2016 # for the other shell
	in_space "$left" bash -c 'for ((i = 0; i < $1; i++)); do
		head -c 2000 /dev/zero >/dev/tcp/10.93.0.2/5201
	done' - "$1"
}

@test "nm-collect: packets that found no room in a flow are their process's" {
	cable a b
	before=$(counted)
	ring=$left collect stream -i 60 --max-flows 16
	connections 60
	collected stream
	closes stream
	same "$(of_ledger stream unattributed)" 0
	# But for a last acknowledgement of each, which has no socket any more.
	[ "$(of_ledger stream no_socket)" -le $((60 * 52)) ]
	jq -en "($(moved "$before")) as \$moved | $(lines stream nic_named_) as \$told |
		[range(2) | \$moved[.] - \$told[.]] | all(. >= 0 and . <= 60 * 52)"
	# 2,000 bytes are two packets at least, beside the handshake.
	same "$(jq -n '[inputs | select(.type == "flow" and (has("flow") | not) and
		.comm == "head").tx_wire_bytes] | add >= (60 - 16) * 2000' stream)" true
	same "$(jq -c 'select(.type == "flow" and (has("pid") | not))' stream)" ''
}

@test "nm-collect: what moved before the first interval is in none" {
	cable a b
	in_background nsenter --net="/run/netns/$right" \
		socat -u TCP-LISTEN:5201,reuseaddr OPEN:/dev/null
	wait_until 20 iperf_listens "$right"
	in_background nsenter --net="/run/netns/$left" \
		socat -u OPEN:/dev/zero TCP:10.93.0.2:5201
	ring=$left collect stream -i 0.3
	an_interval_later stream
	an_interval_later stream
	collected stream
	closes stream
	[ "$(of_ledger stream surplus)" -lt 4500 ]
	next_to_none no_socket
}

# states PORT: what is told of the sockets that listen on it, in turn.
states() {
	grep '}$' stream | jq -r --argjson port "$1" '
		select(.type == "flow" and .lport == $port and
			(.raddr | not)) | "\(.comm) \(.state)"' | uniq
}

is_told() {
	[[ $(states "$1") = *"socat $2" ]]
}

@test "nm-collect: a listening socket that packets came for says that it is closed" {
	need socat
	port=$((20000 + RANDOM % 10000))
	collect stream -i 0.2
	for to in "$port" $((port + 1)); do
		in_background socat -u "TCP-LISTEN:$to,bind=127.0.0.1,fork" \
			OPEN:/dev/null
		wait_until 20 grep -q "$(printf ':%04X .* 0A ' "$to")" /proc/net/tcp
	done
	# Only the first.
	head -c 1009 /dev/zero | socat -u - "TCP:127.0.0.1:$port"
	wait_until 20 is_told "$port" open
	kill "${started[@]: -2}"
	wait_until 20 is_told "$port" closed
	an_interval_later stream
	same "$(states "$port")" 'socat open
socat closed'
	same "$(states $((port + 1)))" ''
}

@test "nm-collect: a socket is not that one's who had an earlier one in its place" {
	space "nm-place-$$"
	netns=$(stat -L -c %i "/run/netns/nm-place-$$")
	collect stream -i 0.2
	for round in {1..10}; do
		from=$(stat -c %s stream)
		# Its connections are read when they are over.
		in_space "nm-place-$$" nm-traffic tcp-large >ledger 3>&-
		an_interval_later stream
		tail -c "+$from" stream | grep '}$' | jq -e --argjson netns "$netns" \
			--slurpfile ledger ledger -n '[inputs |
			select(.type == "flow" and .netns == $netns and .pid).pid] |
			unique == ([$ledger[].pid] | sort)'
	done
}

@test "nm-collect: --no-wire counts no packets" {
	collect stream -i 0.2 --no-wire
	traffic ledger tcp4
	an_interval_later stream
	collected stream
	exact ledger stream
	run ! grep -E 'wire|packets|nic_' stream
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
