# SPDX-License-Identifier: MIT
# nm-collect -b diag: what it tells of UDP, whose bytes the kernel does not
# count: which sockets there are, and datagrams by network namespace.

load helpers
load diag

# can_udp: skip where the kernel cannot list UDP sockets.
can_udp() {
	need_netns
	need ss
	nm-collect -b diag -i 0.1 -c 1 | grep -q 'modprobe udp_diag' &&
		skip "no udp_diag in this kernel"
	inhabit
	inode=$(netns_of "$inhabitant")
}

# receive PORT FAMILY ADDRESS: a process in that namespace ($receiver), which
# takes what comes there.
receive() {
	"${inside[@]}" socat -u "UDP$2-RECV:$1,bind=$3" OPEN:received,creat &
	receiver=$!
	started+=("$receiver")
	wait_until 30 has_socket "$1"
}

has_socket() {
	"${inside[@]}" ss -Hlun "sport = :$1" | grep -q .
}

# sockets FILTER: what jq's filter says of the records of UDP sockets there.
sockets() {
	flows "map(select(.netns == $inode and .proto == \"udp\" and .flow)) | $1"
}

# datagrams: sent and received there, as told.
datagrams() {
	flows "map(select(.netns == $inode and (.flow | not))) |
		[map(.tx_datagrams), map(.rx_datagrams)] | map(add // 0)"
}

# told FUNCTION EXPECTED
told() {
	[ "$($1 2>/dev/null)" = "$2" ]
}

# bats test_tags=root
@test "nm-collect -b diag: a UDP socket has an owner and addresses, but no bytes" {
	can_udp
	receive 2000 4 127.0.0.1
	collect -i 0.1
	more_ticks 3
	# Told once: of the interval in which it was seen first.
	same "$(sockets 'map([.pid, .comm, .laddr, .lport, .raddr, .dir, .state,
		.quality, has("tx_bytes"), has("rx_bytes")])')" \
		"[[$receiver,\"socat\",\"127.0.0.1\",2000,null,null,\"open\",\"inferred\",false,false]]"
	# One that comes later, and is connected.
	"${inside[@]}" bash -c 'exec 9<>/dev/udp/127.0.0.1/2000
		exec sleep 1000' &
	client=$!
	started+=("$client")
	wait_until 30 eval '[ "$(sockets "map(select(.pid == $client)) |
		length" 2>/dev/null)" -ge 1 ]'
	same "$(sockets "map(select(.pid == $client)) | last |
		[.raddr, .rport, .state]")" '["127.0.0.1",2000,"open"]'
	kill -KILL "$client" "$receiver"
	wait_until 30 eval '[ "$(sockets "map(select(.state == \"closed\")) |
		length" 2>/dev/null)" = 2 ]'
	finish
	same "$(sockets 'map(select(.state == "closed").pid) | sort')" \
		"$(jq -nc "[$client, $receiver] | sort")"
	same "$(jq -s "map(select(.event == \"process_start\" and
		.pid == $receiver)) | length" stream)" 1
}

# bats test_tags=root
@test "nm-collect -b diag: UDP datagrams are counted by network namespace" {
	can_udp
	for family in 4,127.0.0.1 6,::1; do
		receive 2000 "${family%,*}" "[${family#*,}]"
		collect -i 0.1
		same "$(datagrams)" '[0,0]'
		# Each line is a write, and each write a datagram.
		"${inside[@]}" bash -c "for i in {1..101}; do
			echo \$i >/dev/udp/${family#*,}/2000; done"
		wait_until 30 told datagrams '[101,101]'
		more_ticks 2
		finish
		same "$(datagrams)" '[101,101]'
		same "$(flows "map(select(.netns == $inode and (.flow | not)) |
			has(\"pid\", \"tx_bytes\"), .proto, .quality) |
			unique")" '[false,"inferred","udp"]'
		kill -KILL "$receiver"
		wait_until 30 eval '! has_socket 2000'
	done
}

# bats test_tags=root
@test "nm-collect -b diag: the tick has the sums, also of datagrams" {
	can_udp
	as=("${own_only[@]}")
	collect -i 0.1
	nm-traffic udp4 >roles
	more_ticks 2
	finish
	same "$(jq -cn 'reduce (inputs | select(.type == "flow" or
			.type == "tick")) as $r ({};
		if $r.type == "flow" then
			.flows += 1 | .tx += $r.tx_datagrams // 0 |
			.rx += $r.rx_datagrams // 0 | .bytes += $r.tx_bytes // 0
		elif [.flows, .tx, .rx, .bytes] | map(. // 0) == [$r.flows,
			$r.unattributed_tx_datagrams // 0,
			$r.unattributed_rx_datagrams // 0, $r.tx_bytes] then
			{ok: (.ok + 1), all: (.all + .tx)}
		else error("\(.) is not \($r)") end) |
		.ok > 2 and .all > 100' stream)" true
}
