# SPDX-License-Identifier: MIT
# nm-collect: whom it names, and what it says of them. That it counts to the
# byte is in nm-collect-accuracy.bats.

# bats file_tags=root

load helpers
load collect
load accuracy

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
}

teardown() {
	end_started
}

@test "nm-collect: names a program that lived a few milliseconds" {
	exact_backend
	need curl socat
	serve 10007
	collect stream -i 0.5
	for _ in 1 2 3 4 5 6 7; do
		curl -s -o /dev/null "http://127.0.0.1:$port/"
	done
	collected stream
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

@test "nm-collect: a connection that was refused is told, with who tried" {
	exact_backend
	need curl
	collect stream -i 0.2
	run curl -s "http://127.0.0.1:9/"
	[ "$status" -eq 7 ]
	collected stream
	same "$(jq -c 'select(.type == "flow" and .comm == "curl") |
		[.raddr, .rport, .dir, .tx_bytes, .rx_bytes, .state]' stream)" \
		'["127.0.0.1",9,"out",0,0,"closed"]'
}

@test "nm-collect: a process's end tells its totals, and they are its flows' sums" {
	exact_backend
	need curl socat
	serve 100003
	collect stream -i 0.2
	curl -s -o /dev/null --limit-rate 200k "http://127.0.0.1:$port/"
	wait_until 30 grep -q '"event":"process_end".*"comm":"curl"' stream
	collected stream
	same "$(jq -s 'map(select(.comm == "curl" and .event == "process_end")) |
		map([.total_tx_bytes, .total_rx_bytes])[0]' stream)" \
		"$(of_comm curl '[(map(.tx_bytes) | add), (map(.rx_bytes) | add)]')"
	same "$(jq -rs 'map(select(.comm == "curl")) | .[0].event' stream)" \
		process_start
	# Its last record; only its sockets may close later.
	same "$(of_comm curl 'map(.state) | .[-1]')" '"closed"'
}

@test "nm-collect: the ticks' sums are those of the flows" {
	need_root
	need curl socat
	serve 50021
	collect stream -i 0.2
	for _ in 1 2 3; do
		curl -s -o /dev/null "http://127.0.0.1:$port/"
	done
	collected stream
	same "$(jq -s 'map(select(.type == "tick")) |
		[(map(.flows) | add), (map(.tx_bytes) | add),
		 (map(.rx_bytes) | add)]' stream)" \
		"$(jq -s 'map(select(.type == "flow")) |
		[length, (map(.tx_bytes) | add // 0),
		 (map(.rx_bytes) | add // 0)]' stream)"
}

@test "nm-collect: a process that becomes another program says so" {
	exact_backend
	need socat
	collect stream -i 0.2
	in_background socat -u UDP-RECV:29871,bind=127.0.0.1 /dev/null
	mkfifo go
	bash -c 'echo -n 12345 >/dev/udp/127.0.0.1/29871
		read -r <go
		exec tail -f /dev/null' 3>&- &
	changed=$!
	started+=("$changed")
	wait_until 30 grep -q "\"process_start\",\"pid\":$changed" stream
	echo >go
	wait_until 30 grep -q '"event":"process_exec".*"comm":"tail"' stream
	collected stream
	same "$(jq -c --argjson pid $changed 'select(.type == "event" and
		.pid == $pid) | [.event, .comm]' stream | sort -u)" \
		$'["process_exec","tail"]\n["process_start","bash"]'
}

@test "nm-collect: the effective user counts, and -p shows one process only" {
	exact_backend
	need setpriv socat
	in_background socat -u UDP-RECV:29872,bind=127.0.0.1 /dev/null
	receiver=${started[-1]}
	collect stream -i 0.2
	setpriv --reuid=65533 --regid=65533 --clear-groups \
		bash -c 'echo -n 1234567 >/dev/udp/127.0.0.1/29872'
	collected stream
	same "$(jq -c 'select(.type == "flow" and .uid == 65533) |
		[.comm, .tx_bytes, .raddr, .rport]' stream)" \
		'["bash",7,"127.0.0.1",29872]'

	collect stream -i 0.2 -p "$receiver"
	bash -c 'echo -n 1234567 >/dev/udp/127.0.0.1/29872'
	wait_until 30 grep -q '"rx_bytes":7' stream
	collected stream
	same "$(jq 'select(.type == "flow" or .type == "event") | .pid' stream |
		sort -u)" "$receiver"
	same "$(jq -s 'map(select(.type == "tick").tx_bytes) | add' stream)" 0
}

@test "nm-collect: -p is over when the last of its processes has ended" {
	exact_backend
	in_background sleep 600
	in_background sleep 600
	collect stream -i 0.2 -p "${started[0]}" -p "${started[1]}"
	kill "${started[0]}"
	an_interval_later stream
	kill "${started[1]}"
	wait "$collector"
	jq -es 'last.type == "tick"' stream
}

# at_root_cgroup: skip where tp has no place to note what it needs.
at_root_cgroup() {
	[ "${NM_BACKEND-}" != tp ] || grep -q ' cgroup2 ' /proc/mounts ||
		skip "tp notes it at the root of cgroup version 2, as nm-backends(7) says"
}

# may_read: skip where fexit may not read the address that a call was given.
may_read() {
	[ "${NM_BACKEND-}" = tp ] ||
		! grep -qsF "[confidentiality]" /sys/kernel/security/lockdown ||
		skip "fexit may not read it in a locked-down kernel, as nm-backends(7) says"
}

@test "nm-collect: the remote side of an unconnected socket is told per datagram" {
	exact_backend
	need socat
	at_root_cgroup
	may_read
	collect stream -i 0.2
	in_background socat -u UDP-RECVFROM:29873,bind=127.0.0.1,fork OPEN:/dev/null
	wait_until 30 bash -c "ss -Hlun 'sport = :29873' | grep -q ."
	for port in 29874 29875; do
		echo -n 123 | socat -u - \
			"UDP-SENDTO:127.0.0.1:29873,bind=127.0.0.1:$port"
	done
	# Its packet may be told an interval before its bytes are.
	wait_until 30 bash -c "grep '\"lport\":29873' stream |
		grep -c '\"rx_bytes\":3,' | grep -qx 2"
	collected stream
	same "$(jq -c 'select(.type == "flow" and .lport == 29873 and
		.rx_bytes > 0) |
		[.raddr, .rport, .rx_bytes]' stream | sort)" \
		$'["127.0.0.1",29874,3]\n["127.0.0.1",29875,3]'
	# One socket, two flows.
	same "$(jq -r 'select(.type == "flow" and .lport == 29873 and .raddr) |
		.flow' stream | sort -u | wc -l)" 2
	same "$(jq -r 'select(.type == "flow" and .lport == 29873) |
		.flow' stream | cut -d- -f1 | sort -u | wc -l)" 1
}

@test "nm-collect: who was first to send, if it was there from the beginning" {
	exact_backend
	need socat
	at_root_cgroup
	printf '%s\n' 5.11 "$(uname -r)" | sort -CV ||
		skip "not known before 5.11, as nm-backends(7) says"
	in_background socat -u UDP-RECVFROM:29880,bind=127.0.0.1,fork OPEN:/dev/null
	wait_until 30 udp_listens 29880
	collect stream -i 0.2
	in_background socat -u UDP-RECVFROM:29881,bind=127.0.0.1,fork OPEN:/dev/null
	wait_until 30 udp_listens 29881
	for port in 29880 29881; do
		bash -c "echo -n 123 >/dev/udp/127.0.0.1/$port"
	done
	wait_until 30 bash -c "grep '\"lport\":2988[01]' stream |
		grep -c '\"rx_bytes\":3,' | grep -qx 2"
	an_interval_later stream
	collected stream
	same "$(jq -c 'select(.type == "flow" and (.tx_bytes > 0 or .rx_bytes > 0) and
		(.rport, .lport | . == 29880 or . == 29881)) |
		[([.lport, .rport] | min), .comm, .dir]' stream | sort -u)" \
		'[29880,"bash","out"]
[29880,"socat",null]
[29881,"bash","out"]
[29881,"socat","in"]'
}

udp_listens() {
	ss -Hlun "sport = :$1" | grep -q .
}

# All that MPTCP accepts has the cookie of the listening socket.
@test "nm-collect: what MPTCP accepts is a flow of its own, with its other side" {
	exact_backend
	collect stream -i 0.2
	traffic ledger mptcp4
	an_interval_later stream
	collected stream
	server=$(jq 'select(.role == "srv").pid' ledger)
	client=$(jq 'select(.role == "cli").pid' ledger)
	port=$(jq -n "first(inputs | select(.pid == $client and .rport)).lport" stream)
	same "$(jq -c "select(.type == \"flow\" and .pid == $server and
		(.tx_bytes > 0 or .rx_bytes > 0)) | [.dir, .raddr, .rport]" \
		stream | sort -u)" "[\"in\",\"127.0.0.1\",$port]"
	# The handshake is the listening socket's.
	same "$(jq -c "select(.type == \"flow\" and .pid == $server) |
		[.flow, .dir]" stream | sort -u | cut -d, -f2 | sort)" \
		$'"in"]\nnull]'
}

@test "nm-collect: a raw socket has no port" {
	exact_backend
	collect stream -i 0.2
	traffic ledger raw-icmp4
	an_interval_later stream
	collected stream
	same "$(jq -c 'select(.type == "flow" and .proto == "icmp") |
		[.comm, .lport, .rport]' stream | sort -u)" \
		'["t-ping",null,null]'
}

@test "nm-collect: the end of a datagram socket is told, once, under its flow" {
	exact_backend
	need socat
	at_root_cgroup
	in_background socat -u UDP-RECV:29877,bind=127.0.0.1 /dev/null
	collect stream -i 0.2
	bash -c 'echo -n 1234567 >/dev/udp/127.0.0.1/29877'
	wait_until 30 grep -q '"rport":29877.*"state":"closed"' stream
	collected stream
	same "$(jq -c 'select(.type == "flow" and .rport == 29877)' stream |
		jq -sc '[(map(.flow) | unique | length), .[0].comm,
			(map(.tx_bytes) | add), .[-1].state,
			(map(select(.state == "closed")) | length)]')" \
		'[1,"bash",7,"closed",1]'
}

# A sender that ends at once, and a receiver that begins to read at a sign.
@test "nm-collect: a socket that closes long after its process still has its name" {
	exact_backend
	need socat
	in_background socat -u TCP-LISTEN:29878,bind=127.0.0.1,rcvbuf=4096 \
		SYSTEM:'until [ -e go ]; do sleep 0.05; done; cat >/dev/null'
	wait_until 30 listening 29878
	collect stream -i 3
	head -c 100000 /dev/zero |
		socat -u -t 0 - TCP:127.0.0.1:29878,sndbuf=400000
	wait_until 30 grep -q '"process_end".*"comm":"socat"' stream
	# Past the two seconds for which the kernel side keeps it, and before the
	# next tick.
	until=$(($(date +%s) + 3))
	wait_until 30 bash -c "[ \$(date +%s) -ge $until ]"
	touch go
	wait_until 30 bash -c '! ss -Htan "sport = :29878 or dport = :29878" | grep -q ESTAB'
	collected stream
	same "$(jq -c 'select(.type == "flow" and (has("pid") | not) and
		(.lport == 29878 or .rport == 29878))' stream)" ''
}

@test "nm-collect: what has no room is counted and told" {
	exact_backend
	need socat
	collect stream -i 0.2 --max-processes 1
	in_background socat -u UDP-RECV:29876,bind=127.0.0.1 /dev/null
	wait_until 30 bash -c "ss -Hlun 'sport = :29876' | grep -q ."
	for _ in 1 2 3; do
		bash -c 'echo -n 12345 >/dev/udp/127.0.0.1/29876'
	done
	wait_until 30 grep -q '"unattributed' stream
	collected stream
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


@test "nm-collect: what the kernel moves for itself is a row of its own" {
	exact_backend
	need socat mount
	modprobe -q cifs 2>/dev/null || true
	grep -qw cifs /proc/filesystems || skip "no file system here speaks TCP"
	in_background socat -u TCP-LISTEN:29878,bind=127.0.0.1 CREATE:request
	wait_until 30 listening 29878
	collect stream -i 0.2
	mkdir share
	in_background mount -i -t cifs //127.0.0.1/share share \
		-o ip=127.0.0.1,port=29878,username=u,password=p
	wait_until 30 test -s request
	wait_until 30 grep -q '"pid":0,' stream
	collected stream
	sent=$(stat -c %s request)
	same "$(jq -s 'map(select(.type == "flow" and .rport == 29878)) |
		map([.pid, .comm]) | unique' -c stream)" '[[0,"kernel"]]'
	same "$(jq -s 'map(select(.type == "flow" and .pid == 0).tx_bytes) |
		add' stream)" "$sent"
	same "$(jq -s 'map(select(.type == "tick").kernel_tx_bytes) |
		add' stream)" "$sent"
}
