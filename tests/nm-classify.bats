# SPDX-License-Identifier: MIT
# nm-classify: what a flow is, by the first bytes of it and by its port.

load helpers
load collect

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
}

teardown() {
	end_started
}

# flow ID PROTO PORT [FILE [FILE]]: a flow that was opened here to that port,
# with what was sent, and received, first.
flow() {
	jq -nc --arg id "$1" --arg proto "$2" --argjson port "$3" \
		--arg tx "$([ -z "${4-}" ] || base64 -w 0 <"$4")" \
		--arg rx "$([ -z "${5-}" ] || base64 -w 0 <"$5")" '{v: 1,
		type: "flow", ts_us: 1, flow: $id, $proto, dir: "out",
		laddr: "10.0.0.1", lport: 40000, raddr: "192.0.2.1",
		rport: $port, state: "open", tx_head: $tx, rx_head: $rx} |
		with_entries(select(.value != ""))'
}

# said FLOW...: [app, app_source, category, server_name] of each.
said() {
	nm-classify | jq -c '[.app, .app_source, .category, .server_name]'
}

# hello FILE OPTION...: what openssl sends first.
hello() {
	local file=$1

	shift
	in_background socat -u TCP-LISTEN:29990,bind=127.0.0.1,reuseaddr \
		"OPEN:$file,creat,trunc"
	wait_until 20 listening 29990
	timeout 20 openssl s_client -connect 127.0.0.1:29990 "$@" \
		</dev/null >/dev/null 2>&1 &
	wait_until 20 test -s "$file"
	kill $!
	wait "${started[-1]}" || true
}

# --- What every stage does ---

@test "nm-classify: adds what the port tells, and by which means" {
	run nm-classify <<<'{"v":1,"type":"flow","ts_us":1,"flow":"2f","proto":"tcp","dir":"out","rport":22}'
	[ "$status" -eq 0 ]
	same "$output" '{"v":1,"type":"flow","ts_us":1,"flow":"2f","proto":"tcp","dir":"out","rport":22,"app":"ssh","app_source":"port","category":"remoteaccess"}'
}

@test "nm-classify: keeps types and keys that it does not know" {
	input='{"v":1,"type":"from_tomorrow","ts_us":1,"a":[1,{"b":null}],"c":"\u00e9"}
{"v":1,"type":"tick","ts_us":2,"later":true}'
	run nm-classify <<<"$input"
	[ "$status" -eq 0 ]
	same "$(jq -cS . <<<"$output")" "$(jq -cS . <<<"$input")"
}

@test "nm-classify: tells a bad line, passes the others, exits 1" {
	run --separate-stderr nm-classify <<<'{"v":1,"ts_us":1}
not a record
{"v":1,"ts_us":2}'
	[ "$status" -eq 1 ]
	same "$output" '{"v":1,"ts_us":1}
{"v":1,"ts_us":2}'
	same "$stderr" 'nm-classify: stdin:2: not a JSON object'
}

@test "nm-classify: a usage error exits 2 with empty stdout" {
	run --separate-stderr nm-classify --no-such-option <<<'{"v":1}'
	[ "$status" -eq 2 ]
	same "$output" ''
	[[ $stderr == "nm-classify: unknown option '--no-such-option'"* ]]
}

@test "nm-classify: empty input makes empty output" {
	run nm-classify </dev/null
	[ "$status" -eq 0 ]
	same "$output" ''
}

# --- By port ---

@test "nm-classify: it is the server's port that tells" {
	same "$({
		echo '{"type":"flow","proto":"tcp","dir":"in","lport":443,"rport":22}'
		echo '{"type":"flow","proto":"udp","dir":"out","lport":22,"rport":443}'
		echo '{"type":"flow","proto":"udp","lport":5353,"rport":40000}'
		echo '{"type":"flow","proto":"udp","dir":"out","rport":51820}'
		echo '{"type":"flow","proto":"tcp","dir":"out","rport":79}'
		echo '{"type":"flow","proto":"tcp","dir":"out","rport":64999}'
		echo '{"type":"flow","proto":"icmp","rport":443}'
	} | said)" '["tls","port","web",null]
["quic","port","web",null]
["mdns","port","network",null]
["wireguard","port","vpn",null]
["finger","port",null,null]
[null,null,null,null]
[null,null,null,null]'
}

# --- By the first bytes ---

@test "nm-classify: knows protocols by their first bytes, on any port" {
	need openssl socat
	printf 'GET / HTTP/1.1\r\nHost: www.example.org:8080\r\n\r\n' >http
	printf 'SSH-2.0-OpenSSH_9.2\r\n' >ssh
	printf '\x13BitTorrent protocol%048d' 0 >bittorrent
	printf '\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1' >dns
	printf '220 mail.example.org ESMTP Postfix\r\n' >smtp
	printf 'EHLO example.org\r\nSTARTTLS\r\n' >ehlo
	hello tls -servername video.example.org
	same "$({
		flow 1 tcp 9999 http
		flow 2 tcp 2222 ssh ssh
		flow 3 tcp 31337 bittorrent
		flow 4 udp 53 dns
		flow 5 tcp 8443 tls
		flow 6 tcp 2525 ehlo smtp
	} | said)" '["http","pattern","web","www.example.org"]
["ssh","pattern","remoteaccess",null]
["bittorrent","pattern","download",null]
["dns","pattern","network",null]
["tls","pattern","web","video.example.org"]
["smtp","pattern","email",null]'
}

@test "nm-classify: a ClientHello that was cut tells its server all the same" {
	need openssl socat
	hello tls -servername video.example.org
	size=$(stat -c %s tls)
	for n in $((size - 1)) $((size - 9)) 250 200; do
		head -c "$n" tls >cut
		flow "$n" tcp 8443 cut
	done >flows
	same "$(said <flows | sort | uniq -c | tr -s ' ')" \
		' 4 ["tls","pattern","web","video.example.org"]'
}

# initials VERSION HELLO [FRAMES]: files packet.aa, packet.ab of a QUIC client.
initials() {
	rm -f packet.*
	quic-initial "$1" ${3+"$3"} <"$2" | split -b 1200 - packet.
}

# RFC 9001, appendix A.2: the ClientHello that is in the RFCs' sample packets.
sample_hello() {
	xxd -r -p <<-'END'
		010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47
		f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c
		652e636f6dff01000100000a00080006001d0017001800100007000504616c70
		6e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559f
		edba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d001000
		0e0403050306030203080408050806002d00020101001c000240010039003204
		08ffffffffffffffff05048000ffff07048000ffff0801100104800075300901
		100f088394c8f03e51570806048000ffff
	END
}

@test "nm-classify: QUIC tells its server, in the sample packets of the RFCs" {
	sample_hello >hello
	# The generator makes what RFC 9001 and RFC 9369 print (appendices A.2).
	initials 1 hello
	same "$(xxd -p packet.aa | tr -d '\n' | sed -E 's/^(.{60}).*(.{32})$/\1 \2/')" \
		'c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8 e221af44860018ab0856972e194cd934'
	flow 1 udp 4433 packet.aa >flows
	initials 2 hello
	same "$(xxd -p packet.aa | tr -d '\n' | sed -E 's/^(.{60}).*(.{32})$/\1 \2/')" \
		'd76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298 a18b2faa745b6fe189cf772a9f84cbfc'
	flow 2 udp 4433 packet.aa >>flows
	# Received by a server it is the same.
	flow 3 udp 50000 '' packet.aa | jq -c '.dir = "in"' >>flows
	same "$(said <flows | uniq -c | tr -s ' ')" \
		' 3 ["quic","pattern","web","example.com"]'
}

@test "nm-classify: QUIC as browsers begin it, in pieces that are shuffled" {
	need openssl
	# Of these protocols' names the hello becomes longer than a packet.
	names=h3$(printf ",%0250d" 1 2 3 4)
	hello record -servername video.example.org -alpn "$names"
	tail -c +6 record >long
	for version in 1 2; do
		for frames in 1 2 7; do
			initials "$version" long "$frames"
			same "$(echo packet.*)" 'packet.aa packet.ab'
			for order in 'aa ab' 'ab aa'; do
				for part in $order; do
					flow "$version$frames$order" udp 443 "packet.$part"
				done | said | tail -n 1
			done
		done
	done >apps
	same "$(uniq -c <apps | tr -s ' ')" \
		' 12 ["quic","pattern","web","video.example.org"]'
	# Its end alone is QUIC, without a name.
	same "$(flow 1 udp 4433 packet.ab | said)" '["quic","pattern","web",null]'
}

@test "nm-classify: QUIC that was altered, or is of another version, names nobody" {
	sample_hello >hello
	initials 1 hello
	for at in 0 4 5 6 15 18 20 40 400 1199; do
		cp packet.aa altered
		printf '\xa5' | dd of=altered bs=1 seek="$at" conv=notrunc status=none
		flow "$at" udp 4433 altered
	done | said | jq -r '.[3]' | sort -u >names
	same "$(cat names)" null
	for n in 1 7 20 600 1199; do
		head -c "$n" packet.aa >cut
		flow "$n" udp 4433 cut
	done | said | jq -r '.[3]' | sort -u >names
	same "$(cat names)" null
}

# What anybody may serve on any port, and what is to come out.
table() {
	cat <<-'END'
		tcp 80    http     http       www.example.org
		tcp 8443  http     http       www.example.org
		tcp 6379  http     http       www.example.org
		tcp 3306  http     http       www.example.org
		tcp 22    http     http       www.example.org
		tcp 25    http     http       www.example.org
		tcp 53    http     http       www.example.org
		tcp 445   http     http       www.example.org
		tcp 443   tls      tls        video.example.org
		tcp 993   tls      tls        video.example.org
		tcp 8443  tls      tls        video.example.org
		tcp 6379  tls      tls        video.example.org
		tcp 22    ssh      ssh        null
		tcp 2222  ssh      ssh        null
		tcp 443   ssh      ssh        null
		tcp 80    torrent  bittorrent null
		tcp 31337 torrent  bittorrent null
		tcp 25    -smtp    smtp       null
		tcp 8080  -smtp    smtp       null
		tcp 6379  -smtp    smtp       null
		tcp 9999  -imap    imap       null
		tcp 9999  -pop3    pop3       null
		udp 53    question dns        null
		udp 5300  question dns        null
		udp 443   question dns        null
		udp 443   initial  quic       example.com
		udp 53    initial  quic       example.com
		udp 31337 initial  quic       example.com
	END
}

@test "nm-classify: protocol, port, and what comes out" {
	need openssl
	printf 'GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n' >http
	printf 'SSH-2.0-OpenSSH_9.2\r\n' >ssh
	printf '\x13BitTorrent protocol%048d' 0 >torrent
	printf '220 mail.example.org ESMTP Postfix\r\n' >-smtp
	printf '* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n' >-imap
	printf '+OK POP3 server ready\r\n' >-pop3
	printf '\22\64\1\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1' >question
	hello tls -servername video.example.org
	sample_hello >sample
	initials 1 sample
	mv packet.aa initial
	table | while read -r proto port bytes _; do
		case $bytes in
		-*) flow "$proto$port$bytes" "$proto" "$port" '' "./$bytes" ;;
		*) flow "$proto$port$bytes" "$proto" "$port" "$bytes" ;;
		esac
	done >flows
	nm-classify <flows | jq -r '"\(.app_source) \(.app) \(.server_name)"' >came
	same "$(cat came)" "$(table | while read -r _ _ _ app name; do
		echo "pattern $app $name"
	done)"
}

@test "nm-classify: noise on any port is known by the port alone" {
	need perl
	# The same everywhere: if it were told by its bytes, then on all ports.
	perl -MMIME::Base64 -e '
		srand 7;
		my @head = map { encode_base64 join("", "\xfe",
			map { chr int rand 256 } 1 .. 99), "" } 1, 2;
		for my $port (1 .. 12000, 50000 .. 50100) {
			for my $proto ("tcp", "udp") {
				printf "{\"type\":\"flow\",\"flow\":\"%s%d\"," .
					"\"proto\":\"%s\",\"dir\":\"out\"," .
					"\"lport\":40000,\"rport\":%d," .
					"\"tx_head\":\"%s\",\"rx_head\":\"%s\"}\n",
					$proto, $port, $proto, $port, @head;
			}
		}' >noise
	same "$(wc -l <noise)" 24202
	nm-classify <noise >out
	same "$(grep -c '"app_source":"port"' out | sed 's/^[1-9][0-9]*$/some/')" some
	same "$(jq -r 'select(.app_source == "pattern") |
		"\(.proto) \(.rport) \(.app)"' out)" ''
}

@test "nm-classify: what was learnt holds for the life of the flow" {
	printf 'SSH-2.0-OpenSSH_9.2\r\n' >ssh
	printf 'GET / HTTP/1.1\r\nHost: example.org\r\n\r\n' >http
	same "$({
		flow 1 tcp 443
		flow 1 tcp 443 ssh ssh
		flow 2 tcp 443
		flow 1 tcp 443 http
		flow 1 tcp 443
		echo '{"type":"start"}'
		flow 1 tcp 443
	} | nm-classify | jq -r 'select(.flow) | "\(.flow) \(.app) \(.app_source)"')" \
		'1 tls port
1 ssh pattern
2 tls port
1 ssh pattern
1 ssh pattern
1 tls port'
}

@test "nm-classify: leaves the heads out, unless it is to keep them" {
	printf 'SSH-2.0-OpenSSH_9.2\r\n' >ssh
	same "$(flow 1 tcp 22 ssh ssh | nm-classify |
		jq -c '[has("tx_head"), has("rx_head")]')" '[false,false]'
	same "$(flow 1 tcp 22 ssh ssh | nm-classify --keep-heads |
		jq -r '.tx_head, .rx_head' | base64 -d)" "$(cat ssh ssh)"
}

@test "nm-classify: a server's name is a name" {
	i=0
	while IFS= read -r host; do
		printf 'GET / HTTP/1.1\r\nHost: %b\r\n\r\n' "$host" >http
		flow $((i++)) tcp 80 http
	done >flows <<-'END'
	ok.example.org
	UPPER.Example.org
	192.0.2.7:81
	a"b
	esc\x1b[31m
	END
	same "$(said <flows | jq -c '.[3]')" '"ok.example.org"
"upper.example.org"
"192.0.2.7"
null
null'
}

@test "nm-classify: an answer of DNS becomes records, with who asked" {
	# www.example.org is an alias of a.example.org, which has two addresses;
	# and of somebody else there is one nobody asked for.
	{
		printf '\22\64\201\200\0\1\0\4\0\0\0\0'
		printf '\3www\7example\3org\0\0\1\0\1'
		printf '\300\14\0\5\0\1\0\0\1\54\0\4\1a\300\20'
		printf '\300\55\0\1\0\1\0\0\0\74\0\4\300\0\2\7'
		printf '\300\55\0\34\0\1\0\0\0\74\0\20\40\1\15\270'
		printf '\0\0\0\0\0\0\0\0\0\0\0\7'
		printf '\5other\300\20\0\1\0\1\0\0\0\74\0\4\300\0\2\10'
	} >answer
	printf '\22\64\1\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1' >question
	same "$(flow 1 udp 53 question answer | jq -c '.pid = 4242' |
		nm-classify | jq -c '[.type, .name, .addr, .ttl_s, .pid, .app]')" \
		'["dns","www.example.org","192.0.2.7",60,4242,null]
["dns","www.example.org","2001:db8::7",60,4242,null]
["flow",null,null,null,4242,"dns"]'
	# Neither a question nor what is cut is an answer; nor, on another port,
	# what nobody asked for.
	head -c 60 answer >cut
	same "$({
		flow 1 udp 53 question question
		flow 2 udp 53 question cut
		flow 3 udp 54 '' answer
		flow 4 udp 54 answer answer | jq -c '.tx_head = "AAAA"'
		flow 5 tcp 53 question answer
	} | nm-classify | jq -r .type | sort -u)" flow
	# What was asked on any port is answered there.
	same "$(flow 1 udp 5300 question answer | nm-classify |
		jq -r '.name // .app' | paste -sd ' ')" \
		'www.example.org www.example.org dns'
	# The name is there for what the process then connects to.
	same "$({
		flow 1 udp 53 question answer | jq -c '.pid = 4242'
		flow 2 tcp 443 | jq -c '.pid = 4242 | .raddr = "192.0.2.7"'
	} | nm-classify | nm-resolve --no-dns | jq -r 'select(.rhost) |
		"\(.rhost) \(.rhost_source)"')" 'www.example.org dns'
}

@test "nm-classify: hostile heads do no harm" {
	need openssl socat
	hello tls -servername video.example.org
	printf 'GET / HTTP/1.1\r\nHost: example.org\r\n\r\n' >http
	for i in {1..300}; do
		# Cut anywhere, with a byte that is another.
		head -c $((1 + i % $(stat -c %s tls))) tls >head
		printf '%b' "\\x$(printf %02x $((i % 256)))" | dd of=head bs=1 \
			seek=$((i * 7 % (1 + i % 300))) conv=notrunc status=none
		flow "t$i" tcp 443 head
		head -c $((i % 97 + 1)) /dev/urandom >head
		flow "r$i" "$([ $((i % 2)) -eq 0 ] && echo tcp || echo udp)" \
			$((i * 211)) head http
	done >flows
	for bad in '!!!!' 'AAA' '=' '====' "$(printf 'A%.0s' {1..8000})" '\u00e9'; do
		echo "{\"type\":\"flow\",\"flow\":\"1\",\"proto\":\"tcp\",\"tx_head\":\"$bad\"}"
	done >>flows
	echo '{"type":"flow","flow":"1","proto":"tcp","tx_head":7}' >>flows
	run -0 nm-classify --max-flows 7 <flows
	same "$(jq -c .type <<<"$output" | wc -l)" 607
}

# fuzz COUNT: so many flows whose heads are what programs send, cut off, with
# bytes changed, joined with others, or nothing but noise. Always the same.
fuzz() {
	perl -MMIME::Base64 -e '
		srand 1;
		my @seed = map { open my $f, "<:raw", $_; local $/; <$f> } @ARGV;
		sub noise { join "", map { chr int rand 256 } 1 .. rand shift }
		for my $i (1 .. '"$1"') {
			my @head = map {
				my $h = $seed[rand @seed];
				my $how = rand 5;
				$h = substr $h, 0, rand length $h if $how < 1;
				$h = noise 600 if $how >= 4;
				$h .= $seed[rand @seed] if $how >= 3 && $how < 4;
				substr $h, rand length $h, 1, chr rand 256
					for 1 .. rand 10;
				encode_base64 $h, "";
			} 1, 2;
			my ($proto, $port) = rand 2 < 1 ? ("tcp", 443)
				: ("udp", (53, 5353, 443, 4000)[rand 4]);
			printf "{\"v\":1,\"type\":\"flow\",\"ts_us\":%d," .
				"\"flow\":\"%x\",\"pid\":7,\"proto\":\"%s\"," .
				"\"dir\":\"%s\",\"lport\":%d,\"rport\":%d," .
				"\"state\":\"%s\",\"tx_head\":\"%s\"," .
				"\"rx_head\":\"%s\"}\n", $i, rand 30000, $proto,
				rand 2 < 1 ? "in" : "out", rand 65536, $port,
				rand 9 < 1 ? "closed" : "open", @head;
		}' hello answer web torrent ssh packet.*
}

@test "nm-classify: a hundred thousand hostile heads are all survived" {
	need perl
	need openssl
	hello hello -servername www.example.test
	printf '\0\1\201\200\0\1\0\1\0\0\0\0\3www\7example\4test\0\0\1\0\1\300\14\0\1\0\1\0\0\0\74\0\4\300\0\2\7' >answer
	printf 'GET / HTTP/1.1\r\nHost: web.example.test\r\n\r\n' >web
	printf '\23BitTorrent protocol\0\0\0\0\0\0\0\0' >torrent
	printf 'SSH-2.0-test\r\n' >ssh
	tail -c +6 hello >message
	initials 2 message 3
	fuzz 100000 >stream
	nm-classify --max-flows=1000 <stream >out
	# None is lost, each line is a record, and what is said is text.
	same "$(grep -c '"type":"flow"' out)" 100000
	jq -en 'all(inputs; .v == 1 and (.type == "flow" or .type == "dns") and
		(.tx_head == null) and ((.app // "x") | test("^[a-z0-9_.+/ -]+$")) and
		((.server_name // .name // "x") | test("^[a-zA-Z0-9_.-]+$")))' out
	# Some of it was recognised all the same.
	[ "$(grep -c '"app_source":"pattern"' out)" -gt 10000 ]
	[ "$(grep -c '"type":"dns"' out)" -gt 100 ]
}
