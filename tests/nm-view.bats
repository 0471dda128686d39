# SPDX-License-Identifier: MIT
# nm-view as text: whole pictures of recorded streams, and what is in them
# compared with the streams themselves.

load helpers

setup() {
	unset COLUMNS LINES
	export TZ=UTC LC_ALL=C.UTF-8 INPUTRC=/dev/null
	cd "$BATS_TEST_DIRNAME" || return
}

# picture NAME STREAM OPTION...: compare with golden/nm-view-NAME.txt.
picture() {
	local name=$1 stream=$2

	shift 2
	run --separate-stderr nm-view -b "$@" <"data/view-$stream.ndjson"
	[ "$status" -eq 0 ]
	same "$stderr" ''
	same "$output" "$(cat "golden/nm-view-$name.txt")"
}

# flow PID COMM TX RX [KEYS]: a record.
flow() {
	printf '{"v":1,"type":"flow","ts_us":1795470001000000,"dt_us":1000000,"flow":"%x","pid":%d,"start_us":%d,"comm":"%s","uid":0,"state":"open","tx_bytes":%d,"rx_bytes":%d,"quality":"exact"%s}\n' \
		"$1" "$1" "$1" "$2" "$3" "$4" "${5-}"
}

# tick SECONDS
tick() {
	printf '{"v":1,"type":"tick","ts_us":%d,"dt_us":1000000}\n' \
		$((1795470000000000 + $1 * 1000000))
}

@test "nm-view: prints a frame for each tick, an idle one too" {
	picture normal normal
}

@test "nm-view: leaves out columns where it is narrow" {
	picture narrow normal --width 40
	picture middle normal --width 60 -c 1
}

@test "nm-view: shows the rate and the program file where it is wide" {
	picture wide normal --width 120 -c 2
}

@test "nm-view: shows whose it was that the interfaces moved" {
	picture ledger ledger --width 130 -c 3
}

@test "nm-view: leaves the ledger out on a low screen" {
	run -0 nm-view -b --height 15 -c 1 <data/view-ledger.ndjson
	[[ $output != *Interfaces* ]]
	run -0 nm-view -b --height 16 -c 1 <data/view-ledger.ndjson
	[[ $output = *Interfaces* ]]
}

@test "nm-view: takes width and height from COLUMNS and LINES" {
	COLUMNS=40 picture narrow normal
	LINES=12 picture screen normal -c 2 -k Down
	COLUMNS=120 LINES=12 picture screen normal -c 2 -k Down \
		--width 80 --height 12
}

@test "nm-view: shows bits, and bytes to the last digit" {
	picture bits normal --bits -c 1
	picture exact normal --exact --width 120 -c 2
	picture bits normal -c 1 -k u
	picture exact normal --width 120 -c 2 -k 'u u'
	picture normal normal -k 'u m u'
}

@test "nm-view: marks what is inferred, keeps a warning, counts what was lost" {
	picture inferred inferred
}

@test "nm-view: information is printed once, a warning in each frame" {
	for level in info warning; do
		{
			echo '{"v":1,"type":"start","ts_us":1,"backend":"tp"}'
			echo '{"v":1,"type":"notice","ts_us":1,"level":"'$level'","text":"it is so"}'
			tick='{"v":1,"type":"tick","ts_us":9000000,"dt_us":9000000}'
			printf '%s\n' "$tick" "$tick" "$tick"
		} >"$BATS_TEST_TMPDIR/$level"
	done
	same "$(nm-view -b <"$BATS_TEST_TMPDIR/info" | grep -c 'note: it is so')" 1
	same "$(nm-view -b <"$BATS_TEST_TMPDIR/warning" | grep -c 'warning: it is so')" 3
}

@test "nm-view: names from outside move neither cursor nor columns" {
	picture hostile hostile --width 100
	picture hostile-narrow hostile --width 40
	run -0 nm-view -b --width 100 <data/view-hostile.ndjson
	[ -z "$(tr -d '\n' <<<"$output" | LC_ALL=C grep -a '[[:cntrl:]]')" ]
}

@test "nm-view: a filter finds program, user, file and pid, small letters both cases" {
	picture filter normal -c 2 -k '/ rs RET'
	for what in rsync 5120 1001 /usr/bin/rs; do
		run -0 nm-view -b -c 1 -k "/ $what RET" <data/view-normal.ndjson
		[[ ${lines[2]} == *"  1 of 5 processes "* ]]
		[[ ${lines[4]} == *rsync* ]]
		[ "${#lines[@]}" -eq 5 ]
	done
	run -0 nm-view -b -c 1 -k '/ RSYNC RET' <data/view-normal.ndjson
	[[ ${lines[2]} == *"  0 of 5 processes "* ]]
}

@test "nm-view: the filter's line is edited with readline" {
	# Back over a letter, to the begin, in the middle, kill the rest.
	for keys in '/ rsx BS RET' '/ s Home r RET' '/ sr Left C-t RET' \
		'/ rsync C-b C-b C-b C-k RET' '/ junk C-u rs RET'; do
		picture filter normal -c 2 -k "$keys"
	done
	# Its history.
	picture filter normal -c 2 -k '/ rs RET / C-u RET / Up RET'
	# Nothing, Esc, or the end of the line's input show all again.
	picture normal normal -k '/ rs RET / C-u RET'
	picture normal normal -k '/ rs RET / Esc'
	picture normal normal -k '/ rs RET / C-u C-d'
}

@test "nm-view: a filter works while it is typed" {
	picture filter-open normal -c 1 --height 8 -k '/ rs'
}

@test "nm-view: help lists every key" {
	picture help normal -c 1 --height 24 -k '?'
	picture normal normal -k '? ?'
	picture normal normal -k 'F1 Esc'
}

@test "nm-view: sorts by each column, in its natural order" {
	declare -A first=(
		[pid]='       0' [USER]='       0' [program]='~        '
		[sent/s]='    5120' [RECV/s]='    4310' [SENT]='    5120'
		[recv]='    4310' [sockets]='     911' [RATE]='    5120'
	)
	for column in "${!first[@]}"; do
		run -0 nm-view -b -c 1 -s "$column" <data/view-normal.ndjson
		case $column in
		# With two sockets are two; without a user are two.
		sockets) [[ ${lines[4]} =~ ' 2'$ ]] ;;
		USER) [[ ${lines[4]} != *root* ]] ;;
		*) same "${lines[4]:0:${#first[$column]}}" "${first[$column]}" ;;
		esac
		[[ ${lines[2]^^} == *" PROCESSES BY ${column^^} "* ]]
	done
}

@test "nm-view: keys move the sort column and reverse it" {
	run -0 nm-view -b -c 1 -k '<' <data/view-normal.ndjson
	[[ ${lines[2]} == *" by SOCKETS "* ]]
	run -0 nm-view -b -c 1 -k '< < <' <data/view-normal.ndjson
	[[ ${lines[2]} == *" by SENT "* ]]
	[[ ${lines[3]} == *"▾SENT "* ]]
	run -0 nm-view -b -c 1 -k '< < < S' <data/view-normal.ndjson
	[[ ${lines[2]} == *" by SENT, reversed "* ]]
	[[ ${lines[3]} == *"▴SENT "* ]]
	[[ ${lines[-1]} == *rsync* ]]
	# Both ends hold.
	run -0 nm-view -b -c 1 -k '< < < < < < < < < < < <' <data/view-normal.ndjson
	[[ ${lines[2]} == *" by PID "* ]]
}

@test "nm-view: rows that are equal stay where they were" {
	run -0 nm-view -b -s SENT/s < <(
		flow 1 one 5 0 && flow 2 two 3 0 && flow 3 three 4 0 && tick 1
		tick 2
		flow 2 two 9 0 && tick 3
		tick 4
	)
	same "$(awk '/^ +[0-9]+ root/ { printf "%s ", $3 } /PID/ { print "" }' \
		<<<"$output")" $'\none three two \none three two \ntwo one three \ntwo one three '
}

@test "nm-view: the selection follows the process, not the line" {
	picture screen normal --height 12 -c 2 -k Down
	# One page down and one up again is where it began.
	run -0 nm-view -b -c 1 --height 9 -k 'Down PgDn PgUp' <data/view-normal.ndjson
	[[ ${lines[4]} == '>   5120 '* ]]
	run -0 nm-view -b -c 1 --height 9 -k End <data/view-normal.ndjson
	[[ ${lines[7]} == '> '*' ? '* ]]
	run -0 nm-view -b -c 1 --height 9 -k 'G k k Home j' <data/view-normal.ndjson
	[[ ${lines[5]} == '>   4310 '* ]]
	run -0 nm-view -b -c 1 --height 9 -k 'G Esc' <data/view-normal.ndjson
	[[ $output != *'>  '* ]]
	[[ ${lines[4]} == '    5120 '* ]]
}

@test "nm-view: a held picture stands still, and the world goes on behind it" {
	run -0 nm-view -b -k 'Space TICK TICK Space' <data/view-normal.ndjson
	first=$(sed -n '1,/^$/p' <<<"$output" | sed 's/ PAUSED  / /;1d')
	second=$(sed '1,/^$/d' <<<"$output" | sed '/^$/,$d;1d')
	third=$(sed '1,/^$/d' <<<"$output" | sed '1,/^$/d')
	[[ ${lines[0]} == *' PAUSED  21:40:01' ]]
	same "$(sed '/^$/d' <<<"$first")" "$second"
	# Only the order may differ: the second frame was never sorted.
	same "$(sort <<<"$third")" "$(nm-view -b <data/view-normal.ndjson |
		sed '1,/^$/d' | sed '1,/^$/d' | sort)"
}

@test "nm-view: the last column is file, cgroup or nothing" {
	run -0 nm-view -b -c 1 -k c <data/view-normal.ndjson
	[[ ${lines[3]} == *' SOCKETS EXE' ]]
	run -0 nm-view -b -c 1 -k 'c c' <data/view-normal.ndjson
	[[ ${lines[3]} == *' SOCKETS CGROUP' ]]
	[[ $output == *' /system.slice/backup'* ]]
	picture normal normal -k 'c c c'
	run -0 nm-view -b -c 1 --width 120 -k c <data/view-normal.ndjson
	[[ ${lines[3]} == *' CGROUP' ]]
}

@test "nm-view: -c ends after so many frames, q ends before the next" {
	run -0 nm-view -b -c 2 <data/view-normal.ndjson
	same "$(grep -c PID <<<"$output")" 2
	run -0 nm-view -b -k 'TICK q' <data/view-normal.ndjson
	same "$(grep -c PID <<<"$output")" 1
}

@test "nm-view: without a terminal it prints text by itself" {
	run -0 setsid -w nm-view <data/view-normal.ndjson
	same "$output" "$(cat golden/nm-view-normal.txt)"
}

@test "nm-view: a stream without ticks is shown when it ends" {
	run -0 nm-view -b < <(flow 7 seven 300 200)
	[[ ${lines[0]} == *' 21:40:01' ]]
	[[ ${lines[1]} == ' Sent   300 B/s'*'Received   200 B/s'* ]]
}
