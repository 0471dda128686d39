# SPDX-License-Identifier: MIT
# bats file_tags=root
# nm-collect keeps what nm-collect(8) and nm-record(5) promise of its stream
# when it is short of room, stopped, started again and again, or not alone.
# NM_BACKEND chooses the backend.

load helpers
load collect
load accuracy

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
}

teardown() {
	end_started
}

exactly() {
	cannot=$(why_not)
	[ -z "$cannot" ] || skip "$cannot"
}

# churn SECONDS: processes that come and go, in a network namespace of their
# own; adds to ./ledger what they moved.
churn() {
	local rate=(-c 1000 -p 100)

	# A guest under QEMU is as slow as that.
	[ -z "${NM_GUEST-}" ] || rate=(-c 150 -p 15)
	unshare -n sh -c 'ip link set lo up && exec nm-churn "$@"' - \
		"${rate[@]}" "$1" >>ledger 3>&-
}

# churn_is_exact STREAM: each process of ./ledger has its bytes, by its id and
# its start.
churn_is_exact() {
	jq -r 'select(.tx_bytes + .rx_bytes > 0) |
		"\(.pid) \(.ticks) \(.tx_bytes) \(.rx_bytes)"' ledger |
		sort >is
	awk -v sums=sums -f "$ROOT/tests/life/audit.awk" "$1"
	cut -d ' ' -f 1-4 sums | sort | comm -12 - is | diff is -
}

# ticks FILTER: what jq's filter says of all ticks, as a list.
ticks() {
	jq -cs "map(select(.type == \"tick\")) | $1" stream
}

# --- Losses; nm-collect-many.bats has lost_flows and lost_detail ---

@test "nm-collect: with no room for processes nobody is told twice, and no byte is lost" {
	exactly
	collect stream -i 0.3 --max-processes 50 --max-flows 20
	churn 4
	collected stream
	# Each began and ended once, and has the bytes that its end says.
	awk -v sums=sums -f "$ROOT/tests/life/audit.awk" stream
	same "$(ticks 'map(.lost_processes) | add > 0')" true
	same "$(ticks 'map(.lost_flows) | add > 0')" true
	# Nobody has more than is his.
	same "$(awk 'NR == FNR { tx[$1, $2] = $3; rx[$1, $2] = $4; next }
		($1, $2) in tx && (tx[$1, $2] > $3 || rx[$1, $2] > $4)
		' sums <(jq -r '"\(.pid) \(.ticks) \(.tx_bytes) \(.rx_bytes)"' \
			ledger))" ''
	# All is there. Others may be on this machine, but not in a guest.
	is=$(jq -s 'map(.tx_bytes) | add' ledger)
	told=$(ticks 'map(.tx_bytes) | add')
	[ "$told" -ge "$is" ]
	[ -z "${NM_GUEST-}" ] || same "$told" "$is"
}
