# SPDX-License-Identifier: MIT
# nm-view: sums that close, bounds that hold, input that is not what it should
# be, and the rules that its sources keep.

load helpers

setup() {
	unset COLUMNS LINES
	export TZ=UTC LC_ALL=C.UTF-8 INPUTRC=/dev/null
	cd "$BATS_TEST_DIRNAME" || return
}

# The last of the frames in $output.
last_frame() {
	tac <<<"$output" | sed '/^$/,$d' | tac
}

# "TX RX" that the rows of the last frame add up to, by --exact --width 120.
# Only [earlier] has no sockets behind these two columns.
sum_of_rows() {
	last_frame | awk '/ PID / { rows = 1; next }
	rows {
		gsub(/ B/, "")
		last = NF - !/ \[earlier\] /
		tx += $(last - 1)
		rx += $last
	}
	END { print tx + 0, rx + 0 }'
}

# "TX RX" in total, by the header of the last frame.
sum_of_header() {
	last_frame | awk 'NR == 2 { gsub(/ B(\/s)?/, ""); print $3, $6 }'
}

# "TX RX" of a stream's flows, by jq.
sum_by_jq() {
	jq -rn 'reduce (inputs | select(.type == "flow")) as $f ([0, 0];
		[.[0] + $f.tx_bytes, .[1] + $f.rx_bytes]) | join(" ")' "$1"
}

# many PROCESSES TICKS [START]: each process moves primes of bytes each tick;
# pids begin at START.
many() {
	awk -v n="$1" -v ticks="$2" -v from="${3:-1}" 'BEGIN {
	for (t = 1; t <= ticks; t++) {
		ts = sprintf("%d000000", 1795470000 + t)
		for (p = from; p < from + n; p++)
			printf "{\"v\":1,\"type\":\"flow\",\"ts_us\":%s," \
			"\"dt_us\":1000000,\"flow\":\"%x\",\"pid\":%d," \
			"\"start_us\":9,\"comm\":\"p%d\",\"state\":\"open\"," \
			"\"tx_bytes\":%d,\"rx_bytes\":%d,\"quality\":\"exact\"}\n",
			ts, p, p, p, p % 7919 + 1, p % 104729
		printf "{\"v\":1,\"type\":\"tick\",\"ts_us\":%s," \
			"\"dt_us\":1000000,\"flows\":%d}\n", ts, n
	} }'
}

@test "nm-view: rows and header add up to the flows, to the byte" {
	for stream in data/view-*.ndjson data/flows.ndjson; do
		run -0 nm-view -b --exact --width 120 <"$stream"
		same "$(sum_of_header)" "$(sum_by_jq "$stream")"
		same "$(sum_of_rows)" "$(sum_by_jq "$stream")"
	done
}

@test "nm-view: more processes than the table holds are summed, to the byte" {
	many 20101 2 >"$BATS_TEST_TMPDIR/stream"
	# Not `run`: it is slow to take so much apart.
	output=$(nm-view -b -c 2 --exact --width 120 \
		<"$BATS_TEST_TMPDIR/stream")
	same "$(sum_of_rows)" "$(sum_by_jq "$BATS_TEST_TMPDIR/stream")"
	same "$(sum_of_header)" "$(sum_by_jq "$BATS_TEST_TMPDIR/stream")"
	[[ $output == *' 20000 processes by '* ]]
	same "$(last_frame | grep -cF '[other]')" 1
	same "$(last_frame | wc -l)" $((4 + 20000 + 1))
}

@test "nm-view: what has ended goes after ten seconds, its bytes stay" {
	{
		many 3 1
		echo '{"v":1,"type":"event","ts_us":1795470001500000,"event":"process_end","pid":2,"start_us":9}'
		for t in 2 11 12; do
			echo '{"v":1,"type":"tick","ts_us":'$((1795470000 + t))'000000,"dt_us":1000000}'
		done
	} >"$BATS_TEST_TMPDIR/stream"
	run -0 nm-view -b --exact --width 120 <"$BATS_TEST_TMPDIR/stream"
	same "$(grep -c ' p2 ' <<<"$output")" 3
	same "$(grep -c ' ended' <<<"$output")" 2
	same "$(last_frame | grep -c 'p2 ')" 0
	same "$(last_frame | awk '/earlier/ { print $2, $4, $6, $8 }')" '0 3 2 '
	same "$(sum_of_rows)" "$(sum_by_jq "$BATS_TEST_TMPDIR/stream")"
}

@test "nm-view: what is silent without a socket goes after five minutes" {
	{
		many 2 1 | sed '1s/open/closed/'
		for t in 2 300 302; do
			echo '{"v":1,"type":"tick","ts_us":'$((1795470000 + t))'000000,"dt_us":1000000}'
		done
	} >"$BATS_TEST_TMPDIR/stream"
	run -0 nm-view -b --exact --width 120 <"$BATS_TEST_TMPDIR/stream"
	same "$(grep -c ' p1 ' <<<"$output")" 3
	same "$(grep -c ' p2 ' <<<"$output")" 4
	same "$(sum_of_rows)" "$(sum_by_jq "$BATS_TEST_TMPDIR/stream")"
}

@test "nm-view: a process that ends before its flows are told is ended" {
	run -0 nm-view -b <<'END'
{"v":1,"type":"event","ts_us":1,"event":"process_end","pid":5,"start_us":9,"comm":"short"}
{"v":1,"type":"flow","ts_us":2,"dt_us":1,"flow":"1","pid":5,"start_us":9,"comm":"short","state":"open","tx_bytes":7,"rx_bytes":0,"quality":"exact"}
{"v":1,"type":"tick","ts_us":2,"dt_us":1}
END
	[[ ${lines[4]} == *' short '*' ended' ]]
}

@test "nm-view: a reused pid and another boot are other processes" {
	run -0 nm-view -b --exact < <(
		many 1 1
		many 1 1 | sed 's/"start_us":9/"start_us":10/'
		echo '{"v":1,"type":"start","ts_us":1795470001000000,"boot_id":"other"}'
		many 1 1
	)
	same "$(last_frame | grep -c ' p1 ')" 3
	same "$(last_frame | grep ' p1 ' | grep -c ' ended')" 2
}

@test "nm-view: counts open sockets, a datagram socket once" {
	run -0 nm-view -b < <(
		many 1 1 | sed 's/"flow":"1"/"flow":"9-aa"/;$d'
		many 1 1 | sed 's/"flow":"1"/"flow":"9-bb"/;$d'
		many 1 1 | sed 's/"flow":"1"/"flow":"a"/'
		many 1 1 | sed 's/"flow":"1"/"flow":"a"/;s/open/closed/'
	)
	same "$(awk '/p1/ { print $NF }' <<<"$output")" $'2\n1'
}

# sockets PID FROM TO PROTO SECOND: a record for each cookie.
sockets() {
	awk -v pid="$1" -v from="$2" -v to="$3" -v proto="$4" -v t="$5" 'BEGIN {
	for (i = from; i <= to; i++)
		printf "{\"v\":1,\"type\":\"flow\",\"ts_us\":%d000000," \
		"\"dt_us\":1000000,\"flow\":\"%x\",\"pid\":%d," \
		"\"start_us\":9,\"comm\":\"p%d\",\"proto\":\"%s\"," \
		"\"state\":\"open\",\"tx_bytes\":7,\"rx_bytes\":0," \
		"\"quality\":\"exact\"}\n", 1795470000 + t, i, pid, pid, proto
	}'
}

tick() {
	echo '{"v":1,"type":"tick","ts_us":'$((1795470000 + $1))'000000,"dt_us":1000000}'
}

# What each frame says of that process in the last column.
sockets_of() {
	awk -v p=" $1 " 'index($0, p) { print $NF }' <<<"$output" | paste -sd ' '
}

@test "nm-view: a datagram socket counts until it was silent for a minute" {
	for proto in udp udplite icmp icmpv6 raw; do
		run -0 nm-view -b < <(
			sockets 1 1 50 $proto 1 && sockets 2 60 62 tcp 1 && tick 1
			sockets 1 7 8 $proto 30 && tick 30
			tick 60
			tick 61
			sockets 1 9 9 $proto 62 && tick 62
			tick 90
			tick 122
		)
		same "$(sockets_of p1)" '50 50 50 2 3 1 0'
		same "$(sockets_of p2)" '3 3 3 3 3 3 3'
	done
	# The clock was set back by a second, and by an hour.
	run -0 nm-view -b < <(
		sockets 1 1 2 udp 3601 && tick 3601
		sockets 1 2 3 udp 3600 && tick 3600
		sockets 1 4 4 udp 1 && tick 1
	)
	same "$(sockets_of p1)" '2 3 1'
}

@test "nm-view: sockets that were not closed leave room for others" {
	{
		sockets 1 1 131070 udp 1 && sockets 2 140001 140005 tcp 1 && tick 1
		tick 61
		sockets 2 140001 140005 tcp 62 && tick 62
	} >"$BATS_TEST_TMPDIR/stream"
	run -0 nm-view -b <"$BATS_TEST_TMPDIR/stream"
	same "$(sockets_of p1)" '131070 0 0'
	same "$(sockets_of p2)" '2+ 2 5'
}

@test "nm-view: a program that became another is shown by its new name" {
	run -0 nm-view -b < <(
		many 1 1
		echo '{"v":1,"type":"event","ts_us":1,"event":"process_exec","pid":1,"start_us":9,"comm":"after"}'
		many 1 1 | sed 's/"p1"/"after"/'
	)
	same "$(last_frame | grep -c ' after ')" 1
	same "$(last_frame | wc -l)" 5
}

@test "nm-view: the rate is bytes by the tick's length" {
	run -0 nm-view -b --exact < <(many 1 1 600 | sed 's/"dt_us":1000000,"flows/"dt_us":250000,"flows/')
	[[ ${lines[4]} == *' 2404 B '*' 2400 B '* ]]
}

@test "nm-view: the ledger of another namespace is in no sum" {
	data=$ROOT/tests/data/view-ledger.ndjson
	with=$BATS_TEST_TMPDIR/with
	awk '/"type":"tick"/ { copy = $0
		sub(/"type":"tick"/, "\"type\":\"ledger\",\"netns\":7", copy)
		print copy } { print }' "$data" >"$with"
	[ "$(grep -c '"type":"ledger"' "$with")" -ge 2 ]
	same "$(nm-view -b <"$with")" "$(nm-view -b <"$data")"
}

@test "nm-view: bad lines are told, the rest is shown, exit 1" {
	run --separate-stderr nm-view -b < <(
		printf 'garbage\n\n{"v":1,"type":"flow","pid"\n'
		printf '{"type":"tick","type":"tick"}\n'
		head -c 1100000 /dev/zero | tr '\0' x && echo
		printf '\377\376{}\n{"a\0b":1}\n'
		printf '%01000d' 0 | tr 0 '[' && echo
		cat data/view-normal.ndjson
		printf '{"v":1,"type":"fl'
	)
	[ "$status" -eq 1 ]
	[[ $stderr == 'nm-view: stdin:1: not a JSON object'$'\n'* ]]
	[[ $stderr == *'nm-view: stdin:4: '*$'\n'* ]]
	[[ $stderr == *'nm-view: stdin:5: line longer than 1048576 bytes'$'\n'* ]]
	[[ $stderr == *'nm-view: stdin: 8 bad lines in all' ]]
	[[ ${lines[2]} == *'   7 bad lines   '* ]]
	same "$(sed 's/   7 bad lines//' <<<"$output" | grep -v ' processes by ')" \
		"$(grep -v ' processes by ' golden/nm-view-normal.txt)"
}

@test "nm-view: values of the wrong kind do no harm" {
	run --separate-stderr nm-view -b <<'END'
{"v":1,"type":"start","ts_us":"now","host":7,"kernel":{"a":[1]},"backend":null}
{"v":1,"type":"flow","ts_us":-1,"dt_us":1e300,"flow":[],"pid":-4,"start_us":1.5,"comm":true,"exe":{},"uid":1e9,"tx_bytes":9007199254740992,"rx_bytes":-1}
{"v":1,"type":"flow","pid":9007199254740992,"uid":9007199254740992,"tx_bytes":9007199254740992,"rx_bytes":9007199254740992}
{"v":1,"type":"event","event":"process_end"}
{"v":1,"type":"notice","level":3,"text":""}
{"v":1,"type":"tick","ts_us":9007199254740992,"dt_us":0,"cpu_us":9007199254740992}
{"v":1,"type":"tick","ts_us":0,"dt_us":1,"cpu_us":9007199254740992}
END
	[ "$status" -eq 0 ]
	same "$stderr" ''
	same "$(grep -c PID <<<"$output")" 2
}

@test "nm-view: wrong usage exits 2 with empty stdout" {
	for options in --no-such-option '-c 0' '-c x' '-s NOTHING' '--width 39' \
		'--height 7' '--bits --exact' 'operand'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr nm-view -b $options </dev/null
		[ "$status" -eq 2 ]
		same "$output" ''
		[[ $stderr == 'nm-view: '* ]]
	done
}

@test "nm-view: empty input prints nothing, exit 0" {
	run -0 nm-view -b </dev/null
	same "$output" ''
}

@test "nm-view: a reader that goes away ends it in silence" {
	many 50 50 >"$BATS_TEST_TMPDIR/stream"
	run --separate-stderr bash -c '
		nm-view -b <"$1" | head -n 1
		exit "${PIPESTATUS[0]}"' - "$BATS_TEST_TMPDIR/stream"
	[ "$status" -eq 0 ]
	same "$stderr" ''
}

@test "nm-view: a full disk is an error" {
	[ -c /dev/full ] || skip 'needs /dev/full'
	run --separate-stderr bash -c 'nm-view -b <data/view-normal.ndjson >/dev/full'
	[ "$status" -eq 1 ]
	[[ $stderr == 'nm-view: cannot write to standard output: '* ]]
}

# --- Its sources ---

@test "nm-view: includes go down only, curses is known to two files" {
	cd "$ROOT/cmd/nm-view"
	same "$(grep -l '<curses.h>' ./*.[ch] | sort | paste -sd ' ')" \
		'./canvas.c ./input.c'
	may() {
		local own=$1

		shift
		same "$(grep -ho '^#include "[a-z_]*\.h"' "$own".[ch] |
			grep -oE '[a-z_]+\.h' | sort -u | while read -r h; do
			[ -e "$h" ] && echo "${h%.h}"
		done | grep -vxF -e "$own" "${@/#/-e}")" ''
	}
	may model procs sockets users
	may procs model sockets users
	may sockets model
	may users none
	may canvas theme
	may theme none
	may table canvas theme
	may action none
	may input action
	may prompt action canvas
	may proc_columns amount model table
	may screen_proc screen canvas table proc_columns
	may screen_help screen canvas
}

@test "nm-view: the page lists the keys that the program has" {
	keys=$(sed -n '/^#define ACTIONS/,/^$/p' "$ROOT/cmd/nm-view/action.h" |
		tr '\n\\' '  ' | grep -oE 'X\([A-Z_]+, +"[^"]+"' |
		sed -E 's/.*"([^"]*)"/\1/')
	page=$(sed -n '/^\.Sh KEYS/,/^\.Sh /s/^\.It Cm //p' \
		"$ROOT/man/nm-view.1" | sed 's/ , / /g')
	[ "$(wc -l <<<"$keys")" -gt 10 ]
	same "$page" "$keys"
}
