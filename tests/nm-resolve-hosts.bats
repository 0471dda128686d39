# SPDX-License-Identifier: MIT
# nm-resolve: what the other side is called, and that no resolver holds records
# back.

load helpers
load collect

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
}

teardown() {
	end_started
}

# to ADDRESS...: a flow to each, of process 7.
to() {
	printf '{"v":1,"type":"flow","ts_us":1000000,"pid":7,"raddr":"%s"}\n' "$@"
}

# names: [raddr, rhost, rhost_source] of the flows.
names() {
	jq -c 'select(.type == "flow") | [.raddr, .rhost, .rhost_source]'
}

# A DNS server on port 29991 that knows two names.
serve_names() {
	need dnsmasq
	in_background dnsmasq --keep-in-foreground --conf-file=/dev/null \
		--port=29991 --listen-address=127.0.0.1 --bind-interfaces \
		--no-resolv --no-hosts --pid-file= --user=root --log-queries \
		--log-facility="$PWD/queries" --local-ttl=60 \
		--local=/in-addr.arpa/ \
		--host-record=www.example.org,192.0.2.7,2001:db8::7 \
		--ptr-record=9.2.0.192.in-addr.arpa,'"a b.example.org"'
	wait_until 20 udp_listens 29991
}

udp_listens() {
	ss -Hlun "sport = :$1" | grep -q .
}

# ask_until PATTERN ADDRESS...: sends flows to the addresses, into `in`, until
# what comes `out` has that.
ask_until() {
	local pattern=$1

	shift
	mkfifo in
	nm-resolve --dns-server 127.0.0.1:29991 <in >out 3>&- &
	resolver=$!
	started+=("$resolver")
	exec 7>in
	asked() {
		to "$@" >&7
		grep -q "$pattern" out
	}
	wait_until 20 asked "$@"
	exec 7>&-
	wait "$resolver"
}

@test "nm-resolve: asks DNS what an address is called; a later record has it" {
	serve_names
	ask_until '"2001:db8::7","rhost"' 192.0.2.7 192.0.2.8 2001:db8::7
	same "$(names <out | head -n 3)" '["192.0.2.7",null,null]
["192.0.2.8",null,null]
["2001:db8::7",null,null]'
	same "$(names <out | grep -v null | sort -u)" \
		'["192.0.2.7","www.example.org","reverse"]
["2001:db8::7","www.example.org","reverse"]'
	# Each was asked for once, also what has no name.
	same "$(grep -o 'query\[PTR\] [^ ]*' queries | sort | uniq -c |
		tr -s ' ' | cut -d ' ' -f 2 | sort -u)" 1
	same "$(grep -c 'query\[PTR\]' queries)" 3
}

@test "nm-resolve: a name that is none is not told" {
	serve_names
	ask_until '"192.0.2.7","rhost"' 192.0.2.9 192.0.2.7
	same "$(grep -c 'query\[PTR\] 9.2' queries)" 1
	same "$(names <out | grep '"192.0.2.9"' | sort -u)" \
		'["192.0.2.9",null,null]'
}

# asked NAME ADDRESS [PID]: it was answered to that process.
asked() {
	printf '{"v":1,"type":"dns","ts_us":1,"name":"%s","addr":"%s","ttl_s":60%s}\n' \
		"$1" "$2" "${3:+,\"pid\":$3}"
}

# with FIELDS: flows with these, besides what they have.
with() {
	jq -c ". + {$1}"
}

@test "nm-resolve: what the process itself asked for comes before the server's name" {
	same "$({
		asked mine.example.org 192.0.2.7 7
		asked other.example.org 192.0.2.7 8
		to 192.0.2.7 | with 'server_name: "sni.example.org"'
		to 192.0.2.7
	} | nm-resolve --no-dns | names | sort -u)" \
		'["192.0.2.7","mine.example.org","dns"]'
}

@test "nm-resolve: what another asked for comes after the server's name" {
	for asker in 8 ''; do
		same "$({
			asked other.example.org 192.0.2.7 "$asker"
			to 192.0.2.7 | with 'server_name: "sni.example.org"'
			to 192.0.2.7 | with 'server_name: ""'
			to 192.0.2.7
			to 192.0.2.7 | jq -c 'del(.pid)'
			to 192.0.2.8 | with 'server_name: "sni.example.org"'
		} | nm-resolve --no-dns | names)" \
			'["192.0.2.7","sni.example.org","server_name"]
["192.0.2.7","other.example.org","dns"]
["192.0.2.7","other.example.org","dns"]
["192.0.2.7","other.example.org","dns"]
["192.0.2.8","sni.example.org","server_name"]'
	done
}

@test "nm-resolve: who comes to us is not called by our name" {
	same "$({
		to 192.0.2.7 | with 'dir: "in", server_name: "us.example.org"'
		asked them.example.org 192.0.2.7 8
		to 192.0.2.7 | with 'dir: "in", server_name: "us.example.org"'
	} | nm-resolve --no-dns | names)" '["192.0.2.7",null,null]
["192.0.2.7","them.example.org","dns"]'
}

@test "nm-resolve: an answer holds for an hour more than it says, in its stream" {
	same "$({
		asked mine.example.org 192.0.2.7 7
		to 192.0.2.7 | with 'ts_us: 3660000000'
		to 192.0.2.7 | with 'ts_us: 3660000001'
		to 192.0.2.7
		echo '{"type":"start","ts_us":1}'
		to 192.0.2.7
	} | nm-resolve --no-dns | names)" '["192.0.2.7","mine.example.org","dns"]
["192.0.2.7",null,null]
["192.0.2.7","mine.example.org","dns"]
["192.0.2.7",null,null]'
}

@test "nm-resolve: --no-dns asks nothing, and loopback is not asked for" {
	serve_names
	to 192.0.2.7 | nm-resolve --no-dns --dns-server 127.0.0.1:29991 >out
	to 127.0.0.1 ::1 224.0.0.251 ff02::fb 255.255.255.255 |
		nm-resolve --dns-server 127.0.0.1:29991 >out
	same "$(grep -c 'query' queries)" 0
}

# many: 20,000 flows to 1,000 addresses, with ticks.
many() {
	awk 'BEGIN {
		for (i = 0; i < 20000; i++) {
			printf "{\"v\":1,\"type\":\"flow\",\"ts_us\":%d," \
				"\"raddr\":\"192.0.%d.%d\"}\n", i + 1,
				i / 250 % 4, i % 250
			if (i % 1000 == 999)
				print "{\"v\":1,\"type\":\"tick\",\"ts_us\":1}"
		}
	}'
}

@test "nm-resolve: a resolver that is silent, talks nonsense or is gone holds nothing back" {
	need socat
	many >flows
	in_background socat -u UDP-RECV:29992,bind=127.0.0.1 /dev/null
	in_background socat UDP-RECVFROM:29993,bind=127.0.0.1,fork \
		EXEC:'head -c 200 /dev/urandom'
	wait_until 20 udp_listens 29992
	wait_until 20 udp_listens 29993
	for port in 29992 29993 29994; do
		timeout 20 nm-resolve --dns-server "127.0.0.1:$port" <flows >out
		same "$(wc -l <out)" "$(wc -l <flows)"
		run ! grep -q rhost out
	done
}

@test "nm-resolve: a resolver that dies under it does no harm" {
	serve_names
	mkfifo in
	nm-resolve --dns-server 127.0.0.1:29991 <in >out 3>&- &
	resolver=$!
	exec 7>in
	many | head -n 5000 >&7
	kill "${started[0]}"
	many | tail -n +5001 >&7
	exec 7>&-
	wait "$resolver"
	same "$(wc -l <out)" "$(many | wc -l)"
}

@test "nm-resolve: what is no address of a DNS server is a usage error" {
	run --separate-stderr nm-resolve --dns-server nowhere <<<'{"v":1}'
	[ "$status" -eq 2 ]
	same "$output" ''
	[[ $stderr = "nm-resolve: 'nowhere' is not the address of a DNS server"* ]]
}
