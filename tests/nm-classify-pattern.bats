# SPDX-License-Identifier: MIT
# nm-classify: what the bytes tell whatever the port is, and QUIC.

load classify

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
