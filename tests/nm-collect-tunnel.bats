# SPDX-License-Identifier: MIT
# bats file_tags=root
# Tunnels: what they carry and what carries it are told apart, so that no byte
# counts twice.

load helpers
load collect
load accuracy
load cable

# inside: what went into tunnels, as the ticks say, in $told.
inside() {
	told=$(lines stream tunnel_ _wire)
	jq -en "$told[0] > 5000000"
}

# inside_of INTERFACE: it is what this one has counted, but for the last
# acknowledgements. What it drops was sent all the same.
inside_of() {
	local passed drops

	inside
	passed=$(ip -n "$left" -s -j link show dev "$1" | jq -c ".[0].stats64 |
		[.tx.bytes, .rx.bytes]")
	drops=$(dropped "$left" "$1")
	echo "inside $told, interface $passed, dropped $drops" >&2
	jq -en "$passed as \$passed | $told as \$told |
		[range(2) | \$passed[.] - \$told[.]] |
		.[0] >= -1500 * $drops and .[1] >= 0 and all(. <= 104)"
}

# counted_once: all flows of the left namespace without what went into tunnels
# is what left the machine by a socket of its own.
counted_once() {
	grep '}$' stream | jq -en --argjson netns "$netns" \
		--argjson told "$told" --argjson named "$(lines stream nic_named_)" '
		[inputs | select(.type == "flow" and .netns == $netns) |
			[.tx_wire_bytes, .rx_wire_bytes]] | transpose |
		map(add) as $all | [range(2) | $all[.] - $told[.]] == $named'
}

# carried BEFORE: the kernel's tunnel has all that the interface has moved,
# but for little that it sends on its own account.
carried() {
	echo "moved $(moved "$1"), carrier $(lines stream nic_carrier_)," \
		"no socket $(lines stream nic_no_socket_)" >&2
	jq -en "($(moved "$1")) as \$moved | $(lines stream nic_carrier_) as \$told |
		[range(2) | \$moved[.] - \$told[.]] |
		all(. >= 0 and . < 5000)" || return
	same "$(of_ledger stream named)" 0
	same "$(of_ledger stream kernel)" 0
	same "$(of_ledger stream unattributed)" 0
	counted_once
}

@test "nm-collect: VXLAN's carrier is told apart from what it carries" {
	cable a b
	for side in 1:2:"$left" 2:1:"$right"; do
		IFS=: read -r own other name <<<"$side"
		ip -n "$name" link add v0 mtu 1400 gso_max_segs 1 type vxlan \
			id 7 dstport 4789 \
			local "10.93.0.$own" remote "10.93.0.$other" 2>error ||
			skip "no VXLAN in this kernel"
		end "$name" v0 "10.95.0.$own" "02:00:00:00:00:1$own"
		ip -n "$name" neighbour add "10.95.0.$other" \
			lladdr "02:00:00:00:00:1$other" dev v0
	done
	before=$(counted)
	watch_left
	transfer "$left" "$right" 10.95.0.2 5000000
	inside_of v0
	carried "$before"
}

@test "nm-collect: WireGuard's carrier is told apart from what it carries" {
	cable a b
	ip -n "$left" link add w0 type wireguard 2>error ||
		skip "no WireGuard in this kernel"
	need wg
	ip -n "$right" link add w0 type wireguard
	for side in 1 2; do
		(umask 077 && wg genkey >key.$side)
		wg pubkey <key.$side >public.$side
	done
	for side in 1:2:"$left" 2:1:"$right"; do
		IFS=: read -r own other name <<<"$side"
		in_space "$name" wg set w0 private-key "key.$own" \
			listen-port 51820 peer "$(cat "public.$other")" \
			endpoint "10.93.0.$other:51820" \
			allowed-ips "10.95.0.$other/32"
		ip -n "$name" address add "10.95.0.$own/24" dev w0
		ip -n "$name" link set w0 mtu 1400 gso_max_segs 1 up
	done
	before=$(counted)
	watch_left
	transfer "$left" "$right" 10.95.0.2 5000000
	inside
	carried "$before"
	# 20 bytes of IP, 8 of UDP, 32 and up to 15 of padding for each packet,
	# and a handshake.
	packets=$(grep '}$' stream | jq -n --argjson netns "$netns" '[inputs |
		select(.type == "flow" and .netns == $netns).tx_packets] | add')
	jq -en "(($(lines stream nic_carrier_))[0] - $told[0]) as \$more |
		\$more >= 60 * $packets and \$more < 76 * $packets + 1000"
}

# certificate NAME: a key and a certificate of its own, and its fingerprint.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" \
		2>/dev/null
	openssl x509 -in "$1.crt" -noout -fingerprint -sha256 | cut -d = -f 2
}

@test "nm-collect: OpenVPN's carrier is its process's, and not counted twice" {
	need openvpn openssl
	[ -e /dev/net/tun ] || modprobe tun 2>error ||
		skip "no tun devices in this kernel"
	cable a b
	fingerprints=("$(certificate 1)" "$(certificate 2)")
	before=$(counted)
	watch_left
	# Who waits does not say where for, or it would ask a kernel where
	# nobody listens yet.
	for side in 1:2:"$left":server 2:1:"$right":client; do
		IFS=: read -r own other name part <<<"$side"
		remote=()
		[ "$part" = server ] || remote=(--remote "10.93.0.$other")
		in_background nsenter --net="/run/netns/$name" openvpn \
			--dev tun0 --dev-type tun --disable-dco --tun-mtu 1400 \
			--local "10.93.0.$own" "${remote[@]}" \
			--ifconfig "10.95.0.$own" "10.95.0.$other" \
			"--tls-$part" --dh none --key "$own.key" \
			--cert "$own.crt" --txqueuelen 10000 \
			--peer-fingerprint "${fingerprints[other - 1]}" \
			>"openvpn.$own" 2>&1
		wait_until 30 grep -q ' link local' "openvpn.$own" ||
			{ cat "openvpn.$own"; false; }
	done
	for side in 1 2; do
		wait_until 30 grep -q 'Initialization Sequence Completed' \
			openvpn.$side || { cat openvpn.*; false; }
	done
	transfer "$left" "$right" 10.95.0.2 5000000
	inside_of tun0
	all_of named "$before"
	same "$(of_ledger stream carrier)" 0
	same "$(of_ledger stream unattributed)" 0
	counted_once
	# Named, but by whom?
	grep '}$' stream | jq -en --argjson netns "$netns" \
		--argjson named "$(lines stream nic_named_)" '
		[inputs | select(.type == "flow" and .netns == $netns and
			.comm == "openvpn") | [.tx_wire_bytes, .rx_wire_bytes]] |
		transpose | map(add) == $named'
}
