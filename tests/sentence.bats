# SPDX-License-Identifier: MIT
# bats file_tags=root
# The whole sentence, by the pipe that netmonitor opens, of traffic that is
# here: who runs it, in which service, what it speaks, with whom, and where that
# is. The server has a public address, in a namespace of its own.

load helpers
load collect
load accuracy
load cable

server=172.217.16.14

setup() {
	made=()
	cable_setup
	need openssl setpriv perl findmnt unshare
	perl -MMaxMind::DB::Writer::Tree -e 1 ||
		skip "needs MaxMind::DB::Writer (libmaxmind-db-writer-perl)"
	a_service
	cable a b
	ip -n "$right" address add "$server/32" dev e0
	ip -n "$left" route add "$server" dev e0
	ip -n "$left" neighbour add "$server" lladdr 02:00:00:00:00:02 dev e0
	"$ROOT/tests/mmdb" all.mmdb 'ipinfo lite' 4 <<-END
	172.217.0.0/16	{"country_code":"US","asn":"AS64500","as_name":"Example One"}
	END
	serve_tls
}

teardown() {
	cable_teardown
	[ "${#made[@]}" -eq 0 ] || rmdir "${made[@]}"
}

# a_service: the cgroup of $unit, as systemd makes one; what we made of it.
a_service() {
	local root slice

	root=$(findmnt -nt cgroup2 -o TARGET | head -n 1)
	unit=nm-sentence-$$.service slice=$root/system.slice
	[ -w "${root:-/none}" ] || skip "needs cgroup version 2"
	[ -d "$slice" ] || made=("$slice")
	mkdir -p "$slice/$unit"
	made=("$slice/$unit" ${made[@]+"${made[@]}"})
}

serve_tls() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout key.pem -out cert.pem -days 2 -subj /CN=example.org \
		2>/dev/null
	in_background nsenter --net="/run/netns/$right" openssl s_server \
		-accept "$server:443" -cert cert.pem -key key.pem -quiet -www \
		>server 2>&1
	wait_until 20 listens -t 443
}

listens() {
	in_space "$right" ss -Hln "$1" "sport = :$2" | grep -q .
}

# tell: the pipe, into `sentences`. It asks DNS for nothing: of whoever else is
# on this machine, no question is to leave it.
tell() {
	mkfifo records
	in_background bash -c 'nm-classify <records | nm-resolve --no-dns |
		nm-geo -f all.mmdb >sentences'
	in_background nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.2 --peek \
		>records
	wait_until 60 grep -qs '"type":"start"' sentences
}

# connect OPTION...: nobody's TLS in the service, until the test ends.
connect() {
	in_background unshare -m sh -c '
		echo $$ >"$1" && mount --bind resolv.conf /etc/resolv.conf &&
		shift && exec nsenter "$@"' sh "${made[0]}/cgroup.procs" \
		--net="/run/netns/$left" setpriv --reuid=65534 --clear-groups \
		openssl s_client -quiet "$@" >client 2>&1
}

# sentence: the first record that has it all.
sentence() {
	grep '}$' sentences | jq -nc --argjson netns "$netns" --arg unit "$unit" \
		--arg user "$(id -nu 65534)" '
		first(inputs | select(.type == "flow" and .netns == $netns and
			.rport == 443 and .user and .unit and .cmdline and
			.app and .rhost and .geo_country and .geo_asn)) |
		[.comm, .user == $user, .unit == $unit, .app, .rhost, .rhost_source,
			.scope, .geo_country, .geo_asn, .geo_org, .cmdline]' |
		grep .
}

@test "netmonitor: a sentence of one record, with the name that was given to the server" {
	echo >resolv.conf
	tell
	connect -connect "$server:443" -servername www.example.org
	wait_until 60 sentence
	same "$(sentence)" "[\"openssl\",true,true,\"tls\",\"www.example.org\",\"server_name\",\"internet\",\"US\",64500,\"Example One\",\"openssl s_client -quiet -connect $server:443 -servername www.example.org\"]"
}

@test "netmonitor: a sentence of one record, with the name that was asked for" {
	need dnsmasq
	echo 'nameserver 10.93.0.2' >resolv.conf
	in_background nsenter --net="/run/netns/$right" dnsmasq -k -C /dev/null \
		-a 10.93.0.2 --bind-interfaces --no-resolv --no-hosts \
		--pid-file= --user=root --address="/video.example.org/$server"
	wait_until 20 listens -u 53
	tell
	connect -connect video.example.org:443 -servername www.example.org
	wait_until 60 sentence
	same "$(sentence)" '["openssl",true,true,"tls","video.example.org","dns","internet","US",64500,"Example One","openssl s_client -quiet -connect video.example.org:443 -servername www.example.org"]'
}
