# SPDX-License-Identifier: MIT
# nm-example is the template of a filter. The first five tests are those that
# every stage has; a new stage keeps them and puts its own behind them.

load helpers

@test "nm-example: adds example_total_bytes to a flow" {
	run nm-example <<<'{"v":1,"type":"flow","ts_us":1,"tx_bytes":3,"rx_bytes":4}'
	[ "$status" -eq 0 ]
	same "$output" '{"v":1,"type":"flow","ts_us":1,"tx_bytes":3,"rx_bytes":4,"example_total_bytes":7}'
}

@test "nm-example: keeps types and keys that it does not know" {
	input='{"v":1,"type":"from_tomorrow","ts_us":1,"a":[1,{"b":null}],"c":"\u00e9"}
{"v":1,"type":"tick","ts_us":2,"later":true}'
	run nm-example <<<"$input"
	[ "$status" -eq 0 ]
	same "$(jq -cS . <<<"$output")" "$(jq -cS . <<<"$input")"
}

@test "nm-example: tells a bad line, passes the others, exits 1" {
	run --separate-stderr nm-example <<<'{"v":1,"ts_us":1}
not a record
{"v":1,"ts_us":2}
{"v":2,"ts_us":3}'
	[ "$status" -eq 1 ]
	same "$output" '{"v":1,"ts_us":1}
{"v":1,"ts_us":2}'
	same "$stderr" 'nm-example: stdin:2: not a JSON object
nm-example: stdin:4: not version 1 of nm-record(5)'
}

@test "nm-example: a usage error exits 2 with empty stdout" {
	run --separate-stderr nm-example --no-such-option <<<'{"v":1}'
	[ "$status" -eq 2 ]
	same "$output" ''
	[[ $stderr == "nm-example: unknown option '--no-such-option'"* ]]
}

@test "nm-example: empty input makes empty output" {
	run nm-example </dev/null
	[ "$status" -eq 0 ]
	same "$output" ''
}

@test "nm-example: leaves out flows below --min, and nothing else" {
	run nm-example --min 8 <<<'{"type":"flow","tx_bytes":3,"rx_bytes":4}
{"type":"flow","tx_bytes":3,"rx_bytes":5}
{"type":"tick","tx_bytes":3,"rx_bytes":4}'
	[ "$status" -eq 0 ]
	same "$output" '{"type":"flow","tx_bytes":3,"rx_bytes":5,"example_total_bytes":8}
{"type":"tick","tx_bytes":3,"rx_bytes":4}'
}

@test "nm-example: does not add a sum of which one part is not known" {
	run nm-example <<<'{"type":"flow","tx_bytes":3}'
	[ "$status" -eq 0 ]
	same "$output" '{"type":"flow","tx_bytes":3}'
}

@test "nm-example: leaves an example_total_bytes that was there before" {
	run nm-example <<<'{"type":"flow","tx_bytes":3,"rx_bytes":4,"example_total_bytes":1}'
	[ "$status" -eq 0 ]
	same "$output" '{"type":"flow","tx_bytes":3,"rx_bytes":4,"example_total_bytes":1}'
}
