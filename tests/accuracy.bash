# SPDX-License-Identifier: MIT
# Holds nm-collect to what nm-traffic knows: `load accuracy`, after helpers
# and collect.
# A stream is nm-collect's output, a ledger nm-traffic's.

# why_not: why bytes cannot be counted exactly here; nothing if they can.
why_not() {
	if [ "$EUID" -ne 0 ]; then
		echo 'needs root'
	elif [[ ${NM_BACKEND-} = @(cgroup|diag) ]]; then
		echo "$NM_BACKEND infers"
	elif ! nm-collect --probe |
		grep -qE "^${NM_BACKEND:-(fexit|tp)} +yes"; then
		echo "${NM_BACKEND:-fexit or tp} does not work here"
	fi
}

# an_interval_later STREAM: wait for the second tick from now: what the first
# one tells may have been collected before now.
an_interval_later() {
	same "$(timeout 60 tail -n 0 -f "$1" | grep -cm 2 '^{.*"type":"tick"')" 2
}

# --- A wire for the scenarios ---

# ring: a network namespace, in $ring from now on, in which all that nm-traffic
# sends to its own addresses leaves by the one end of a cable and comes back by
# the other. So the ledger, which leaves loopback out, has it; and because
# nothing else moves there, to the byte.
ring() {
	ring=nm-ring-$$
	at=10.93.0.1,fd93::1,e0
	export ring at
	ip netns add "$ring"
	ip -n "$ring" link set lo up
	ip -n "$ring" link add e0 mtu 65535 address 02:00:00:00:00:01 \
		type veth peer name e1 mtu 65535 address 02:00:00:00:00:02
	# From us and for us; no router is looked for, and no answer of ICMP
	# is one too many.
	in_ring sysctl -qw net.ipv4.conf.{all,e0,e1}.rp_filter=0 \
		net.ipv4.conf.{all,e1}.accept_local=1 \
		net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratemask=255 \
		net.ipv4.ping_group_range='0 2147483647' \
		net.ipv6.conf.{e0,e1}.addr_gen_mode=1 \
		net.ipv6.conf.{e0,e1}.router_solicitations=0
	ip -n "$ring" address add 10.93.0.1/32 dev e1
	ip -n "$ring" address add fd93::1/128 dev e1 nodad
	ip -n "$ring" link set e0 up
	ip -n "$ring" link set e1 up
	ring_route -4 10.93.0.1
	ring_route -6 fd93::1
}

# What is local is only looked up for what comes in by the cable.
ring_route() {
	ip -n "$ring" neighbour add "$2" lladdr 02:00:00:00:00:02 dev e0
	ip -n "$ring" "$1" route add "$2" dev e0 src "$2" table 93
	ip -n "$ring" "$1" rule add pref 1 iif e1 lookup local
	ip -n "$ring" "$1" rule add pref 2 to "$2" lookup 93
	ip -n "$ring" "$1" rule add pref 3 lookup local
	ip -n "$ring" "$1" rule del pref 0
}

# in_ring COMMAND...: with the machine's own /sys, where cgroups are.
in_ring() {
	nsenter --net="/run/netns/$ring" "$@"
}

# attributed STREAM [FROM]: by the ledger since then, nobody has a thousandth
# of the bytes; and there are some.
attributed() {
	if head -n 20 "$1" | grep -q '"notice".*"code":"wire"'; then
		return
	fi
	tail -c "+${2:-1}" "$1" | grep -E '"type":"tick".*}$' | jq -en '
		[inputs | [.nic_tx_bytes + .nic_rx_bytes,
			(.nic_unattributed_tx_bytes // 0) +
			(.nic_unattributed_rx_bytes // 0)]] | transpose |
		map(add) as [$all, $nobody] |
		if $all > 0 and 1000 * $nobody < $all then true
		else "of \($all) bytes, \($nobody) are unattributed" |
			error end'
}

# --- Scenarios ---

# traffic LEDGER SCENARIO: run it; skip the test if the kernel cannot.
traffic() {
	local status=0

	${ring:+in_ring} nm-traffic ${ring:+--at "$at"} "$2" >"$1" \
		2>"$1.errors" 3>&- || status=$?
	outcome "$1" "$status"
}

# outcome LEDGER STATUS: what became of nm-traffic.
outcome() {
	[ "$2" -ne 77 ] || skip "$(sed -n 's/^skip: //p' "$1.errors")"
	cat "$1.errors" >&2
	[ "$2" -eq 0 ]
}

# exact LEDGER STREAM [FROM]: each process has its bytes, its name and its
# protocol; prints what is wrong. FROM is the byte of the stream to begin at:
# other programs on this machine may have filled what is before it.
exact() {
	local pids wrong

	pids=$(jq -nr '[inputs.pid] | join("|")' "$1")
	wrong=$(tail -c "+${3:-1}" "$2" |
		grep -E "\"type\":\"flow\".*\"pid\":($pids),.*}\$" |
		jq -nr --slurpfile ledger "$1" '
		def check(what; $got; $expected):
			if $got == $expected then empty
			else "\(what): counted \($got), is \($expected)" end;
		def has_only(what; $got; $expected):
			if $got - $expected == [] then empty
			else "\(what): \($got), is \($expected)" end;
		[inputs] as $flows | $ledger[] | . as $role |
		($flows | map(select(.pid == $role.pid))) as $own |
		"\(.role) \(.pid)" as $who |
		check("\($who) tx"; $own | map(.tx_bytes) | add // 0; .tx_bytes),
		check("\($who) rx"; $own | map(.rx_bytes) | add // 0; .rx_bytes),
		has_only("\($who) comm"; $own | map(.comm) | unique;
			[.comm, .comm_was]),
		has_only("\($who) proto"; $own | map(select(.flow).proto) | unique;
			[.proto]),
		has_only("\($who) quality"; $own | map(.quality) | unique;
			["exact"]),
		(select(.uid) |
			has_only("\($who) uid"; $own | map(select(.tx_bytes +
				.rx_bytes > 0).uid) | unique; [.uid]))
	') || return
	[ -z "$wrong" ] || wrong+=$'\n'"lost: $(lost_of "$2" "${3:-1}")"
	same "$wrong" ''
}

# lost_of STREAM [FROM]: what its ticks say was lost since then, by kind; {} is
# nothing.
lost_of() {
	tail -c "+${2:-1}" "$1" | grep '"type":"tick".*}$' | jq -cn '
		reduce (inputs | to_entries[] |
			select(.key | startswith("lost_"))) as $lost ({};
			.[$lost.key] += $lost.value) | map_values(select(. > 0))'
}

# no_others STREAM [FROM]: since then nothing on the ring was counted for the
# kernel or for nobody. An MPTCP subflow, for one, is a socket of the kernel.
no_others() {
	local netns

	netns=$(stat -L -c %i "/run/netns/$ring")
	same "$(tail -c "+${2:-1}" "$1" | grep '^{.*"type":"flow".*}$' |
		grep -F "\"netns\":$netns," | grep -vE '"pid":[1-9]')" ''
}

# ticks_add_up STREAM: each tick has the number and the sums of its flows.
ticks_add_up() {
	same "$(grep '}$' "$1" | jq -nc '
		foreach (inputs | select(.type == "flow" or .type == "tick"))
		as $r ({};
			if .done then {} else . end |
			if $r.type == "flow" then
				.flows += 1 | .tx += $r.tx_bytes | .rx += $r.rx_bytes
			else
				.done = [$r.flows, $r.tx_bytes, $r.rx_bytes]
			end;
			select(.done and
				.done != [.flows // 0, .tx // 0, .rx // 0])) |
		"tick \(.done), flows \([.flows // 0, .tx // 0, .rx // 0])"
	')" ''
}
