# SPDX-License-Identifier: MIT
# bats file_tags=root
# The ledgers of other network namespaces than nm-collect's own (--netns), held
# to the counters of their interfaces, and that none of them is kept alive.

load helpers
load collect
load accuracy
load cable

netns_of() {
	stat -L -c %i "/run/netns/$1"
}

# ledger_of STREAM NETNS: its records, as ticks.
ledger_of() {
	grep '}$' "$1" | jq -c "select(.type == \"ledger\" and .netns == $2) |
		.type = \"tick\""
}

# spaces_of STREAM: which have ledgers.
spaces_of() {
	grep '}$' "$1" | jq -c 'select(.type == "ledger").netns' | sort -u |
		paste -sd ' '
}

is_watched() {
	in_space "$1" ping -q -c 1 -W 1 "$2" >/dev/null
	[ -n "$(ledger_of stream "$(netns_of "$1")")" ]
}

# told STREAM NETNS: [sent, received] by its interfaces, as its ledger has it.
told() {
	ledger_of "$1" "$2" >of-netns
	closes of-netns
	lines of-netns nic_
}

is_unplugged() {
	! ip -n "$left" link show e0 >/dev/null 2>&1
}

# --- To the byte ---

# What is on its way at the end of an interval is in the ledger's no_socket, and
# then lent: it cannot be held to the byte. So these begin with an interval and
# end in it.

@test "nm-collect --netns: the ledgers of two others, to the byte" {
	cable a b
	right_netns=$(netns_of "$right")
	before=$(counted)
	collect stream -i 2 --netns="$left" --netns="/run/netns/$right" \
		--netns="$left"
	an_interval_later stream
	send "$left" "$right" 10.93.0.2 300007
	send "$right" "$left" 10.93.0.1 100003
	an_interval_later stream
	collected stream
	same "$(spaces_of stream)" \
		"$(printf '%s\n' "$netns" "$right_netns" | sort | paste -sd ' ')"
	# What the one sends the other one receives.
	moved=$(moved "$before")
	same "$(told stream "$netns")" "$moved"
	same "$(told stream "$right_netns")" "$(jq -c reverse <<<"$moved")"
	mv stream whole
	ledger_of whole "$netns" >stream
	all_of named "$before"
	same "$(of_ledger stream unattributed)" 0
	# Each is told once an interval, before its tick.
	same "$(jq -s '[group_by(.ts_us)[] | length | select(. > 1)]' \
		-c stream)" '[]'
	jq -en '[inputs | select(.type == "ledger" or .type == "tick")] as $r |
		[$r | keys[] | select($r[.].type == "ledger")] | length > 1 and
		all($r[.].ts_us == ($r[. + 1:] | map(select(.type == "tick")) |
			.[0].ts_us))' whole
}

@test "nm-collect --netns: what has no room is told once, when it moves" {
	need socat
	cable a b
	mkfifo go
	in_background nsenter --net="/run/netns/$right" socat -u \
		UDP4-RECV:5201 OPEN:received,creat,trunc
	wait_until 20 udp_is_open
	before=$(counted)
	collect stream -i 0.2 --netns="$left" --max-flows 2
	# The sockets stay open, and are used no more.
	# shellcheck disable=SC2016 # the inner shell's
	in_background nsenter --net="/run/netns/$left" bash -c '
		for n in {1..20}; do
			exec {fd}<>/dev/udp/10.93.0.2/5201
			echo -n 1234567 >&$fd
		done
		read <go'
	sender=${started[-1]}
	wait_until 20 have_come 140
	an_interval_later stream
	cp stream first
	# Nor is any of it told again at their end.
	echo >go
	wait "$sender"
	an_interval_later stream
	collected stream
	same "$(moved "$before")" '[700,0]'
	for told in first stream; do
		ledger_of "$told" "$netns" >of-netns
		closes of-netns
		same "$(lines of-netns nic_) $(lines of-netns nic_named_)" \
			'[700,0] [700,0]'
	done
	jq -es 'map(.lost_flows // 0) | add > 0' stream
}

udp_is_open() {
	in_space "$right" ss -Hlun 'sport = :5201' | grep -q .
}

have_come() {
	[ "$(stat -c %s received)" = "$1" ]
}

@test "nm-collect --netns: the ledgers of many intervals close" {
	cable a b
	right_netns=$(netns_of "$right")
	before=$(counted)
	collect stream -i 0.1 --netns="$left" --netns="$right"
	# A fast machine sends all in one interval, else.
	for _ in {1..8}; do
		send "$left" "$right" 10.93.0.2 2500003
		sleep 0.1
	done
	an_interval_later stream
	collected stream
	moved=$(moved "$before")
	drops=$(dropped "$left" e0)
	for side in "$netns:$moved" "$right_netns:$(jq -c reverse <<<"$moved")"; do
		told=$(told stream "${side%%:*}")
		[ "$(wc -l <of-netns)" -gt 3 ]
		# What is lent at the end was told before, or dropped.
		jq -en "[$told, ${side#*:}, $(lines of-netns nic_no_socket_)] |
			transpose | all(.[0] >= .[1] and
				.[0] - .[1] <= .[2] + 1500 * $drops)"
	done
}

@test "nm-collect --netns: a process names its namespace; ours is in tick" {
	cable a b
	in_background nsenter --net="/run/netns/$left" sleep 1000
	wait_until 20 eval '[ "$(readlink "/proc/${started[-1]}/ns/net")" \
		= "net:[$netns]" ]'
	collect stream -i 2 --netns="${started[-1]}" --netns="$$"
	before=$(counted)
	an_interval_later stream
	send "$left" "$right" 10.93.0.2 300007
	an_interval_later stream
	collected stream
	same "$(spaces_of stream)" "$netns"
	same "$(told stream "$netns")" "$(moved "$before")"
}

@test "nm-collect --netns: the ledger is of all processes, also with -p" {
	cable a b
	before=$(counted)
	collect stream -i 2 --netns="$left" -p "$$"
	an_interval_later stream
	send "$left" "$right" 10.93.0.2 300007
	an_interval_later stream
	collected stream
	same "$(told stream "$netns")" "$(moved "$before")"
	run ! grep -q '"comm":"socat"' stream
}

@test "nm-collect --netns: what passes through another one is forwarded" {
	cable a b
	third=nm-c-$$
	space "$third"
	ip -n "$left" link add e1 mtu 1500 gso_max_segs 1 type veth \
		peer name e0 netns "$third" mtu 1500 gso_max_segs 1
	end "$left" e1 10.94.0.1 02:00:00:00:00:03
	end "$third" e0 10.94.0.2 02:00:00:00:00:04
	in_space "$left" sysctl -qw net.ipv4.ip_forward=1
	ip -n "$right" route add default via 10.93.0.1
	ip -n "$third" route add default via 10.94.0.1
	collect stream -i 0.2 --netns="$left"
	send "$right" "$third" 10.94.0.2 10000019
	an_interval_later stream
	collected stream
	ledger_of stream "$netns" >of-netns
	closes of-netns
	# Each packet came in by one interface and went out by the other.
	[ "$(of_ledger of-netns forwarded)" -gt 20000038 ]
	same "$(of_ledger of-netns named)" 0
	[ "$(of_ledger of-netns no_socket)" -lt 200000 ]
}

@test "nm-collect --netns: an interface counts where it is, to the byte" {
	cable a b
	third=nm-c-$$
	space "$third"
	before=$(counted)
	collect stream -i 2 --netns="$left" --netns="$third"
	an_interval_later stream
	send "$left" "$right" 10.93.0.2 300007
	# Nobody waits for an interval: what it had comes with the notice.
	ip -n "$left" link set e0 down
	here=$(moved "$before")
	ip -n "$left" link set e0 netns "$third"
	end "$third" e0 10.93.0.1 02:00:00:00:00:01
	first=$left left=$third
	before=$(counted)
	ip -n "$left" neighbour add 10.93.0.2 lladdr 02:00:00:00:00:02 dev e0
	an_interval_later stream
	send "$left" "$right" 10.93.0.2 100003
	an_interval_later stream
	there=$(moved "$before")
	collected stream
	left=$first
	same "$(told stream "$netns")" "$here"
	same "$(told stream "$(netns_of "$third")")" "$there"
}

# --- All of them ---

@test "nm-collect --netns=all: also those that come later, to the byte" {
	need ping
	collect stream -i 2 --netns=all
	cable a b
	wait_until 30 is_watched "$left" 10.93.0.2
	wait_until 30 is_watched "$right" 10.93.0.1
	an_interval_later stream
	right_netns=$(netns_of "$right")
	lines=$(wc -l <stream)
	before=$(counted)
	send "$left" "$right" 10.93.0.2 300007
	an_interval_later stream
	collected stream
	sed -i "1,${lines}d" stream
	moved=$(moved "$before")
	same "$(told stream "$netns")" "$moved"
	same "$(told stream "$right_netns")" "$(jq -c reverse <<<"$moved")"
}

@test "nm-collect --netns=all: keeps no namespace alive" {
	need ping
	collect stream -i 0.1 --netns=all
	for i in 1 2 3; do
		cable "a$i" "b$i"
		wait_until 30 is_watched "$right" 10.93.0.1
		ip netns del "$right"
		wait_until 30 is_unplugged
	done
	kill -0 "$collector"
	collected stream
	same "$(jq -c 'select(.type == "notice" and .level == "warning" and
		(.code == "lost" or .code == "rights")) |
		select(.text | test("may not be looked at") | not)' stream)" ''
}

@test "nm-collect --netns=all: one small process is left with the right" {
	collect stream -i 0.1 --netns=all
	helper=$(tr -d ' ' <"/proc/$collector/task/$collector/children")
	same "$(cat "/proc/$helper/comm")" nm-collect-ns
	same "$(awk '$1 == "CapPrm:" { print $2 }' "/proc/$helper/status")" \
		0000000000201000
	same "$(find "/proc/$helper/fd" -lname '*stream*')" ''
	kill -KILL "$helper"
	# What is there goes on.
	an_interval_later stream
	collected stream
}

# --- The end of one ---

@test "nm-collect --netns: the one that was named ends, and all was told" {
	cable a b
	right_netns=$(netns_of "$right")
	before=$(counted)
	collect stream -i 2 --netns="$right"
	# Nobody is left who could enter another one.
	same "$(cat "/proc/$collector/task/$collector/children")" ''
	an_interval_later stream
	send "$left" "$right" 10.93.0.2 300007
	moved=$(moved "$before" | jq -c reverse)
	ip netns del "$right"
	wait_until 30 is_unplugged
	an_interval_later stream
	collected stream
	same "$(told stream "$right_netns")" "$moved"
	same "$(jq -c 'select(.type == "notice" and .code == "lost")' stream)" ''
	run ! grep -v -e '^{' stream.errors
}

# --- Wrong ones ---

# refused STATUS TEXT OPTION...: nothing on standard output.
refused() {
	local status=$1 text=$2

	shift 2
	run "-$status" --separate-stderr nm-collect --once "$@"
	same "$output" ''
	[[ $stderr = *"$text"* ]] || same "$stderr" "$text"
}

@test "nm-collect --netns: one that is not there is an error that names it" {
	refused 1 "'no-such-netns'" --netns=no-such-netns
	refused 1 "'./stream'" --netns=./stream
	touch stream
	refused 1 "'./stream' is not a network namespace" --netns=./stream
	refused 1 'is not a network namespace' --netns="/proc/$$/ns/mnt"
	refused 1 "there is no process '4194304'" --netns=4194304
	refused 1 "'4194305'" --netns=4194305
	refused 2 'a network namespace has a name' --netns=
	refused 2 'exclude each other' --netns=all --no-wire
	refused 2 'exclude each other' --netns=all -b diag
	refused 2 'exclude each other' --netns=all --probe
}

@test "nm-collect --netns: says which right is missing" {
	need setpriv
	run -3 --separate-stderr setpriv --bounding-set -sys_admin \
		--inh-caps -sys_admin nm-collect --once --netns=all
	[[ $stderr = *CAP_SYS_ADMIN* ]]
	same "$output" ''
}

@test "nm-collect --netns=all: says that it may not look at all processes" {
	need setpriv
	look=(nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.2 -c 3
		--netns=all)
	filter='select(.code == "rights").text |
		capture("^(?<n>[0-9]+) process.*may not be looked at.*ledger$").n'
	# In a container, root may not look at all either.
	run -0 --separate-stderr "${look[@]}"
	of_root=$(jq -r "$filter" <<<"$output")
	run -0 --separate-stderr setpriv --bounding-set -sys_ptrace \
		--inh-caps -sys_ptrace "${look[@]}"
	# Once.
	[ "$(jq -r "$filter" <<<"$output")" -gt "${of_root:-0}" ]
}

@test "nm-collect --netns: refuses, and --probe says it, where packets are not counted" {
	space "nm-w-$$"
	why="packets are not counted: 'ip netns exec' hides cgroup version 2"
	run -3 --separate-stderr ip netns exec "nm-w-$$" nm-collect \
		${NM_BACKEND:+-b "$NM_BACKEND"} --once --netns=all
	same "$output" ''
	same "$stderr" "nm-collect: --netns: $why"
	run -0 ip netns exec "nm-w-$$" nm-collect --probe
	[ "$(grep -A 1 "^${NM_BACKEND:-tp} *yes" <<<"$output" | tail -n 1)" = \
		"            $why" ]
}

@test "nm-collect --netns: refuses where nothing but diag works" {
	run -3 --separate-stderr unshare -m sh -c 'mount -t tmpfs none \
		/sys/kernel/btf && exec nm-collect --once --netns=all'
	same "$output" ''
	[[ ${stderr_lines[0]} = 'nm-collect: backend fexit: the kernel has no BTF'*remedy* ]]
	same "${stderr_lines[-1]}" \
		'nm-collect: --netns: packets are not counted: backend diag cannot'
}
