# SPDX-License-Identifier: MIT
# nm-collect -b diag: what can be concluded from the counters of TCP sockets,
# held against what the programs (nm-traffic) know, and against ss(8).

load helpers
load diag

# closed_of COUNT PIDS: so many flows of these processes have ended.
closed_of() {
	[ "$(flows "map(select(.pid | IN($2[])) | select(.state == \"closed\")) |
		length" 2>/dev/null)" = "$1" ]
}

# alone_many [OPTION]...: 101 connections that live for a moment; returns when
# the sums are those of nm-traffic, and another interval has changed nothing.
alone_many() {
	"${alone[@]}" "${own_only[@]}" nm-collect -b diag "$@" >stream \
		2>errors &
	collector=$!
	started+=("$collector")
	wait_until 30 grep -q '"type":"start"' stream
	nsenter -t "$collector" -n nm-traffic tcp-many >roles
	wait_until 30 sums_are_known
	more_ticks 1
	finish
	same "$(sums)" "$(jq -cs '[map(.tx_bytes), map(.rx_bytes)] | map(add)' \
		roles)"
}

sums() {
	flows '[map(.tx_bytes), map(.rx_bytes)] | map(add)'
}

sums_are_known() {
	[ "$(sums 2>/dev/null)" = "$(jq -cs '[map(.tx_bytes), map(.rx_bytes)] |
		map(add)' roles)" ]
}

# --- For everybody ---

@test "nm-collect -b diag: -c 2 ends after two ticks with status 0" {
	run --separate-stderr nm-collect -b diag -i 0.1 -c 2
	[ "$status" -eq 0 ]
	same "$(jq -r 'select(.type == "start").backend' <<<"$output")" diag
	same "$(grep -c '"type":"tick"' <<<"$output")" 2
	same "$(tail -n 1 <<<"$output" | jq -r .type)" tick
}

@test "nm-collect -b diag: names who moved what, to the byte (IPv4)" {
	to_the_byte tcp4
	pids=$(jq -sc 'map(select(.role).pid) | sort' roles)
	# The last record of each flow, and only that, says that it is closed.
	same "$(flows "group_by(.flow)[] | select(.[0].pid | IN($pids[])) |
		[.[-1].state, (map(select(.state == \"closed\")) | length)]")" \
		$'["closed",1]\n["closed",1]'
	same "$(flows 'map(select(.comm == "t-cli") | .dir, .quality, .proto) |
		unique')" '["inferred","out","tcp"]'
	same "$(flows 'map(select(.comm == "t-srv").dir) | unique')" '["in"]'
}

@test "nm-collect -b diag: names who moved what, to the byte (IPv6)" {
	to_the_byte tcp6
	same "$(flows 'map(select(.comm == "t-cli") | .laddr, .raddr) |
		unique')" '["::1"]'
}

@test "nm-collect -b diag: IPv4 on IPv6 sockets is told as IPv4" {
	to_the_byte tcp-mapped
	same "$(flows 'map(select(.comm == "t-cli") | .laddr, .raddr) |
		unique')" '["127.0.0.1"]'
}

@test "nm-collect -b diag: counts what sendfile and splice move" {
	to_the_byte sendfile4
	to_the_byte splice6
}

@test "nm-collect -b diag: received is what was read, not what arrived" {
	# The server has read a part, and has the rest unread, at the start.
	to_the_byte tcp-behind
}

@test "nm-collect -b diag: a process that was seen has a start and an end" {
	to_the_byte tcp4
	same "$(jq -c 'select(.type == "event" and .comm == "t-cli") |
		[.event, .total_tx_bytes, .total_rx_bytes]' stream)" \
		"[\"process_start\",null,null]
$(jq -c 'select(.role == "cli") |
		["process_end", .tx_bytes, .rx_bytes]' roles)"
	# As /proc has it: 10 ms, rounded down.
	same "$(jq -s 'map(select(.comm == "t-cli").start_us % 10000) |
		unique | add' stream)" 0
}

@test "nm-collect -b diag: agrees with ss about a connection that is open" {
	need ss socat
	port=$((20000 + RANDOM % 20000))
	self=$BASHPID
	socat -u "TCP-LISTEN:$port,bind=127.0.0.1" OPEN:received,creat &
	started+=("$!")
	wait_until 30 eval "ss -Hltn 'sport = :$port' | grep -q ."
	collect -i 0.1
	exec {connection}<>"/dev/tcp/127.0.0.1/$port"
	head -c 12347 /dev/zero >&"$connection"
	wait_until 30 eval '[ "$(stat -c %s received)" = 12347 ]'
	more_ticks 2
	finish
	told=$(flows "map(select(.rport == $port and .pid == $self).tx_bytes) |
		add")
	same "$told" "$(ss -Htin "dport = :$port" |
		sed -n 's/.* bytes_sent:\([0-9]*\).*/\1/p')"
	same "$told" 12347
	same "$(flows "map(select(.lport == $port).rx_bytes) | add")" \
		"$(ss -Htin "sport = :$port" |
		sed -n 's/.* bytes_received:\([0-9]*\).*/\1/p')"
	exec {connection}>&-
}

@test "nm-collect -b diag: a shared socket is that of who started first" {
	hold inherit
	collect -i 0.2
	release
	wait_until 30 closed_of 2 "$(jq -sc 'map(select(.role).pid)' roles)"
	finish
	# A parent and its child on each side; the children are named kid.
	for side in tx rx; do
		total=$(jq -s "map(.${side}_bytes // 0) | add" roles)
		name=$([ $side = tx ] && echo t-cli || echo t-srv)
		same "$(flows "map(select(.comm == \"$name\").${side}_bytes) |
			add")" "$total"
	done
	same "$(flows 'map(select(.comm // "" | startswith("t-kid"))) | length')" 0
}

# --- Alone in a network namespace ---

# bats test_tags=root
@test "nm-collect -b diag: short connections have all their bytes, but no process" {
	need_root
	alone_many -i 2
	same "$(flows 'map(.flow) | unique | length')" 202
	# A dump may have come in between, and then named some.
	[ "$(flows 'map(select(.state == "closed" and .pid == null)) | length')" \
		-ge 101 ]
	same "$(flows 'group_by(.dir) | map([.[0].dir, length])')" \
		'[["in",101],["out",101]]'
	same "$(jq -s 'map(select(.type == "tick").unattributed_tx_bytes) | add' \
		stream)" "$(flows 'map(select(.pid == null).tx_bytes) | add')"
}

# bats test_tags=root
@test "nm-collect -b diag: --max-flows takes away detail, but no bytes" {
	need_root
	alone_many -i 2 --max-flows 5
	same "$(jq -s 'group_by(.ts_us) |
		map(map(select(.type == "flow" and .flow)) | length) | max' \
		stream)" 5
	[ "$(jq -s 'map(select(.type == "tick").lost_flows) | add' stream)" \
		-ge 190 ]
	same "$(flows 'map(select(.flow | not) | .laddr, .rport) | unique')" \
		'[null]'
}

# bats test_tags=root
@test "nm-collect -b diag: the end of a connection that is long dead moves nothing" {
	need_root
	need ss socat
	"${alone[@]}" bash -c '
		set -e
		socat -u TCP-LISTEN:2000 OPEN:received,creat & server=$!
		until ss -Hltn | grep -q 2000; do sleep 0.05; done
		exec 9<>/dev/tcp/127.0.0.1/2000
		head -c 5000 /dev/zero >&9
		until [ "$(stat -c %s received)" = 5000 ]; do sleep 0.05; done
		ss -Kn dport = :2000 | grep -q 2000 || exit 77
		wait $server || true
		sleep 0.1	# more than the jiffies that an age is rounded to
		"$@" nm-collect -b diag -i 60 9>&- >stream & collector=$!
		until grep -q start stream; do sleep 0.05; done
		exec 9>&-
		sleep 0.1	# there is no sign of a notice but the record
		kill -TERM $collector
		wait $collector' - "${own_only[@]}" || {
		[ $? -eq 77 ] && skip "this kernel cannot close a socket"
		return 1
	}
	same "$(flows .)" '[]'
}

# --- Without rights ---

# bats test_tags=root
@test "nm-collect -b diag: without rights it counts all, and names its own" {
	need_root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR/.." "$BATS_TEST_TMPDIR/.." \
		"$BATS_TEST_TMPDIR"
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups
		--bounding-set=-all --inh-caps=-all)
	hold tcp4
	as=("${nobody[@]}")
	collect -i 0.2
	release
	mv roles of-root
	hold tcp4
	more_ticks 2
	release
	wait_until 30 all_told
	finish
	same "$(of_roles)" "$(known)"
	# Root's are there, as nobody's.
	cli=$(jq 'select(.role == "cli").tx_bytes' of-root)
	same "$(flows "map(select(.pid == null and .dir == \"out\")) |
		group_by(.flow) | map(map(.tx_bytes) | add) |
		map(select(. == $cli)) | length")" 1
	grep -q '"code":"rights"' stream
}
