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

# traffic LEDGER SCENARIO: run it; skip the test if the kernel cannot.
traffic() {
	local status=0

	nm-traffic "$2" >"$1" 2>"$1.errors" 3>&- || status=$?
	moved "$1" "$status"
}

# moved LEDGER STATUS: what became of nm-traffic.
moved() {
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
	same "$wrong" ''
}

# no_others STREAM FROM: since then nothing on loopback was counted for the
# kernel or for nobody. An MPTCP subflow, for one, is a socket of the kernel.
no_others() {
	same "$(tail -c "+$2" "$1" | grep '^{.*"type":"flow".*}$' |
		grep -E '"raddr":"(127\.|::1")' | grep -vE '"pid":[1-9]')" ''
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
