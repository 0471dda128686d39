# SPDX-License-Identifier: MIT
# nm-geo: what it says of addresses, of which databases, and that these may
# change while it runs. The databases are made here, by MaxMind's own writer.

load helpers

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	perl -MMaxMind::DB::Writer::Tree -e 1 ||
		skip "needs MaxMind::DB::Writer (libmaxmind-db-writer-perl)"
	# MaxMind's layout, which DB-IP has too.
	mmdb City.mmdb GeoLite2-City 6 <<-'END'
	192.0.2.0/24	{"country":{"iso_code":"IE"},"city":{"names":{"en":"Dublin","de":"Dublin (de)"}}}
	198.51.100.0/24	{"country":{"iso_code":"FR"}}
	2001:db8::/32	{"country":{"iso_code":"BR"},"city":{"names":{"en":"São Paulo"}}}
	END
	mmdb ASN.mmdb GeoLite2-ASN 6 <<-'END'
	192.0.2.0/25	{"autonomous_system_number":64500,"autonomous_system_organization":"Example \"One\""}
	2001:db8::/33	{"autonomous_system_number":4200000000,"autonomous_system_organization":"Example Six"}
	END
	# That of ip-location-db: flat, IPv4 and IPv6 in files of their own.
	mmdb flat4.mmdb 'city ipv4' 4 <<-'END'
	192.0.2.0/24	{"country_code":"NL","city":"","state1":""}
	203.0.113.0/24	{"country_code":"JP","city":"Osaka","state1":"Osaka"}
	END
	mmdb flat6.mmdb 'city ipv6' 6 <<-'END'
	2001:db8:8000::/33	{"country_code":"JP","city":"Kyoto"}
	END
	# That of IPinfo.
	mmdb lite.mmdb 'ipinfo lite' 6 <<-'END'
	192.0.2.0/24	{"country":"Ireland","country_code":"IE","asn":"AS64501","as_name":"Example Two"}
	END
	mkdir none
}

setup() {
	cd "$BATS_FILE_TMPDIR"
	export HOME=$PWD/none
	unset XDG_DATA_HOME
}

mmdb() {
	"$ROOT/tests/mmdb" "$@"
}

# flows ADDRESS...: a flow to each.
flows() {
	printf '{"v":1,"type":"flow","ts_us":1,"raddr":"%s"}\n' "$@"
}

# said OPTION... [-- ADDRESS...]: what was added, as lists.
said() {
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	flows "$@" | nm-geo "${options[@]}" | jq -c 'select(.type == "flow") |
		[.scope, .geo_country, .geo_city, .geo_asn, .geo_org]'
}

# --- What every stage does ---

@test "nm-geo: adds scope, country, city and network to a flow" {
	run nm-geo -f City.mmdb -f ASN.mmdb \
		<<<'{"v":1,"type":"flow","ts_us":1,"laddr":"10.0.0.1","raddr":"192.0.2.7","rport":443}'
	[ "$status" -eq 0 ]
	same "$output" '{"v":1,"type":"flow","ts_us":1,"laddr":"10.0.0.1","raddr":"192.0.2.7","rport":443,"scope":"internet","geo_country":"IE","geo_city":"Dublin","geo_asn":64500,"geo_org":"Example \"One\""}'
}

@test "nm-geo: keeps types and keys that it does not know" {
	input='{"v":1,"type":"from_tomorrow","ts_us":1,"a":[1,{"b":null}],"c":"\u00e9"}
{"v":1,"type":"tick","ts_us":2,"later":true}'
	run nm-geo -f City.mmdb <<<"$input"
	[ "$status" -eq 0 ]
	same "$(jq -cS . <<<"$output")" "$(jq -cS . <<<"$input")"
}

@test "nm-geo: tells a bad line, passes the others, exits 1" {
	run --separate-stderr nm-geo -f City.mmdb <<<'{"v":1,"ts_us":1}
not a record
{"v":1,"ts_us":2,"raddr":"nowhere"}'
	[ "$status" -eq 1 ]
	same "$output" '{"v":1,"ts_us":1}
{"v":1,"ts_us":2,"raddr":"nowhere"}'
	same "$stderr" 'nm-geo: stdin:2: not a JSON object'
}

@test "nm-geo: a usage error exits 2 with empty stdout" {
	run --separate-stderr nm-geo --no-such-option <<<'{"v":1}'
	[ "$status" -eq 2 ]
	same "$output" ''
	[[ $stderr == "nm-geo: unknown option '--no-such-option'"* ]]
}

@test "nm-geo: empty input makes empty output" {
	run nm-geo -f City.mmdb </dev/null
	[ "$status" -eq 0 ]
	same "$output" ''
}

@test "nm-geo: leaves keys that were there before" {
	run nm-geo -f City.mmdb \
		<<<'{"type":"flow","raddr":"192.0.2.7","scope":"mine","geo_city":"Cork"}'
	same "$output" '{"type":"flow","raddr":"192.0.2.7","scope":"mine","geo_city":"Cork","geo_country":"IE"}'
}

# --- Scope ---

@test "nm-geo: tells how far away an address is" {
	while read -r address scope; do
		echo "$(flows "$address" | nm-geo --dir none |
			jq -r 'select(.type == "flow").scope') $scope $address"
	done >scopes <<-'END'
	127.0.0.1	loopback
	127.255.0.1	loopback
	::1	loopback
	10.255.255.255	lan
	11.0.0.0	internet
	100.64.0.0	lan
	100.128.0.0	internet
	169.254.1.1	lan
	172.15.255.255	internet
	172.16.0.0	lan
	172.31.255.255	lan
	172.32.0.0	internet
	192.168.0.1	lan
	0.0.0.0	lan
	::	lan
	223.255.255.255	internet
	224.0.0.251	multicast
	239.255.255.250	multicast
	255.255.255.255	multicast
	fe80::1	lan
	febf::1	lan
	fc00::1	lan
	fdff::1	lan
	fe00::1	internet
	ff02::fb	multicast
	2001:db8::1	internet
	64:ff9b::10.0.0.1	lan
	2002:7f00:1::1	loopback
	END
	same "$(awk '$1 != $2' scopes)" ''
	same "$(wc -l <scopes)" 28
}

@test "nm-geo: a machine that talks to itself does so over loopback" {
	run nm-geo -f City.mmdb \
		<<<'{"type":"flow","laddr":"192.0.2.7","raddr":"192.0.2.7"}'
	same "$output" '{"type":"flow","laddr":"192.0.2.7","raddr":"192.0.2.7","scope":"loopback"}'
}

# --- Databases ---

@test "nm-geo: joins databases; a city is never put into another's country" {
	same "$(said -f flat4.mmdb -f ASN.mmdb -f flat6.mmdb -f City.mmdb -- \
		192.0.2.7 192.0.2.200 198.51.100.1 203.0.113.1 2001:db8::1 \
		2001:db8:8000::1 9.9.9.9)" \
		'["internet","IE","Dublin",64500,"Example \"One\""]
["internet","IE","Dublin",null,null]
["internet","FR",null,null,null]
["internet","JP","Osaka",null,null]
["internet","BR","São Paulo",4200000000,"Example Six"]
["internet","JP","Kyoto",null,null]
["internet",null,null,null,null]'
	same "$(said -f flat4.mmdb -- 192.0.2.7)" \
		'["internet","NL",null,null,null]'
}

@test "nm-geo: reads a number that is written AS64501" {
	same "$(said -f lite.mmdb -- 192.0.2.7)" \
		'["internet","IE",null,64501,"Example Two"]'
}

@test "nm-geo: a country is two letters, and a city alone takes none away" {
	mmdb odd.mmdb country 4 <<<$'192.0.2.0/24\t{"country_code":"AUT"}'
	mmdb city.mmdb city 4 <<<$'192.0.2.0/24\t{"city":"Dublin"}'
	same "$(said -f odd.mmdb -f lite.mmdb -f city.mmdb -- 192.0.2.7)" \
		'["internet","IE",null,64501,"Example Two"]'
}

@test "nm-geo: what packaging/asn-database makes keeps letters as they are" {
	printf '%s\n' '192.0.2.0,192.0.2.127,64500,"Telefônica, S.A."' \
		'2001:db8::,2001:db8::ff,64501,Plain' >asn.csv
	"$ROOT/packaging/asn-database" made.mmdb asn.csv
	same "$(said -f made.mmdb -- 192.0.2.7 192.0.2.200 2001:db8::7)" \
		'["internet",null,null,64500,"Telefônica, S.A."]
["internet",null,null,null,null]
["internet",null,null,64501,"Plain"]'
	run ! "$ROOT/packaging/asn-database" made.mmdb <(echo nonsense)
}

@test "nm-geo: the order of files does not depend on which came first" {
	begin
	mmdb live/b.mmdb country 4 <<<$'203.0.113.0/24\t{"country_code":"KR"}'
	ask 1
	mv live/a.mmdb away
	kill -HUP "$geo"
	ask 2
	mv away live/a.mmdb
	kill -HUP "$geo"
	ask 3
	finish
	same "$(countries)" 'JP KR JP'
}

@test "nm-geo: an address that carries another one is taken for it" {
	same "$(said -f City.mmdb -- 64:ff9b::192.0.2.7 2002:c000:207::1 \
		::ffff:192.0.2.7)" \
		'["internet","IE","Dublin",null,null]
["internet","IE","Dublin",null,null]
["internet","IE","Dublin",null,null]'
}

@test "nm-geo: finds what is in the user's folder, and -v says what it is" {
	mkdir -p data/netmonitor
	cp City.mmdb flat4.mmdb data/netmonitor
	export XDG_DATA_HOME=$PWD/data
	run --separate-stderr nm-geo -v <<<'{"raddr":"203.0.113.1"}'
	same "$(jq -r .geo_city <<<"$output")" Osaka
	[[ $stderr = *"data/netmonitor/City.mmdb: GeoLite2-City, IPv6, of 20"* ]]
	[[ $stderr = *"data/netmonitor/flat4.mmdb: city ipv4, IPv4, of 20"* ]]
}

@test "nm-geo: finds what the configuration names, and -f or --dir wins" {
	# The key may be a list; in the usual folder is another city.
	export XDG_DATA_HOME=$PWD/usual NETMONITOR_CONFIG=$BATS_TEST_TMPDIR/c.toml
	mkdir -p usual/netmonitor dir
	cp flat4.mmdb usual/netmonitor
	cp lite.mmdb dir
	echo "[nm-geo]" >"$NETMONITOR_CONFIG"
	same "$(said -- 192.0.2.7)" '["internet","NL",null,null,null]'
	echo "file = ['City.mmdb', 'ASN.mmdb']" >>"$NETMONITOR_CONFIG"
	both='["internet","IE","Dublin",64500,"Example \"One\""]'
	lite='["internet","IE",null,64501,"Example Two"]'
	same "$(said -- 192.0.2.7)" "$both"
	same "$(said -f lite.mmdb -- 192.0.2.7)" "$lite"
	same "$(said --dir dir -- 192.0.2.7)" "$lite"
	same "$(said --config=/dev/null -- 192.0.2.7)" \
		'["internet","NL",null,null,null]'
	printf '[nm-geo]\ndir = "dir"\n' >"$NETMONITOR_CONFIG"
	same "$(said -- 192.0.2.7)" "$lite"
	same "$(said -f City.mmdb -- 192.0.2.7)" \
		'["internet","IE","Dublin",null,null]'
	# One that is named must be one.
	printf '[nm-geo]\nfile = "missing.mmdb"\n' >"$NETMONITOR_CONFIG"
	run -1 nm-geo </dev/null
	[[ $output == "nm-geo: 'missing.mmdb'"* ]]
}

@test "nm-geo: without a database it says so once, behind start, and ends well" {
	run --separate-stderr nm-geo --dir none <<<'{"v":1,"type":"start","ts_us":1}
{"v":1,"type":"flow","ts_us":5,"raddr":"10.0.0.1"}
{"v":1,"type":"flow","ts_us":6,"raddr":"10.0.0.1"}'
	[ "$status" -eq 0 ]
	same "$stderr" ''
	same "$(jq -c '[.type, .ts_us, .scope]' <<<"$output")" '["start",1,null]
["notice",5,null]
["flow",5,"lan"]
["flow",6,"lan"]'
	[[ $output = *'make geodata'* ]]
}

@test "nm-geo: a file that is no database is an error that names it" {
	head -c 1000 City.mmdb >cut.mmdb
	for file in cut.mmdb missing.mmdb none; do
		run --separate-stderr nm-geo -f City.mmdb -f "$file" \
			<<<'{"v":1}'
		[ "$status" -eq 1 ]
		same "$output" ''
		[[ $stderr = "nm-geo: '$file': "* ]]
	done
	# In a folder it is one of many.
	mkdir -p some
	cp cut.mmdb flat4.mmdb some
	run --separate-stderr nm-geo --dir some <<<'{"raddr":"203.0.113.1"}'
	[ "$status" -eq 0 ]
	same "$(jq -r .geo_country <<<"$output")" JP
	[[ $stderr = "nm-geo: 'some/cut.mmdb' is not used: "* ]]
}

# --- Databases that change ---

# Sets up a nm-geo whose input is descriptor 7 and whose output is in `out`.
begin() {
	rm -rf live
	mkdir live
	cp flat4.mmdb live/a.mmdb
	mkfifo live/in
	nm-geo --dir live <live/in >live/out 2>live/errors 3>&- &
	geo=$!
	exec 7>live/in
}

# ask COUNT: sends the flow, and waits for so many answers.
ask() {
	flows 203.0.113.1 >&7
	wait_until 20 answered "$1"
}

answered() {
	[ "$(grep -c '"flow"' live/out)" -eq "$1" ]
}

countries() {
	jq -r 'select(.type == "flow") | .geo_country // "none"' live/out |
		paste -sd ' '
}

finish() {
	exec 7>&-
	wait "$geo"
}

@test "nm-geo: SIGHUP reads anew what was replaced, came or went" {
	begin
	ask 1
	mmdb live/new 'country' 4 <<<$'203.0.113.0/24\t{"country_code":"KR"}'
	mv live/new live/a.mmdb
	kill -HUP "$geo"
	ask 2
	rm live/a.mmdb
	kill -HUP "$geo"
	ask 3
	cp City.mmdb flat4.mmdb live
	kill -HUP "$geo"
	ask 4
	finish
	same "$(countries)" 'JP KR none JP'
	same "$(cat live/errors)" ''
}

@test "nm-geo: sees by itself that a file was replaced" {
	begin
	ask 1
	mmdb live/new 'country' 4 <<<$'203.0.113.0/24\t{"country_code":"KR"}'
	mv live/new live/a.mmdb
	korea_appears() {
		echo '{"type":"tick"}' >&7
		flows 203.0.113.1 >&7
		grep -q KR live/out
	}
	wait_until 20 korea_appears
	finish
}

@test "nm-geo: a new file that is none is told, and the old one counts" {
	begin
	ask 1
	head -c 1000 City.mmdb >live/new
	mv live/new live/a.mmdb
	kill -HUP "$geo"
	ask 2
	kill -HUP "$geo"
	ask 3
	finish
	same "$(countries)" 'JP JP JP'
	same "$(jq -r 'select(.type == "notice") | "\(.level) \(.code)"' \
		live/out)" 'warning geo'
	[[ $(jq -r 'select(.type == "notice").text' live/out) = \
		"'live/a.mmdb' cannot be read anew: "* ]]
}

@test "nm-geo: a file that is cut short under it does no harm" {
	begin
	ask 1
	: >live/a.mmdb
	# Another address: this one is remembered.
	flows 203.0.113.2 >&7
	wait_until 20 answered 2
	cp flat4.mmdb live/again
	mv live/again live/a.mmdb
	kill -HUP "$geo"
	ask 3
	finish
	same "$(countries)" 'JP none JP'
}

# --- Real data ---

@test "nm-geo: the databases that make geodata fetches know Google" {
	type -P npm >/dev/null || skip "needs npm"
	timeout 300 "$ROOT/packaging/geodata" fetched 2>fetch.errors || {
		[ $? -eq 3 ] || { cat fetch.errors; false; }
		skip "out of reach: $(tail -n 1 fetch.errors)"
	}
	said --dir fetched -- 172.217.16.14 2a00:1450:4009:81f::200e >google
	cat google
	same "$(jq -c '[.[0], (.[1] | test("^[A-Z][A-Z]$")), .[3],
		(.[4] | test("google"; "i"))]' google)" \
		'["internet",true,15169,true]
["internet",true,15169,true]'
	grep -q 'db-ip.com' fetched/CREDITS
	grep -q 'nro.net' fetched/CREDITS
	grep -q 'routeviews.org' fetched/CREDITS
}
