# SPDX-License-Identifier: MIT
# bats file_tags=root
# Backend cgroup infers from packets what programs moved. Where packets tell it
# it is held to the byte, in each scenario of nm-traffic but those named here.

load helpers
load collect
load accuracy
load cable

setup_file() {
	:
}

setup() {
	need_root
	[[ ${NM_BACKEND:-cgroup} = cgroup ]] || skip "not about $NM_BACKEND"
	nm-collect --probe | grep -q '^cgroup  *yes' ||
		skip "cgroup does not work here"
	export NM_BACKEND=cgroup
	cannot=
	cable_setup
}

teardown() {
	cable_teardown
}

# Scenarios in which another than the socket's creator uses it.
others='fork inetd inherit inherit-udp crowd-udp passed'
# In which not all that came is read, or what was sent is no segment's bytes.
unread='raw4 raw6 raw-tcp4 raw-tcp6 tcp-epipe tcp-urgent-skipped udp-cut'
unread+=' udp4-refused udp6-refused udp4-unread udp6-unread'
# Which make headers or frames of their own.
own='packet raw-header'
# In which packets have what the kernel made of it: records, chunks.
layers='ktls12 ktls13 ktls-sendfile ktls-splice ktls-peek sctp4 sctp6'

told() {
	grep '}$' stream | jq -c 'select(.type == "flow" and .pid) |
		[.pid, .tx_bytes, .rx_bytes]' | jq -nc '
		reduce inputs as $f ({}; .[$f[0] | tostring] |=
			[(.[0] // 0) + $f[1], (.[1] // 0) + $f[2]])'
}

# mptcp_count NAME <NETSTAT: this counter of MPTCP; 0 where there is none.
mptcp_count() {
	NAME=$1 awk '$1 == "MPTcpExt:" && !n { n = split($0, name); next }
		$1 == "MPTcpExt:" {
			for (i = 2; i <= n; i++)
				if (name[i] == ENVIRON["NAME"])
					count = $i
		}
		END { print count + 0 }'
}

# mptcp_probes NETSTAT: how often MPTCP asked whether there is room, by sending
# a byte once more. Kernels before 6.18 count only that it came twice.
mptcp_probes() {
	if grep -q '^MPTcpExt:.* WinProbe' "$1"; then
		mptcp_count WinProbe <"$1"
	else
		mptcp_count DuplicateData <"$1"
	fi
}

# wrong LEDGER TIMES MORE: roles that do not have their bytes; of MPTCP, which
# sends again what is late, up to so many times as many, and so many more.
wrong() {
	told >sums
	jq -r --slurpfile sums sums --argjson times "$2" --argjson more "$3" '
		($sums[0][.pid | tostring] // [0, 0]) as $told |
		[.tx_bytes, .rx_bytes] as $moved |
		(if .scenario | startswith("mptcp") then [$times, $more]
		else [1, 0] end) as [$times, $more] |
		select(any(range(2); $told[.] < $moved[.] or
			$told[.] > $moved[.] * $times + $more)) |
		"\(.scenario) \(.role): \($told), is \([.tx_bytes, .rx_bytes])"
		' "$1"
}

@test "nm-collect: cgroup has the bytes of all scenarios that packets tell" {
	cp /proc/net/netstat before
	collect stream -i 0.2
	nm-traffic list | cut -f 1 >scenarios
	ran=0
	while read -r scenario; do
		[[ " $others $unread $own $layers " != *" $scenario "* ]] || continue
		nm-traffic "$scenario" >ledger 2>errors 3>&- || {
			# 77: this kernel cannot do it.
			[ $? -eq 77 ] || { cat errors; false; }
			continue
		}
		jq -c --arg scenario "$scenario" '. + {$scenario}' ledger \
			>>ledgers
		ran=$((ran + 1))
	done <scenarios
	an_interval_later stream
	collected stream
	cp /proc/net/netstat after
	times=1
	[ "$(mptcp_count MPTCPRetrans <after)" = \
		"$(mptcp_count MPTCPRetrans <before)" ] || times=1.02
	probes=$(($(mptcp_probes after) - $(mptcp_probes before)))
	wrong ledgers $times $probes >differ
	same "$(cat differ)" ''
	[ "$ran" -gt 60 ]
}

@test "nm-collect: cgroup counts once what comes twice, early or late" {
	need nstat
	cable a b
	for side in "$left" "$right"; do
		tc -n "$side" qdisc add dev e0 root netem loss 3% \
			duplicate 50% delay 2ms 1ms 2>/dev/null ||
			skip "no netem in this kernel"
	done
	collect stream -i 0.2
	send "$left" "$right" 10.93.0.2 2000003
	an_interval_later stream
	collected stream
	same "$(of_sides)" '[2000003,0,0,2000003]'
	# They did come twice.
	[ "$(in_space "$right" nstat -asz TcpExtTCPDSACKOldSent |
		awk '/DSACK/ { print $2 }')" -gt 0 ]
}

@test "nm-collect: cgroup has a connection that is on its way at the start" {
	need socat
	cable a b
	exchange_late 300007 1003
}

# In one connection of MPTCP, each subflow has sequence numbers of its own.
@test "nm-collect: cgroup counts the subflows of MPTCP by their own numbers" {
	need nstat
	space "nm-m-$$"
	for more in 2 3; do
		ip -n "nm-m-$$" mptcp endpoint add "127.0.0.$more" dev lo \
			subflow 2>/dev/null || skip "no MPTCP in this kernel"
	done
	ip -n "nm-m-$$" mptcp limits set subflow 4 add_addr_accepted 4
	collect stream -i 0.2
	# They join once data has come, if it is not over by then.
	for _ in {1..20}; do
		in_space "nm-m-$$" nm-traffic mptcp4 3>&- >>ledger
		joined=$(in_space "nm-m-$$" nstat -asz MPTcpExtMPJoinAckRx |
			awk '/MPJoin/ { print $2 }')
		[ "$joined" -lt 3 ] || break
	done
	[ "$joined" -gt 0 ]
	an_interval_later stream
	collected stream
	in_space "nm-m-$$" cat /proc/net/netstat >netstat
	jq -c '. + {scenario: "mptcp4"}' ledger >ledgers
	# Sent again: no segment is longer.
	wrong ledgers 1 $((65535 * $(mptcp_count MPTCPRetrans <netstat) +
		$(mptcp_probes netstat))) >differ
	same "$(cat differ)" ''
}

@test "nm-collect: cgroup gives what heirs move to who created the socket" {
	collect stream -i 0.2
	for scenario in fork inetd passed; do
		traffic ledger "$scenario"
		cat ledger >>ledgers
	done
	an_interval_later stream
	collected stream
	told >sums
	same "$(jq '[.tx_bytes, .rx_bytes]' ledgers | jq -s 'transpose |
		map(add)' -c)" "$(jq -c --slurpfile roles ledgers '. as $sums |
		[$roles[].pid | tostring | $sums[.] // [0, 0]] | transpose |
		map(add)' sums)"
}

@test "nm-collect: cgroup tells 5,000 flows with room for 1,024 without detail, and no byte is lost" {
	collect stream -i 60 --max-flows 1024
	traffic ledger flood
	collected stream
	told >sums
	same "$(jq -c --slurpfile sums sums \
		'[.pid, $sums[0][.pid | tostring]]' ledger)" \
		"$(jq -c '[.pid, [.tx_bytes, .rx_bytes]]' ledger)"
	same "$(jq -nc '[inputs | select(.type == "tick").lost_flows] |
		add >= 5000 - 1024' stream)" true
}

@test "nm-collect: cgroup says that it infers, and why it is used" {
	collect stream -i 0.2
	traffic ledger udp4-peers
	an_interval_later stream
	collected stream
	same "$(grep '}$' stream | jq -r 'select(.type == "flow").quality' |
		sort -u)" inferred
	same "$(head -n 1 stream | jq -r .backend)" cgroup
	run -2 nm-collect -b cgroup --no-wire
	[[ $output = *exclude* ]]
}
