# SPDX-License-Identifier: MIT
# bats file_tags=root
# From the kernel to a sentence: real servers on ports that are not theirs, in
# namespaces of their own, and what nm-collect --peek and the filters say.

load helpers
load collect
load accuracy
load cable

# called PORT: [app, app_source, server_name] of the connection to it.
called() {
	nm-classify <stream | jq -nc --argjson port "$1" --argjson netns "$netns" '
		[inputs | select(.type == "flow" and .netns == $netns and
			.dir == "out" and .rport == $port)] | last |
		[.app, .app_source, .server_name]'
}

# serves PORT: somebody listens on the right.
serves() {
	in_space "$right" ss -Hltn "sport = :$1" | grep -q .
}

# on_right COMMAND...: a server, until the test ends.
on_right() {
	in_background nsenter --net="/run/netns/$right" "$@" >server 2>&1
}

told() {
	an_interval_later stream
	collected stream
}

certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout key.pem -out cert.pem -days 2 -subj /CN=example.test \
		2>/dev/null
}

web_server() {
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	certificate
	mkdir -p www && echo hello >www/index.html
	cat >nginx.conf <<-END
		daemon off; master_process off; error_log stderr;
		pid $PWD/nginx.pid;
		events { }
		http {
			access_log off; client_body_temp_path $PWD/body;
			proxy_temp_path $PWD/proxy; fastcgi_temp_path $PWD/fcgi;
			uwsgi_temp_path $PWD/uwsgi; scgi_temp_path $PWD/scgi;
			server {
				listen 10.93.0.2:8081; listen 10.93.0.2:8443 ssl;
				ssl_certificate $PWD/cert.pem;
				ssl_certificate_key $PWD/key.pem;
				root $PWD/www;
			}
		}
	END
	on_right nginx -p "$PWD" -c "$PWD/nginx.conf"
	wait_until 20 serves 8443
}

@test "nm-classify: nginx, with TLS on 8443 and without on 8081" {
	need nginx
	need curl
	need openssl
	cable a b
	web_server
	collect stream -i 0.2 --peek
	in_space "$left" curl -sk --resolve www.example.test:8443:10.93.0.2 \
		https://www.example.test:8443/ | grep -q hello
	in_space "$left" curl -s -H 'Host: web.example.test' \
		http://10.93.0.2:8081/ | grep -q hello
	told
	same "$(called 8443)" '["tls","pattern","www.example.test"]'
	same "$(called 8081)" '["http","pattern","web.example.test"]'
}

@test "nm-classify: SSH on port 2222" {
	need dropbear
	need dbclient
	cable a b
	dropbearkey -t ed25519 -f host_key >/dev/null 2>&1
	on_right dropbear -F -E -p 10.93.0.2:2222 -r host_key -P pid
	wait_until 20 serves 2222
	collect stream -i 0.2 --peek
	in_space "$left" dbclient -y -y -o BatchMode=yes -p 2222 \
		somebody@10.93.0.2 true >/dev/null 2>&1 </dev/null || true
	told
	same "$(called 2222)" '["ssh","pattern",null]'
}

@test "nm-classify: BitTorrent on any port" {
	need perl
	cable a b
	on_right socat -u TCP-LISTEN:34567,bind=10.93.0.2,reuseaddr OPEN:got,creat
	wait_until 20 serves 34567
	collect stream -i 0.2 --peek
	in_space "$left" perl -MIO::Socket::INET -e '
		my $c = IO::Socket::INET->new("10.93.0.2:34567") or die $!;
		print $c "\x13BitTorrent protocol", "\0" x 8, "h" x 20, "p" x 20;'
	told
	same "$(called 34567)" '["bittorrent","pattern",null]'
}

# client_hello FILE: what openssl sends first, too long for one packet of QUIC.
client_hello() {
	on_right socat -u TCP-LISTEN:29990,reuseaddr OPEN:record,creat,trunc
	wait_until 20 serves 29990
	in_space "$left" timeout 20 openssl s_client -connect 10.93.0.2:29990 \
		-servername video.example.test -alpn \
		"h3$(printf ",%0250d" 1 2 3 4)" </dev/null >/dev/null 2>&1 &
	wait_until 20 test -s record
	kill $!
	tail -c +6 record >"$1"
}

@test "nm-classify: QUIC on any port, whose first two packets are read whole" {
	need perl
	need openssl
	cable a b
	client_hello hello
	on_right socat -u UDP-RECV:4433 OPEN:got,creat
	on_right socat -u UDP-RECV:4434 OPEN:got2,creat
	for version in 1 2; do
		quic-initial "$version" 5 <hello | split -b 1200 - "v$version."
	done
	same "$(echo v?.*)" 'v1.aa v1.ab v2.aa v2.ab'
	collect stream -i 0.2 --peek
	for version in 1 2; do
		in_space "$left" perl -MIO::Socket::INET -e '
			my $c = IO::Socket::INET->new(Proto => "udp",
				PeerAddr => shift) or die $!;
			for (@ARGV) {
				open my $f, "<:raw", $_ or die $!;
				local $/;
				$c->send(<$f>);
			}' "10.93.0.2:$((4432 + version))" "v$version".*
	done
	told
	for port in 4433 4434; do
		same "$(called "$port")" '["quic","pattern","video.example.test"]'
	done
	# The side that is called knows as well.
	netns=$(stat -L -c %i "/run/netns/$right")
	same "$(nm-classify <stream | jq -r --argjson netns "$netns" '
		select(.netns == $netns and .app == "quic") |
		"\(.lport) \(.app_source) \(.server_name)"' | sort -u | paste -sd,)" \
		'4433 pattern video.example.test,4434 pattern video.example.test'
}

@test "nm-classify: DNS on a port that is not its own tells names" {
	need dnsmasq
	need perl
	cable a b
	on_right dnsmasq -k -C /dev/null -u root --pid-file= --no-resolv \
		--no-hosts --listen-address=10.93.0.2 --bind-interfaces -p 5300 \
		--address=/www.example.test/192.0.2.7
	wait_until 20 serves 5300
	collect stream -i 0.2 --peek
	in_space "$left" perl -MIO::Socket::INET -e '
		my $c = IO::Socket::INET->new(Proto => "udp",
			PeerAddr => "10.93.0.2:5300") or die $!;
		$c->send("\0\7\1\0\0\1\0\0\0\0\0\0\3www\7example\4test\0\0\1\0\1");
		$c->recv(my $d, 1000);'
	told
	same "$(called 5300)" '["dns","pattern",null]'
	nm-classify <stream >out
	same "$(jq -r 'select(.type == "dns" and .name == "www.example.test") |
		.addr' out)" 192.0.2.7
}

@test "nm-classify: what dnsmasq answered names the flows of who had asked" {
	need dnsmasq
	need nginx
	need curl
	cable a b
	web_server
	on_right dnsmasq -k -C /dev/null -u root --pid-file= --no-resolv \
		--no-hosts --listen-address=10.93.0.2 --bind-interfaces \
		--address=/www.example.test/10.93.0.2
	wait_until 20 serves 53
	echo 'nameserver 10.93.0.2' >resolv.conf
	collect stream -i 0.2 --peek
	in_space "$left" unshare -m sh -c 'mount --bind resolv.conf /etc/resolv.conf &&
		exec curl -s http://www.example.test:8081/' | grep -q hello
	told
	nm-classify <stream | nm-resolve --no-dns >named
	jq -en --argjson netns "$netns" '[inputs | select(.type == "flow" and
		.netns == $netns and .rport == 8081) |
		[.comm, .rhost, .rhost_source]] |
		last == ["curl", "www.example.test", "dns"]' named
	pid=$(jq -r --argjson netns "$netns" 'select(.type == "flow" and
		.netns == $netns and .rport == 8081) | .pid' named | head -n 1)
	same "$(jq -c --argjson pid "$pid" 'select(.type == "dns" and
		.pid == $pid) | [.name, .addr]' named | sort -u)" \
		'["www.example.test","10.93.0.2"]'
}
