# SPDX-License-Identifier: MIT
# nm-classify: what strangers send to have their names believed, to pass for
# something else, or to fill the memory.

load helpers
load collect
load classify

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
}

teardown() {
	end_started
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
