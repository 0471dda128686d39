# SPDX-License-Identifier: MIT
# nm-classify: what a flow is, by the first bytes of it and by its port.

load classify

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
			my $from = $port == 5353 ? $port : rand 65536;
			printf "{\"v\":1,\"type\":\"flow\",\"ts_us\":%d," .
				"\"flow\":\"%x\",\"pid\":7,\"proto\":\"%s\"," .
				"\"dir\":\"%s\",\"lport\":%d,\"rport\":%d," .
				"\"state\":\"%s\",\"tx_head\":\"%s\"," .
				"\"rx_head\":\"%s\"}\n", $i, rand 30000, $proto,
				rand 2 < 1 ? "in" : "out", $from, $port,
				rand 9 < 1 ? "closed" : "open", @head;
		}' hello question answer near question answer near web torrent ssh packet.*
}

@test "nm-classify: a hundred thousand hostile heads are all survived" {
	need perl
	need openssl
	hello hello -servername www.example.test
	printf '\0\1\201\200\0\1\0\1\0\0\0\0\3www\7example\4test\0\0\1\0\1\300\14\0\1\0\1\0\0\0\74\0\4\300\0\2\7' >answer
	printf '\0\1\1\0\0\1\0\0\0\0\0\0\3www\7example\4test\0\0\1\0\1' >question
	printf '\0\0\204\0\0\0\0\1\0\0\0\0\7printer\5local\0\0\1\200\1\0\0\0\170\0\4\300\0\2\11' >near
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
