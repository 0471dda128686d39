# SPDX-License-Identifier: MIT
# bats file_tags=root
# What the kernel does for a process that has ended is still that one's.
# NM_BACKEND chooses the backend.

load helpers
load collect
load accuracy

setup() {
	cannot=$(why_not)
	[ -z "$cannot" ] || skip "$cannot"
	need ip socat
	cd "$BATS_TEST_TMPDIR"
	left=nm-l-$$ right=nm-r-$$ started=()
	ip netns add "$left"
	ip netns add "$right"
	ip -n "$left" link add e0 type veth peer name e0 netns "$right"
	ip -n "$left" address add 10.92.0.1/24 dev e0
	ip -n "$right" address add 10.92.0.2/24 dev e0
	# Nobody has to ask, in vain, who is who.
	ip -n "$right" link set e0 address 02:00:00:00:00:02 up
	ip -n "$left" link set e0 up
	ip -n "$left" neighbour add 10.92.0.2 lladdr 02:00:00:00:00:02 dev e0
	netns=$(stat -L -c %i "/run/netns/$left")
}

teardown() {
	end_started
	ip netns del "$left" 2>/dev/null || true
	ip netns del "$right" 2>/dev/null || true
}

# in_left COMMAND...: with the machine's own /sys, where cgroups are.
in_left() {
	nsenter --net="/run/netns/$left" "$@"
}

right_listens() {
	nsenter --net="/run/netns/$right" ss -Hltn 'sport = :5202' | grep -q .
}

# waits_for PATTERN: for so many seconds the kernel waits before it sends again.
waits_for() {
	in_left ss -Htno state fin-wait-1 |
		grep -qE "timer:\(on,$1(\.[0-9]+)?sec"
}

nothing_waits() {
	[ -z "$(in_left ss -Htn state fin-wait-1)" ]
}

# flows FILTER: what jq's filter says of the left namespace's, as a list.
flows() {
	grep '"type":"flow".*}$' stream | jq -n --argjson netns "$netns" \
		"[inputs | select(.netns == \$netns)] | $1"
}

# leave_unsent: a process connects, writes what cannot arrive, and ends; the
# kernel sends it again and again, and in the end it arrives. `meanwhile` runs
# once the process has ended.
leave_unsent() {
	in_background nsenter --net="/run/netns/$right" \
		socat -u TCP-LISTEN:5202,bind=10.92.0.2 OPEN:/dev/null
	wait_until 20 right_listens
	mkfifo go
	in_background nsenter --net="/run/netns/$left" bash -c '
		exec 3<>/dev/tcp/10.92.0.2/5202 && read -r _ <go
		head -c 1009 /dev/zero >&3'
	local program=${started[-1]}
	exec {go}>go # once it is connected
	ip -n "$right" link set e0 down
	echo >&"$go"
	exec {go}>&-
	wait "$program"
	meanwhile
	# Each wait is twice as long as the one before.
	wait_until 60 waits_for '1[0-9]'
	ip -n "$right" link set e0 up
	wait_until 60 nothing_waits
	an_interval_later stream
	collected stream
}

@test "nm-collect: what is sent again when its process has long ended has its name" {
	meanwhile() { :; }
	collect stream -i 0.2
	leave_unsent
	same "$(flows 'map(select(.pid | not))')" '[]'
	# Without the meter, what is sent again is not seen.
	grep -q '"tx_wire_bytes"' stream || skip 'the wire cannot be metered here'
	same "$(flows 'map(.retrans_packets // 0) | add >= 5')" true
	same "$(flows 'map(select(.retrans_packets > 0).pid) | unique | length')" 1
}

@test "nm-collect: so has what was merged while its process lived" {
	collect stream -i 0.2 --max-flows 16
	# There is no room as long as this goes on.
	in_background unshare -n bash -c 'ip link set lo up
		while :; do echo >/dev/udp/127.0.0.1/9; done' 2>/dev/null
	local others=${started[-1]}
	meanwhile() {
		an_interval_later stream
		kill "$others"
	}
	wait_until 120 grep -q '"lost_flows":' stream
	leave_unsent
	same "$(flows 'map(select(.pid | not))')" '[]'
	# It was merged, and in the end there was room for the rest of it.
	merged=$(grep '"type":"flow".*}$' stream | jq -n '[inputs |
		select(.comm == "head" and (.flow | not))] | length')
	[ "$merged" -gt 0 ] && [ "$(flows 'any(.state == "closed")')" = true ] ||
		skip 'there was room at first, or in the end there was none'
}
