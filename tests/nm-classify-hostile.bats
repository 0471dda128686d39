# SPDX-License-Identifier: MIT
# nm-classify: what strangers send to have their names believed, to pass for
# something else, or to fill the memory.

load classify

# --- Names ---

# answer NAME [asked]: a file of that kind, that NAME has 203.0.113.9.
answer() {
	perl -e 'my ($name, $asked) = @ARGV;
		$name = join("", map { chr(length) . $_ } split /\./, $name) . "\0";
		print "\0\7\x84\0\0", $asked ? "\1" : "\0", "\0\1\0\0\0\0",
			$asked ? "$name\0\1\0\1" : "", $name,
			"\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x09"' "$@"
}

# question NAME
question() {
	perl -e 'print "\0\7\1\0\0\1\0\0\0\0\0\0", (map { chr(length) . $_ }
		split /\./, shift), "\0\0\1\0\1"' "$1"
}

# heard LPORT RPORT RECEIVED [SENT]: the names that are told of it.
heard() {
	flow 1 udp "$2" "${4-}" "$3" | jq -c ".lport = $1" | nm-classify |
		jq -r 'select(.type == "dns") | "\(.name) \(.addr)"'
}

@test "nm-classify: by multicast DNS nobody is believed but of .local" {
	need perl
	answer update.example.com >other
	answer update.example.com asked >other_asked
	answer printer.local >printer
	answer Printer.LOCAL asked >printer_asked
	same "$(heard 5353 5353 printer)" 'printer.local 203.0.113.9'
	same "$(heard 5353 5353 printer_asked)" 'Printer.LOCAL 203.0.113.9'
	same "$(heard 40000 5353 printer_asked)" 'Printer.LOCAL 203.0.113.9'
	same "$(heard 5353 5353 other)$(heard 5353 5353 other_asked)" ''
	same "$(heard 40000 5353 other)$(heard 40000 5353 other_asked)" ''
	# Who asks from another port is told what was asked.
	same "$(heard 40000 5353 printer)" ''
	for name in local notlocal update.example.com.notlocal \
		local.example.com; do
		answer "$name" >named
		answer "$name" asked >named_asked
		heard 5353 5353 named
		heard 5353 5353 named_asked
	done >names
	same "$(cat names)" ''
}

@test "nm-classify: by multicast DNS an alias leads to no other name" {
	need perl
	# a.local is an alias of update.example.com, which has the address.
	perl -e '$n = "\6update\7example\3com\0"; print "\0\0\x84\0\0\0\0\2\0\0\0\0",
		"\1a\5local\0\0\5\0\1\0\0\0\x3c", pack("n", length $n), $n, $n,
		"\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x09"' >alias
	same "$(heard 5353 5353 alias)" ''
}

@test "nm-classify: DNS that does not repeat the question is not believed" {
	need perl
	question www.example.com >asks
	answer www.example.com >bare
	answer www.example.com asked >whole
	for port in 53 5300; do
		same "$(heard 40000 "$port" whole asks)" \
			'www.example.com 203.0.113.9'
		same "$(heard 40000 "$port" bare asks)" ''
		same "$(heard 5353 "$port" bare asks)" ''
	done
}

@test "nm-classify: DNS that nobody asked for is not believed" {
	need perl
	answer update.example.com asked >whole
	question update.example.com >asks
	for port in 53 5300; do
		# From a server's port to any that is open here; or as if both
		# sides answered.
		same "$(heard 40000 "$port" whole)" ''
		same "$(heard 40000 "$port" whole whole)" ''
		same "$(flow 1 udp "$port" whole whole | jq -c 'del(.dir)' |
			nm-classify | jq -r .type)" flow
	done
	# A question holds for what comes later in the flow.
	same "$({
		flow 1 udp 53 asks
		flow 1 udp 53
		flow 1 udp 53 '' whole
	} | nm-classify | jq -r .type | paste -sd ' ')" 'flow flow dns flow'
}

# --- Greetings ---

@test "nm-classify: greetings of mail servers, as they are" {
	while IFS= read -r line; do
		printf '%s\r\n' "$line" >greeting
		flow "$((++i))" tcp 9999 '' greeting
	done >flows <<-'END'
	220 mail.example.org ESMTP Postfix (Debian/GNU)
	220 mail ESMTP
	220 mx.example.com ESMTP a1-20020a05600c abc.12 - gsmtp
	220 mail.example.org ESMTP Exim 4.96 Sun, 29 Nov 2026 10:00:00 +0000
	220-server.example.org ESMTP Exim 4.96 #2 Sun, 29 Nov 2026 10:00:00 +0000
	220 mail.example.org ESMTP Sendmail 8.17.1/8.17.1; Sun, 29 Nov 2026 10:00
	220 AM0.mail.example.com Microsoft ESMTP MAIL Service ready at Sun, 29 Nov
	220 example.net (mrgmx105) Nemesis ESMTP Service ready
	220 host.example SMTP Postfix
	220 [192.0.2.7] ESMTP ready
	220 mail.example.org Stalwart ESMTP at your service
	END
	same "$(said <flows | sort | uniq -c | tr -s ' ')" \
		' 11 ["smtp","pattern","email",null]'
}

@test "nm-classify: what is not the greeting of a mail server does not pass for it" {
	while IFS= read -r line; do
		printf '%b\r\n' "$line" >greeting
		flow "$((++i))" tcp 21 '' greeting
	done >flows <<-'END'
	220 FTP server, not SMTP
	220 ftp.example.org FTP server, not SMTP
	220 ftp.example.org FTP SMTP
	220 ftp.example.org no SMTP here
	220 ftp.example.org SMTP-less
	220 ftp.example.org XESMTP
	220 ProFTPD Server (ESMTP) [192.0.2.7]
	220-Welcome to Pure-FTPd, no SMTP
	220 Welcome, SMTP
	220 a\0b SMTP
	220  
	220 SMTP
	220
	2200 mail ESMTP
	221 mail.example.org ESMTP
	END
	same "$(nm-classify <flows | jq -r .app | sort -u | grep smtp)" ''
	# Nor what comes later, or what a client sends.
	printf '220 mail.example.org ESMTP Postfix\r\n' >smtp
	printf '150 here it comes\r\n' >first
	same "$({
		flow 1 tcp 9999 '' first
		flow 1 tcp 9999 '' smtp
		flow 2 tcp 9999 smtp
	} | said | sort -u)" '[null,null,null,null]'
}

# --- Memory ---

# many FILE PROTO PORT: connections that never say more than that.
many() {
	flow 1 "$2" "$3" "$1" | perl -e '$_ = <>; for my $i (1 .. 65536) {
		print s/"flow":"1"/sprintf "\"flow\":\"%x\"", $i/er }'
}

all_is_out() {
	[ "$(wc -l <out)" -eq 65536 ]
}

# read_all FILE: sets $most, how many MB it took at most.
read_all() {
	local pid

	mkfifo in
	ASAN_OPTIONS=quarantine_size_mb=1 nm-classify <in >out &
	pid=$!
	started+=("$pid")
	exec 7>in
	cat "$1" >&7
	wait_until 60 all_is_out
	most=$(awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$pid/status")
	exec 7>&-
	wait "$pid"
	rm in
}

@test "nm-classify: flows that are never finished do not fill the memory" {
	need perl
	sample_hello >hello
	perl -pe '$_ .= "x" x 1500' <hello >long
	initials 1 long
	head -c 99 /dev/zero | tr '\0' '\376' >noise
	printf '\26\3\1\77\377\1\0\77\373\3\3%01000d' 0 >tls
	printf '\0\0\17\360\152\202\17\354%0400d' 0 >kerberos
	many /dev/null udp 31337 >stream
	read_all stream
	idle=$most
	for kind in 'packet.ab udp 4433' 'noise udp 31337' 'noise tcp 31337' \
		'tls tcp 8443' 'kerberos tcp 88'; do
		# shellcheck disable=SC2086 # a file, its protocol and port
		many $kind >stream
		read_all stream
		echo "$kind: $most MB, without heads $idle" >&2
		[ "$most" -lt $((idle + 64)) ]
	done
}
