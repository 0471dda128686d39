# SPDX-License-Identifier: MIT
# The library: its own test programs, and what every command has from it,
# shown with nm-example and tests/lib/options.

load helpers

flow='{"v":1,"type":"flow","ts_us":1,"tx_bytes":3,"rx_bytes":4}'
flow_out='{"v":1,"type":"flow","ts_us":1,"tx_bytes":3,"rx_bytes":4,"example_total_bytes":7}'

options() {
	"$B/tests/lib/options" "$@"
}

# bad LINES WORD...: nm-example refuses these lines with these words, and
# passes a good line before and after them.
bad() {
	local line=2 want='' word

	run --separate-stderr nm-example < <(printf '%s\n' "$flow" "$1" "$flow")
	[ "$status" -eq 1 ]
	shift
	for word; do
		want+="nm-example: stdin:$line: $word"$'\n'
		line=$((line + 1))
	done
	same "$stderr" "${want%$'\n'}"
	same "$output" "$flow_out"$'\n'"$flow_out"
}

# repeat BYTES COUNT
repeat() {
	head -c "$2" /dev/zero | tr '\0' "$1"
}

@test "lib/buf: grows, and flushes over short writes" {
	"$B/tests/lib/buf"
}

@test "lib/text: knows UTF-8 and makes strings safe for a terminal" {
	"$B/tests/lib/text"
}

@test "lib/base64: bytes become text, and come back" {
	"$B/tests/lib/base64"
}

@test "lib/json: writes records that nm-record(5) allows" {
	"$B/tests/lib/json"
}

@test "lib/record: reads, refuses, adds, drops and writes" {
	"$B/tests/lib/record"
}

@test "lib/record: agrees with jansson on 100003 inputs" {
	"$B/tests/lib/agree"
}

@test "lib/lines: splits the same lines however they come in" {
	"$B/tests/lib/lines"
}

@test "lib/filter: writes at each tick and before it waits" {
	timeout 60 "$B/tests/lib/filter"
}

@test "lib/units: rounds for people" {
	"$B/tests/lib/units"
}

@test "lib/addr: spells each address in one way" {
	"$B/tests/lib/addr"
}

@test "lib/cache: keeps the most recently used" {
	"$B/tests/lib/cache"
}

@test "lib/cache: zeros before the first other word count" {
	"$B/tests/lib/cache_hash"
}

@test "lib/toml: knows what is TOML, and where it is not and why" {
	timeout 100 "$B/tests/lib/toml"
}

@test "lib/toml: reads the public cases of toml-test (TOML_TEST=their folder)" {
	[ -n "${TOML_TEST-}" ] || skip "TOML_TEST is not set"
	need jq
	"$ROOT/tests/toml-test" "$TOML_TEST"
}

@test "tests/data/flows.ndjson: each tick is the sum of its flows" {
	run jq -nc '
	foreach inputs as $r ({n: 0, tx: 0, rx: 0};
		if $r.type == "flow" then
			.n += 1 | .tx += $r.tx_bytes | .rx += $r.rx_bytes
		elif $r.type == "tick" then
			(.n == $r.flows and .tx == $r.tx_bytes and
			 .rx == $r.rx_bytes) as $same |
			{n: 0, tx: 0, rx: 0, $same}
		else . end;
		if $r.type == "tick" then .same else empty end)' \
		"$ROOT/tests/data/flows.ndjson"
	same "$output" $'true\ntrue\ntrue\ntrue'
}

@test "filter: passes the whole test stream, and jq reads the same in it" {
	run nm-example <"$ROOT/tests/data/flows.ndjson"
	[ "$status" -eq 0 ]
	same "$(jq -cS 'del(.example_total_bytes)' <<<"$output")" \
		"$(jq -cS . "$ROOT/tests/data/flows.ndjson")"
}

@test "filter: refuses what is not a JSON object" {
	bad $'garbage\n{"v":1\n[1,2]\n"text"\n{"a":01}' \
		'not a JSON object' 'not a JSON object' 'not a JSON object' \
		'not a JSON object' 'not a JSON object'
}

@test "filter: refuses a key that comes twice" {
	bad '{"a":1,"b":2,"a":3}' 'key twice'
}

@test "filter: refuses bytes that are not UTF-8" {
	bad $'{"a":"\xff"}' 'invalid UTF-8'
}

@test "filter: refuses a NUL byte" {
	run --separate-stderr nm-example < <(printf '{"a":"\0"}\n%s\n' "$flow")
	[ "$status" -eq 1 ]
	same "$stderr" 'nm-example: stdin:1: NUL byte'
	same "$output" "$flow_out"
}

@test "filter: refuses 100000 brackets, nested" {
	bad "$(repeat '[' 100000)" 'nested too deep'
	bad "{\"a\":$(repeat '[' 100000)$(repeat ']' 100000)}" 'nested too deep'
}

@test "filter: refuses a number that nobody could read" {
	bad $'{"a":9223372036854775808}\n{"a":1e999}' \
		'number too big' 'number too big'
}

@test "filter: skips a line of more than 1 MiB and tells so" {
	bad "{\"a\":\"$(repeat x 1048576)\"}" 'line longer than 1048576 bytes'
}

@test "filter: takes a line of exactly 1 MiB" {
	line="{\"a\":\"$(repeat x 1048568)\"}"
	[ "${#line}" -eq 1048576 ]
	nm-example <<<"$line" >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/out" - <<<"$line"
}

@test "filter: lives through a megabyte of random bytes" {
	head -c 1000003 /dev/urandom >"$BATS_TEST_TMPDIR/random"
	echo >>"$BATS_TEST_TMPDIR/random"
	echo "$flow" >>"$BATS_TEST_TMPDIR/random"
	run --separate-stderr nm-example <"$BATS_TEST_TMPDIR/random"
	[ "$status" -eq 1 ]
	same "$output" "$flow_out"
}

@test "filter: tells the first five bad lines, and how many in all" {
	run --separate-stderr nm-example < <(yes x | head -n 123)
	[ "$status" -eq 1 ]
	same "$output" ''
	same "${#stderr_lines[@]}" 6
	same "${stderr_lines[4]}" 'nm-example: stdin:5: not a JSON object'
	same "${stderr_lines[5]}" 'nm-example: stdin: 123 bad lines in all'
}

@test "filter: skips empty and blank lines, and takes CRLF" {
	run --separate-stderr nm-example < <(printf '\n%s\r\n \t\r\n\r\n' "$flow")
	[ "$status" -eq 0 ]
	same "$output" "$flow_out"
	same "$stderr" ''
}

@test "filter: takes a last line without newline" {
	run --separate-stderr nm-example < <(printf '%s\n%s' "$flow" "$flow")
	[ "$status" -eq 0 ]
	same "$output" "$flow_out"$'\n'"$flow_out"
}

@test "filter: refuses a last line that was cut in half" {
	run --separate-stderr nm-example < <(printf '%s\n%s' "$flow" "${flow%??}")
	[ "$status" -eq 1 ]
	same "$output" "$flow_out"
	same "$stderr" 'nm-example: stdin:2: not a JSON object'
}

@test "filter: a full disk is told and exits 1" {
	run --separate-stderr bash -c 'nm-example >/dev/full' <<<"$flow"
	[ "$status" -eq 1 ]
	same "$stderr" 'nm-example: cannot write to standard output: No space left on device'
}

@test "filter: standard input that cannot be read is told and exits 1" {
	run --separate-stderr bash -c 'nm-example </'
	[ "$status" -eq 1 ]
	same "$stderr" 'nm-example: cannot read standard input: Is a directory'
	run --separate-stderr bash -c 'nm-example <&-'
	[ "$status" -eq 1 ]
	same "$stderr" 'nm-example: cannot read standard input: Bad file descriptor'
}

@test "filter: a reader that goes away is a quiet end with status 0" {
	run --separate-stderr bash -c '
	yes "$1" | head -n 100003 | nm-example | head -n 1
	echo "${PIPESTATUS[2]}"' - "$flow"
	same "$output" "$flow_out"$'\n0'
	same "$stderr" ''
}

@test "filter: a terminal on standard input is wrong usage" {
	need script
	cd "$BATS_TEST_TMPDIR"
	script -qec 'nm-example >out 2>err; echo $? >status' typescript
	same "$(cat out status)" 2
	same "$(cat err)" "nm-example: records are read from standard input, which is a terminal
Try 'nm-example --help' for more information."
}

@test "options: every kind is read, long and short" {
	run options one
	[ "$status" -eq 0 ]
	same "$output" 'flag=0 verbose=0 file=none backend=none count=1 any=0 interval=1 called=none
operand one'
	run options -qvvf a --backend tp -c3 -i 0.5 -xabc one --any 7 two
	[ "$status" -eq 0 ]
	same "$output" 'flag=1 verbose=2 file=a backend=tp count=3 any=7 interval=0.5 called=abc
operand one
operand two'
	run options --quiet --verbose --file=b --count=10000000 \
		--interval=3600 -- -one
	[ "$status" -eq 0 ]
	same "$output" 'flag=1 verbose=1 file=b backend=none count=10000000 any=0 interval=3600 called=none
operand -one'
}

# usage MESSAGE ARGUMENT...: status 2, this on stderr, nothing on stdout.
usage() {
	local message=$1

	shift
	run --separate-stderr options "$@"
	[ "$status" -eq 2 ]
	same "$output" ''
	same "$stderr" "options: $message
Try 'options --help' for more information."
}

@test "options: a wrong one is named" {
	usage "unknown option '--nope'" --nope one
	usage "unknown option '--nope'" --nope=3 one
	usage "unknown option '-z'" -z one
	usage "unknown option '-z'" -qz one
	usage "option '--quiet' takes no argument" --quiet=yes one
	usage "option '--help' takes no argument" --help=yes
	usage "option '--file' needs an argument" one --file
	usage "option '--file' needs an argument" one -f
	usage "option '-x' needs an argument" one -x
	usage "an operand is missing"
	usage "unexpected operand 'three'" one two three
}

@test "options: a number is read as a whole, and in its range" {
	local bad

	for bad in 0 10000001 -1 +1 1.5 1k ' 1' '1 ' '' x 0x10 1e3 \
		18446744073709551616 99999999999999999999999; do
		usage "option '--count': '$bad' is not a whole number from 1 to 10000000" --count "$bad" one
	done
	usage "option '--any': '-1' is not a whole number" --any -1 one
	run options --any 18446744073709551615 one
	[[ $output == *' any=18446744073709551615 '* ]]
	for bad in 0 0.09 3600.1 -1 1s 1e3 inf nan . 1.2.3 0x1 '' ' 1'; do
		usage "option '--interval': '$bad' is not a number of seconds from 0.1 to 3600" -i "$bad" one
	done
}

@test "options: a point is a point in every locale" {
	localedef -i de_DE -f UTF-8 "$BATS_TEST_TMPDIR/de_DE.UTF-8" ||
		skip "needs the sources of a locale with a decimal comma"
	LOCPATH=$BATS_TEST_TMPDIR LC_ALL=de_DE.UTF-8 run options -i 0.5 one
	[ "$status" -eq 0 ]
	# printf(3) shows that the locale is the one.
	[[ $output == *' interval=0,5 '* ]]
}

@test "options: only the words of a list are taken" {
	usage "option '--backend': 'fex' is not one of: fexit tp diag" --backend fex one
	usage "option '--backend': '' is not one of: fexit tp diag" --backend '' one
	usage "option '--backend': 'fexit tp' is not one of: fexit tp diag" --backend 'fexit tp' one
}

@test "options: a callback's complaint ends with status 2" {
	usage "'abcdef' is too long" -x abcdef one
}

@test "options: an argument that may be missing is in the same word" {
	run -0 options --maybe one
	[[ $output == *alone* ]]
	run -0 options --maybe=it one
	[[ $output == *it* && $output != *alone* ]]
	usage "'abcdef' is too long" --maybe=abcdef one
}

@test "options: --help comes from the table, in aligned columns" {
	run --separate-stderr options --help
	[ "$status" -eq 0 ]
	same "$stderr" ''
	same "$output" 'Usage: options [OPTION]… FROM [TO]
show what was given

  -q, --quiet             a flag
  -v, --verbose           a count; more of it says more

With an argument:
  -f, --file=FILE         a string
      --backend=NAME      a word out of a few, with a help text that is so long
                          that it takes more than one line (one of: fexit tp
                          diag)
  -c, --count=COUNT       a number
      --any=N             any number
  -i, --interval=SECONDS  seconds
  -x TEXT                 only a letter
      --maybe[=TEXT]      with or without
      --name-longer-than-the-column=ARGUMENT
                          begins on the next line

      --config=FILE       read this configuration, not the usual one
  -h, --help              show this help
  -V, --version           show the version and the licence

Examples:
  options -q one

Exit status: 0 done, 1 failed or bad input, 2 wrong usage, 3 cannot run here'
}

@test "options: --version says name, version and licence" {
	run options -V
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == 'options (netmonitor) '[0-9]* ]]
	same "${lines[1]}" 'Licence: MIT, and more'
	run nm-example --version
	same "${lines[1]}" 'Licence: MIT'
}

@test "options: output that cannot be written exits 1, a closed one nobody used does not matter" {
	run --separate-stderr bash -c '"$B/tests/lib/options" --help >/dev/full'
	[ "$status" -eq 1 ]
	same "$stderr" 'options: cannot write to standard output: No space left on device'
	run --separate-stderr bash -c 'nm-example >&- </dev/null'
	[ "$status" -eq 0 ]
	same "$stderr" ''
	run --separate-stderr bash -c 'nm-example >&-' <<<'{"v":1,"type":"tick","ts_us":1}'
	[ "$status" -eq 1 ]
	same "$stderr" 'nm-example: cannot write to standard output: Bad file descriptor'
	run --separate-stderr bash -c 'nm-example <&-'
	[ "$status" -eq 1 ]
	[[ $stderr == 'nm-example: '*': Bad file descriptor' ]]
}
