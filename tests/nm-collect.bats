# SPDX-License-Identifier: MIT
# nm-collect: what it says, whom it names, how it ends. That it counts to the
# byte is in nm-collect-accuracy.bats. NM_BACKEND chooses the backend.

load helpers

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
}

teardown() {
	local pid

	for pid in "${started[@]}"; do
		{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
	done
}

# collect [OPTION]...: nm-collect in the background ($collector), writing to
# ./stream; returns when it counts.
collect() {
	nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} "$@" >stream 2>errors 3>&- &
	collector=$!
	started+=("$collector")
	wait_until 30 grep -q '"type":"tick"' stream
}

# ends_with STATUS: SIGTERM, and it ends in order. (Not SIGINT: jobs in the
# background of a shell ignore that one.)
ends_with() {
	local status=0

	kill -TERM "$collector" 2>/dev/null || true
	wait "$collector" || status=$?
	[ "$status" -eq "$1" ] || { cat errors >&2; return 1; }
}

# exact_backend: skip where only counters of the kernel are to be had.
exact_backend() {
	nm-collect --probe | grep -qE '^(fexit|tp) +yes' ||
		skip "neither fexit nor tp loads here"
}

# serve BYTES: an HTTP server on $port whose every answer has a body of that
# size, behind a head of 19 bytes.
serve() {
	port=$((20000 + RANDOM % 10000))
	head -c "$1" /dev/zero >body
	cat >answer <<-'END'
		#!/bin/bash
		while read -r line && [ "$line" != $'\r' ]; do :; done
		printf 'HTTP/1.0 200 OK\r\n\r\n'
		cat body
	END
	chmod +x answer
	socat "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr,backlog=128" \
		EXEC:./answer 3>&- &
	started+=("$!")
	wait_until 30 listening "$port"
}

listening() {
	ss -Hltn "sport = :$1" | grep -q .
}

# of_comm NAME FILTER: what jq's filter says of a program's flows, as a list.
of_comm() {
	jq -s --arg comm "$1" \
		"map(select(.type == \"flow\" and .comm == \$comm)) | $2" stream
}

# --- Without rights ---

@test "nm-collect: a usage error exits 2 with empty stdout" {
	run --separate-stderr nm-collect --no-such-option
	[ "$status" -eq 2 ]
	same "$output" ''
	run --separate-stderr nm-collect -b kprobe
	[ "$status" -eq 2 ]
	[[ $stderr == *kprobe* ]]
	run --separate-stderr nm-collect -p 12x
	[ "$status" -eq 2 ]
	[[ $stderr == *"'12x' is not a process id"* ]]
	run --separate-stderr nm-collect -i 0
	[ "$status" -eq 2 ]
	run --separate-stderr nm-collect --once -c 3
	[ "$status" -eq 2 ]
	run --separate-stderr nm-collect operand
	[ "$status" -eq 2 ]
}

@test "nm-collect: --probe tells of each backend whether it works, or why not" {
	run --separate-stderr nm-collect --probe
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
	same "$(awk '/^[a-z]/ { print $1 }' <<<"$output")" $'fexit\ntp\ndiag'
	# One line each, and a remedy behind each no.
	same "$(grep -cE '^[a-z]+ +no ' <<<"$output")" \
		"$(grep -c 'remedy: .' <<<"$output")"
}

# --- With rights ---

# bats test_tags=root
@test "nm-collect: names each missing capability, exits 3" {
	need_root
	need setpriv
	exact_backend
	install -m 755 "$(type -P nm-collect)" collect
	chmod 755 .
	backend=$(./collect --probe | awk '$2 == "yes" { print $1; exit }')
	for have in bpf perfmon; do
		missing=$([ $have = bpf ] && echo CAP_PERFMON || echo CAP_BPF)
		run --separate-stderr setpriv --reuid=65534 --regid=65534 \
			--clear-groups --inh-caps=-all,+$have \
			--ambient-caps=-all,+$have --bounding-set=-all,+$have \
			./collect -b "$backend" --once
		[ "$status" -eq 3 ]
		same "$output" ''
		[[ $stderr == *"not permitted without $missing "* ]]
	done
}

# bats test_tags=root
@test "nm-collect: a stream begins with start and ends with tick, also when idle" {
	need_root
	run --separate-stderr nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -c 3 -i 0.2
	[ "$status" -eq 0 ]
	same "$stderr" ''
	same "$(head -n 1 <<<"$output" | jq -r .type)" start
	same "$(tail -n 1 <<<"$output" | jq -r .type)" tick
	same "$(jq -r 'select(.type == "tick") | .type' <<<"$output" | wc -l)" 3
	# v, type, ts_us first; flat; nothing empty.
	same "$(jq -c 'keys_unsorted[:3]' <<<"$output" | sort -u)" \
		'["v","type","ts_us"]'
	same "$(jq -c 'select(any(.[]; type == "object" or type == "array" or
		. == null or . == ""))' <<<"$output")" ''
	same "$(jq -r 'select(.type == "start") | .boot_id' <<<"$output")" \
		"$(cat /proc/sys/kernel/random/boot_id)"
}

# bats test_tags=root
@test "nm-collect: --once is one interval" {
	need_root
	run --separate-stderr nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} --once -i 0.1
	[ "$status" -eq 0 ]
	same "$(jq -r 'select(.type == "tick") | .type' <<<"$output")" tick
}

# bats test_tags=root
@test "nm-collect: a lesser backend is said in a notice, with the reason" {
	need_root
	run --separate-stderr nm-collect --once -i 0.1
	[ "$status" -eq 0 ]
	used=$(jq -r 'select(.type == "start") | .backend' <<<"$output")
	notices=$(jq -r 'select(.type == "notice" and .code == "backend") |
		.text' <<<"$output")
	if [ "$used" = fexit ]; then
		same "$notices" ''
	else
		[[ $notices == "$used is used, not fexit: "*"remedy: "* ]]
	fi
}

# bats test_tags=root
@test "nm-collect: names a program that lived a few milliseconds" {
	need_root
	exact_backend
	need curl socat
	serve 10007
	collect -i 0.5
	for _ in 1 2 3 4 5 6 7; do
		curl -s -o /dev/null "http://127.0.0.1:$port/"
	done
	ends_with 0
	same "$(of_comm curl 'map(.pid) | unique | length')" 7
	same "$(of_comm curl 'map(.rx_bytes) | add')" $((7 * (10007 + 19)))
	same "$(of_comm curl 'map(.exe) | unique | .[]')" "\"$(type -P curl)\""
	same "$(of_comm curl 'map(.uid) | unique | .[]')" 0
	same "$(of_comm curl 'map(.ppid) | unique | .[]')" $BASHPID
	same "$(of_comm curl 'map(.dir) | unique | .[]')" '"out"'
	same "$(of_comm curl 'map(.rport) | unique | .[]')" "$port"
	same "$(of_comm curl 'map(.quality) | unique | .[]')" '"exact"'
	same "$(of_comm curl 'map(.netns) | unique | .[]')" \
		"$(stat -Lc %i /proc/self/ns/net)"
}

# bats test_tags=root
@test "nm-collect: a connection that was refused is told, with who tried" {
	need_root
	exact_backend
	need curl
	collect -i 0.2
	run curl -s "http://127.0.0.1:9/"
	[ "$status" -eq 7 ]
	ends_with 0
	same "$(jq -c 'select(.type == "flow" and .comm == "curl") |
		[.raddr, .rport, .dir, .tx_bytes, .rx_bytes, .state]' stream)" \
		'["127.0.0.1",9,"out",0,0,"closed"]'
}

# bats test_tags=root
@test "nm-collect: a process's end tells its totals, and they are its flows' sums" {
	need_root
	exact_backend
	need curl socat
	serve 100003
	collect -i 0.2
	curl -s -o /dev/null --limit-rate 200k "http://127.0.0.1:$port/"
	wait_until 30 grep -q '"event":"process_end".*"comm":"curl"' stream
	ends_with 0
	same "$(jq -s 'map(select(.comm == "curl" and .event == "process_end")) |
		map([.total_tx_bytes, .total_rx_bytes])[0]' stream)" \
		"$(of_comm curl '[(map(.tx_bytes) | add), (map(.rx_bytes) | add)]')"
	same "$(jq -rs 'map(select(.comm == "curl")) | .[0].event' stream)" \
		process_start
	# Its last record; only its sockets may close later.
	same "$(of_comm curl 'map(.state) | .[-1]')" '"closed"'
}

# bats test_tags=root
@test "nm-collect: the ticks' sums are those of the flows" {
	need_root
	need curl socat
	serve 50021
	collect -i 0.2
	for _ in 1 2 3; do
		curl -s -o /dev/null "http://127.0.0.1:$port/"
	done
	ends_with 0
	same "$(jq -s 'map(select(.type == "tick")) |
		[(map(.flows) | add), (map(.tx_bytes) | add),
		 (map(.rx_bytes) | add)]' stream)" \
		"$(jq -s 'map(select(.type == "flow")) |
		[length, (map(.tx_bytes) | add // 0),
		 (map(.rx_bytes) | add // 0)]' stream)"
}

# bats test_tags=root
@test "nm-collect: a process that becomes another program says so" {
	need_root
	exact_backend
	need socat
	collect -i 0.2
	socat -u UDP-RECV:29871,bind=127.0.0.1 /dev/null 3>&- &
	started+=("$!")
	mkfifo go
	bash -c 'echo -n 12345 >/dev/udp/127.0.0.1/29871
		read -r <go
		exec tail -f /dev/null' 3>&- &
	changed=$!
	started+=("$changed")
	wait_until 30 grep -q "\"process_start\",\"pid\":$changed" stream
	echo >go
	wait_until 30 grep -q '"event":"process_exec".*"comm":"tail"' stream
	ends_with 0
	same "$(jq -c --argjson pid $changed 'select(.type == "event" and
		.pid == $pid) | [.event, .comm]' stream | sort -u)" \
		$'["process_exec","tail"]\n["process_start","bash"]'
}

# bats test_tags=root
@test "nm-collect: the effective user counts, and -p shows one process only" {
	need_root
	exact_backend
	need setpriv socat
	socat -u UDP-RECV:29872,bind=127.0.0.1 /dev/null 3>&- &
	receiver=$!
	started+=("$receiver")
	collect -i 0.2
	setpriv --reuid=65533 --regid=65533 --clear-groups \
		bash -c 'echo -n 1234567 >/dev/udp/127.0.0.1/29872'
	ends_with 0
	same "$(jq -c 'select(.type == "flow" and .uid == 65533) |
		[.comm, .tx_bytes, .raddr, .rport]' stream)" \
		'["bash",7,"127.0.0.1",29872]'

	collect -i 0.2 -p "$receiver"
	bash -c 'echo -n 1234567 >/dev/udp/127.0.0.1/29872'
	wait_until 30 grep -q '"rx_bytes":7' stream
	ends_with 0
	same "$(jq 'select(.type == "flow" or .type == "event") | .pid' stream |
		sort -u)" "$receiver"
	same "$(jq -s 'map(select(.type == "tick").tx_bytes) | add' stream)" 0
}

# bats test_tags=root
@test "nm-collect: the remote side of an unconnected socket is told per datagram" {
	need_root
	exact_backend
	need socat
	collect -i 0.2
	socat -u UDP-RECVFROM:29873,bind=127.0.0.1,fork OPEN:/dev/null 3>&- &
	started+=("$!")
	wait_until 30 bash -c "ss -Hlun 'sport = :29873' | grep -q ."
	for port in 29874 29875; do
		echo -n 123 | socat -u - \
			"UDP-SENDTO:127.0.0.1:29873,bind=127.0.0.1:$port"
	done
	wait_until 30 bash -c "grep -c '\"lport\":29873' stream | grep -qx 2"
	ends_with 0
	same "$(jq -c 'select(.type == "flow" and .lport == 29873) |
		[.raddr, .rport, .rx_bytes]' stream | sort)" \
		$'["127.0.0.1",29874,3]\n["127.0.0.1",29875,3]'
	# One socket, two flows.
	same "$(jq -r 'select(.type == "flow" and .lport == 29873) |
		.flow' stream | sort -u | wc -l)" 2
	same "$(jq -r 'select(.type == "flow" and .lport == 29873) |
		.flow' stream | cut -d- -f1 | sort -u | wc -l)" 1
}

# bats test_tags=root
@test "nm-collect: a reader that stalls loses nothing" {
	need_root
	exact_backend
	need curl socat
	serve 100003
	mkfifo pipe
	nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.05 >pipe 3>&- &
	collector=$!
	started+=("$collector")
	exec 5<pipe
	IFS= read -r -u 5 line	# it counts; from now on nobody reads
	[[ $line == *'"type":"start"'* ]]
	for _ in $(seq 60); do
		curl -s -o /dev/null "http://127.0.0.1:$port/"
	done
	kill -TERM "$collector"
	cat <&5 >stream
	exec 5<&-
	wait "$collector"
	same "$(of_comm curl 'map(.rx_bytes) | add')" $((60 * (100003 + 19)))
}

# bats test_tags=root
@test "nm-collect: what has no room is counted and told" {
	need_root
	exact_backend
	need socat
	collect -i 0.2 --max-processes 1
	socat -u UDP-RECV:29876,bind=127.0.0.1 /dev/null 3>&- &
	started+=("$!")
	wait_until 30 bash -c "ss -Hlun 'sport = :29876' | grep -q ."
	for _ in 1 2 3; do
		bash -c 'echo -n 12345 >/dev/udp/127.0.0.1/29876'
	done
	wait_until 30 grep -q '"unattributed' stream
	ends_with 0
	# All that was sent and received is there, with a name or without.
	same "$(jq -s 'map(select(.type == "tick").tx_bytes) | add' stream)" 15
	same "$(jq -s 'map(select(.type == "tick").rx_bytes) | add' stream)" 15
	same "$(jq -s 'map(select(.type == "tick")) |
		[(map(.unattributed_tx_bytes) | add) +
		 (map(.unattributed_rx_bytes) | add)] ==
		[map(.unattributed_tx_bytes, .unattributed_rx_bytes) | add]' stream)" true
	same "$(jq -s 'map(select(.type == "tick").lost_processes) | add > 0' stream)" true
	same "$(jq -s 'map(select(.type == "flow" and (has("pid") | not)) |
		.tx_bytes + .rx_bytes) | add' stream)" \
		"$(jq -s 'map(select(.type == "tick") |
		.unattributed_tx_bytes, .unattributed_rx_bytes) | add' stream)"
}

# bats test_tags=root
@test "nm-collect: holds no more rights than for names once it counts" {
	need_root
	exact_backend
	collect
	same "$(awk '/^Uid/ { print $2, $3, $4 }' "/proc/$collector/status")" \
		'65534 65534 65534'
	same "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$collector/status")" 1
	# CAP_DAC_READ_SEARCH is 2, CAP_SYS_PTRACE 19; CAP_BPF (39) before 5.19.
	caps=$((0x$(awk '/^CapPrm/ { print $2 }' "/proc/$collector/status")))
	same $((caps & ~(1 << 39))) $((1 << 2 | 1 << 19))
	same $((0x$(awk '/^CapEff/ { print $2 }' "/proc/$collector/status"))) \
		"$caps"
	ends_with 0
}

# bats test_tags=root
@test "nm-collect: -v tells what happens in the kernel" {
	need_root
	exact_backend
	collect -i 0.2 -vv
	bash -c 'echo -n 12345 >/dev/udp/127.0.0.1/29877'
	wait_until 30 grep -q 'kernel: process [0-9]*: first use' errors
	wait_until 30 grep -q 'kernel: process [0-9]*: ended' errors
	grep -qE ': attached tp_btf/sched_process_exec' errors
	grep -qE 'maps: [0-9]+ of 16384 processes, [0-9]+ of 32768 flows' errors
	ends_with 0
}

# bats test_tags=root
@test "nm-collect: ends quietly when its reader goes" {
	need_root
	run bash -c "set -o pipefail
		nm-collect ${NM_BACKEND:+-b $NM_BACKEND} -i 0.1 | head -n 1"
	[ "$status" -eq 0 ]
	same "$(jq -r .type <<<"$output")" start
}

# bats test_tags=root
@test "nm-collect: a full disk is an error" {
	need_root
	run --separate-stderr bash -c 'nm-collect -i 0.1 >/dev/full'
	[ "$status" -eq 1 ]
	[[ $stderr == *'nm-collect: standard output: No space left on device'* ]]
}

# bats test_tags=root
@test "nm-collect: leaves nothing in the kernel, also when it is killed" {
	need_root
	exact_backend
	need bpftool
	bpftool prog list | grep -qE 'name on_(set_state|exec) ' &&
		skip "another nm-collect is running"
	collect
	bpftool prog list | grep -qE 'name on_set_state '
	kill -KILL "$collector"
	wait "$collector" || true
	wait_until 30 bash -c '! bpftool prog list | grep -qE "name on_set_state "'
}
