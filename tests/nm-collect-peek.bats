# SPDX-License-Identifier: MIT
# bats file_tags=root
# nm-collect --peek: the first bytes of flows. Between network namespaces where
# nothing else moves.

load helpers
load collect
load accuracy
load cable

# heads STREAM KEY FILTER: what came by that key in the flows of which the
# filter is true, one packet a line, in base64.
heads() {
	grep '}$' "$1" | jq -r --argjson netns "$netns" "
		select(.type == \"flow\" and .netns == \$netns and ($3)) |
		.$2 // empty"
}

# as_text: all of it in one.
as_text() {
	while read -r line; do
		base64 -d <<<"$line"
	done
}

# peek_at OPTION...: on all, with so many first bytes.
peek_at() {
	cable a b
	collect stream -i 0.2 "$@"
}

# answer SPACE ADDRESS PERL...: a server that does that with $c, once.
answer() {
	in_background nsenter --net="/run/netns/$1" perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "'"$2"'",
			LocalPort => 5201, Listen => 8) or die $!;
		while (my $c = $s->accept) { $c->autoflush; '"$3"' }'
	wait_until 20 iperf_listens "$1"
}

# echo_datagrams PORT PERL: a server on the right that answers $d with that.
echo_datagrams() {
	in_background nsenter --net="/run/netns/$right" perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "10.93.0.2",
			LocalPort => '"$1"', Proto => "udp") or die $!;
		open my $f, ">", "listens"; close $f;
		while ($s->recv(my $d, 100)) { $s->send('"$2"') }'
	wait_until 20 test -e listens
}

# What an echo makes an answer of DNS: its flags say that it is one.
answer='$d . "\x84" . "." x 1000'

# ask PERL: from left to right, with $c.
ask() {
	in_space "$left" perl -MIO::Socket::INET -e '
		my $c = IO::Socket::INET->new("10.93.0.2:5201") or die $!;
		$c->autoflush; '"$1"
}

@test "nm-collect: --peek tells what a connection begins with, on both sides" {
	need perl
	peek_at --peek
	answer "$right" 10.93.0.2 'sysread $c, my $d, 100; print $c "answer";'
	ask 'print $c "question"; sysread $c, my $d, 100;'
	an_interval_later stream
	collected stream
	same "$(heads stream tx_head '.dir == "out"' | as_text)" question
	same "$(heads stream rx_head '.dir == "out"' | as_text)" answer
	netns=$(stat -L -c %i "/run/netns/$right")
	same "$(heads stream rx_head '.dir == "in"' | as_text)" question
	same "$(heads stream tx_head '.dir == "in"' | as_text)" answer
}

@test "nm-collect: --peek tells so many bytes of each direction, and no more" {
	need perl
	peek_at --peek=1000
	answer "$right" 10.93.0.2 'read $c, my $d, 30000; print $c "a" x 5e6;'
	ask 'print $c "q" x 30000; while (sysread $c, my $d, 65536) { }'
	an_interval_later stream
	collected stream
	same "$(heads stream tx_head true | as_text)" "$(printf 'q%.0s' {1..1000})"
	same "$(heads stream rx_head true | as_text)" "$(printf 'a%.0s' {1..1000})"
	# What was told for their sake has moved nothing.
	jq -en --argjson netns "$netns" '[inputs | select(.type == "flow" and
		.netns == $netns) | [.tx_bytes, .rx_bytes]] | transpose |
		map(add) == [30000, 5000000]' stream
}

@test "nm-collect: --peek of what begins and ends in one interval closes it last" {
	need perl
	peek_at --peek -i 3
	answer "$right" 10.93.0.2 'while (sysread $c, my $d, 100) { print $c "." }'
	ask 'for (1 .. 4) { print $c $_; sysread $c, my $d, 100; }'
	sleep 1
	collected stream
	states=$(jq -r --argjson netns "$netns" 'select(.type == "flow" and
		.netns == $netns and .rport == 5201) |
		"\(.state)\(.tx_bytes)"' stream | paste -sd ' ')
	same "$states" 'open0 open0 open0 closed4'
}

@test "nm-collect: --peek looks at the first four packets with data" {
	need perl
	peek_at --peek
	answer "$right" 10.93.0.2 'while (sysread $c, my $d, 100) { print $c "." }'
	ask 'for (1 .. 9) { print $c $_; sysread $c, my $d, 100; }'
	an_interval_later stream
	collected stream
	same "$(heads stream tx_head true | as_text)" 1234
	same "$(heads stream rx_head true | as_text)" ....
}

@test "nm-collect: --peek leaves out connections that are older than it" {
	need perl
	cable a b
	answer "$right" 10.93.0.2 'while (sysread $c, my $d, 100) { print $c "." }'
	mkfifo go
	in_background nsenter --net="/run/netns/$left" perl -MIO::Socket::INET -e '
		my $c = IO::Socket::INET->new("10.93.0.2:5201") or die $!;
		$c->autoflush;
		print $c "old"; sysread $c, my $d, 1;
		open my $go, "<", "go"; <$go>;
		print $c "new"; sysread $c, $d, 1;
		open my $told, ">", "told"; sleep 60'
	wait_until 20 eval "in_space $left ss -Htn 'dport = :5201' | grep -q ESTAB"
	collect stream -i 0.2 --peek
	echo >go
	wait_until 20 test -e told
	an_interval_later stream
	collected stream
	grep -q '"tx_bytes":3,' stream
	same "$(heads stream tx_head true)$(heads stream rx_head true)" ''
}

@test "nm-collect: --peek of datagrams, by remote side" {
	need perl
	peek_at --peek=3
	echo_datagrams 9000 'uc $d'
	for word in one two; do
		in_space "$left" perl -MIO::Socket::INET -e '
			my $c = IO::Socket::INET->new(Proto => "udp",
				PeerAddr => "10.93.0.2:9000") or die $!;
			$c->send(shift); $c->recv(my $d, 100);' "$word ..."
	done
	an_interval_later stream
	collected stream
	same "$(heads stream tx_head true | sort | as_text)" onetwo
	same "$(heads stream rx_head true | sort | as_text)" ONETWO
	netns=$(stat -L -c %i "/run/netns/$right")
	same "$(heads stream rx_head '.raddr == "10.93.0.1"' | sort | as_text)" onetwo
	same "$(jq -r --argjson netns "$netns" 'select(.netns == $netns and
		.rx_head) | .flow' stream | sort -u | wc -l)" 2
}

@test "nm-collect: --peek has all answers of DNS, whole" {
	need perl
	peek_at --peek=5
	echo_datagrams 53 "$answer"
	in_space "$left" perl -MIO::Socket::INET -e '
		my $c = IO::Socket::INET->new(Proto => "udp",
			PeerAddr => "10.93.0.2:53") or die $!;
		for (10 .. 29) { $c->send($_); $c->recv(my $d, 2000); }'
	an_interval_later stream
	collected stream
	same "$(heads stream rx_head true | wc -l)" 20
	same "$(heads stream rx_head true | as_text)" "$(for i in {10..29}; do
		printf '%s\x84' "$i" && printf '.%.0s' {1..1000}
	done)"
	# Questions are as other datagrams.
	same "$(heads stream tx_head true | as_text)" 101112
}

# Or who sends many could have all the room for first bytes.
@test "nm-collect: --peek has 256 answers of DNS in an interval, and tells the loss" {
	need perl
	peek_at --peek=5 -i 2
	echo_datagrams 53 '"..\x84"); $s->send("..\x84") for 1 .. 799; ('
	in_space "$left" perl -MIO::Socket::INET -e '
		my $c = IO::Socket::INET->new(Proto => "udp", Timeout => 5,
			PeerAddr => "10.93.0.2:53") or die $!;
		$c->send("?"); $c->recv(my $d, 2000); sleep 1;'
	an_interval_later stream
	collected stream
	told=$(heads stream rx_head '.dir == "out"' | wc -l)
	# It may have been at the end of one interval and the beginning of another.
	((told >= 256 && told <= 2 * 256))
	jq -en --argjson told "$told" '[inputs | select(.type == "tick") |
		.lost_heads // 0] | add >= 800 - $told' stream
}

@test "nm-collect: --peek of answers that nobody asked for is that of datagrams" {
	need perl
	peek_at --peek=5
	in_background nsenter --net="/run/netns/$left" perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "10.93.0.1",
			LocalPort => 9000, Proto => "udp") or die $!;
		open my $f, ">", "listens"; close $f;
		for (1 .. 20) { $s->recv(my $d, 100) } sleep 60'
	wait_until 20 test -e listens
	in_space "$right" perl -MIO::Socket::INET -e '
		my $c = IO::Socket::INET->new(Proto => "udp", LocalPort => 53,
			LocalAddr => "10.93.0.2",
			PeerAddr => "10.93.0.1:9000") or die $!;
		$c->send("$_\x84..") for 10 .. 29;'
	an_interval_later stream
	collected stream
	same "$(heads stream rx_head true | wc -l)" 1
}

@test "nm-collect: --peek has what came with the end of the handshake" {
	need perl
	peek_at --peek
	answer "$right" 10.93.0.2 'sysread $c, my $d, 100; print $c ".";
		sysread $c, $d, 100; print $c ".";'
	# 6, 9: TCP_DEFER_ACCEPT; a client that has it waits for data.
	in_space "$left" perl -MSocket -e '
		socket(my $c, AF_INET, SOCK_STREAM, 0) or die $!;
		setsockopt($c, 6, 9, pack("i", 1)) or die $!;
		connect($c, pack_sockaddr_in(5201, inet_aton("10.93.0.2")))
			or die $!;
		syswrite $c, "question"; sysread $c, my $d, 1;
		syswrite $c, " again"; sysread $c, $d, 1;'
	an_interval_later stream
	collected stream
	same "$(heads stream tx_head '.dir == "out"' | as_text)" 'question again'
	netns=$(stat -L -c %i "/run/netns/$right")
	same "$(heads stream rx_head '.dir == "in"' | as_text)" 'question again'
	same "$(heads stream tx_head '.dir == "in"' | as_text)" ..
}

@test "nm-collect: --peek has what a client sends with its SYN, and behind it" {
	need perl
	peek_at --peek
	for space in "$left" "$right"; do
		in_space "$space" sysctl -qw net.ipv4.tcp_fastopen=1027
	done
	# 23: TCP_FASTOPEN; 1027 has it without a cookie, and without asking.
	answer "$right" 10.93.0.2 'sysread $c, my $d, 100; print $c ".";
		sysread $c, $d, 100; print $c ".";'
	in_space "$left" perl -MSocket -e '
		socket(my $c, AF_INET, SOCK_STREAM, 0) or die $!;
		send($c, "question", 0x20000000,
			pack_sockaddr_in(5201, inet_aton("10.93.0.2"))) or die $!;
		sysread $c, my $d, 1; syswrite $c, " again"; sysread $c, $d, 1;'
	an_interval_later stream
	collected stream
	same "$(heads stream tx_head '.dir == "out"' | as_text)" 'question again'
	same "$(heads stream rx_head '.dir == "out"' | as_text)" ..
}

@test "nm-collect: --peek of MPTCP is its connection's" {
	need perl
	[ "$(sysctl -n net.mptcp.enabled 2>/dev/null)" = 1 ] ||
		skip 'this kernel has no MPTCP'
	nm-collect --once | grep -q '"kernel":"5\.' && skip 'its packets are not its own'
	peek_at --peek
	in_background nsenter --net="/run/netns/$right" perl -MSocket -e '
		socket(my $s, AF_INET, SOCK_STREAM, 262) or die $!;
		bind($s, pack_sockaddr_in(5201, INADDR_ANY)) or die $!;
		listen($s, 8) or die $!;
		accept(my $c, $s); sysread $c, my $d, 100; syswrite $c, "answer";
		sleep 60'
	wait_until 20 iperf_listens "$right"
	in_space "$left" perl -MSocket -e '
		socket(my $c, AF_INET, SOCK_STREAM, 262) or die $!;
		connect($c, pack_sockaddr_in(5201, inet_aton("10.93.0.2")))
			or die $!;
		syswrite $c, "question"; sysread $c, my $d, 100;'
	an_interval_later stream
	collected stream
	same "$(heads stream tx_head '.proto == "mptcp" and .dir == "out"' |
		as_text)" question
	same "$(heads stream rx_head '.proto == "mptcp" and .dir == "out"' |
		as_text)" answer
}

@test "nm-collect: -b cgroup --peek tells what a connection begins with" {
	need perl
	peek_at --peek -b cgroup
	answer "$right" 10.93.0.2 'sysread $c, my $d, 100; print $c "answer";'
	ask 'print $c "question"; sysread $c, my $d, 100;'
	an_interval_later stream
	collected stream
	same "$(heads stream tx_head '.dir == "out"' | as_text)" question
	same "$(heads stream rx_head '.dir == "out"' | as_text)" answer
	netns=$(stat -L -c %i "/run/netns/$right")
	same "$(heads stream rx_head '.dir == "in"' | as_text)" question
}

@test "nm-collect: first bytes that find no room are told as lost" {
	need perl
	peek_at --peek
	kill -STOP "$collector"
	in_space "$left" perl -MIO::Socket::INET -e '
		for (1 .. 9000) {
			my $c = IO::Socket::INET->new(Proto => "udp",
				PeerAddr => "10.93.0.2:9000") or die $!;
			$c->send("." x 400);
		}'
	kill -CONT "$collector"
	an_interval_later stream
	collected stream
	jq -en '[inputs | select(.type == "tick") | .lost_heads // 0] | add > 0' stream
	# And no bytes with them.
	jq -en --argjson netns "$netns" '[inputs | select(.type == "flow" and
		.netns == $netns) | .tx_bytes] | add == 9000 * 400' stream
}

@test "nm-collect: without --peek there are no first bytes" {
	need perl
	peek_at
	answer "$right" 10.93.0.2 'sysread $c, my $d, 100; print $c "answer";'
	ask 'print $c "question"; sysread $c, my $d, 100;'
	an_interval_later stream
	collected stream
	grep -q '"tx_bytes":8,' stream
	run ! grep -q '_head' stream
}

@test "nm-collect: --peek without a meter of packets says so" {
	run -0 --separate-stderr nm-collect -b diag --peek --once
	grep -q '"code":"peek","text":"no first bytes of flows: backend diag sees no packets"' <<<"$output"
	run --separate-stderr nm-collect --peek --no-wire --once
	[ "$status" -eq 2 ]
	same "$output" ''
	for bytes in 0 -1 1505 x 5x ''; do
		run --separate-stderr nm-collect --peek="$bytes" --once
		[ "$status" -eq 2 ]
		same "$output" ''
		[[ $stderr == *"'--peek': '$bytes' is not a whole number from 1 to 1504"* ]]
	done
}
