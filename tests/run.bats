# SPDX-License-Identifier: MIT
# The tests' own tools: tests/run, and `make new`.

load helpers

# runs LINE...: tests/run over a file of these lines.
runs() {
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/inner.bats"
	run "$ROOT/tests/run" "$BATS_TEST_TMPDIR/inner.bats"
}

@test "tests/run: sums up, and names what failed and what was skipped" {
	runs '@test "one" { true; }' \
		'@test "two" { false; }' \
		'@test "three" { skip "there is no reason"; }' \
		'@test "four" { true; }'
	[ "$status" -eq 1 ]
	same "${lines[-1]}" '2 passed, 1 failed, 1 skipped'
	[[ $output == *$'\nFAILED: two\n'* ]]
	[[ $output == *$'\nskipped: three # skip there is no reason\n'* ]]
}

@test "tests/run: succeeds if all passed" {
	runs '@test "one" { true; }'
	[ "$status" -eq 0 ]
	same "${lines[-1]}" '1 passed, 0 failed'
}

@test "tests/run: fails if nothing ran, or a file cannot be read" {
	runs '@test "one" { skip "all are"; }'
	[ "$status" -eq 1 ]
	same "${lines[-1]}" '0 passed, 0 failed, 1 skipped'
	runs '@test "one" { true; }' '}'
	[ "$status" -eq 1 ]
}

@test "tests/run: runs only what has the tag" {
	printf '%s\n' '# bats test_tags=root' '@test "one" { true; }' \
		'@test "two" { false; }' >"$BATS_TEST_TMPDIR/inner.bats"
	run "$ROOT/tests/run" --filter-tags root "$BATS_TEST_TMPDIR/inner.bats"
	[ "$status" -eq 0 ]
	same "${lines[-1]}" '1 passed, 0 failed'
}

@test "tests/run: has an empty home and a known locale and time zone" {
	runs '@test "one" { [ -z "$(ls -A "$HOME")" ] && [ "$LC_ALL$TZ" = C.UTF-8UTC ]; }'
	[ "$status" -eq 0 ]
}

# A copy of what a stage is made from, so that the tree stays as it is.
copy_tree() {
	mkdir -p "$BATS_TEST_TMPDIR/tree/cmd" "$BATS_TEST_TMPDIR/tree/tests"
	cp -R "$ROOT/Makefile" "$ROOT/lib" "$ROOT/man" "$ROOT/packaging" \
		"$BATS_TEST_TMPDIR/tree"
	cp "$ROOT/cmd/nm-example.c" "$BATS_TEST_TMPDIR/tree/cmd"
	cp -R "$ROOT/tests/run" "$ROOT/tests/helpers.bash" "$ROOT/tests/data" \
		"$ROOT/tests/nm-example.bats" "$BATS_TEST_TMPDIR/tree/tests"
	cd "$BATS_TEST_TMPDIR/tree"
	# This make is none of the one that may have started the tests.
	unset MAKEFLAGS MFLAGS MAKELEVEL
}

# --- In other kernels ---

@test "tests/vm/run: +all is each environment, in kernels without parameters" {
	need awk
	run -0 "$ROOT/tests/vm/run" --list
	list=$(awk '{ print $1 }' <<<"$output")
	same "$(grep -c '+nobtf$' <<<"$list")" \
		"$(awk '!/^(#|$)/ && NF == 3' "$ROOT/tests/vm/kernels" | wc -l)"
	same "$(grep '^5.10[+]conf' <<<"$list")" 5.10+confidentiality
	run "$ROOT/tests/vm/run" --list no-such
	[[ $output != *no-such* ]]
	run -2 "$ROOT/tests/vm/run" no-such
	run -2 "$ROOT/tests/vm/run" 6.1+no-such
}

@test "tests/vm/table: tells what failed, what could not run and what did not" {
	cd "$BATS_TEST_TMPDIR"
	printf '%s\n' '@vm ready 6.1.0' '@vm section fexit' 1..5 \
		'ok 1 nm-collect: tcp4, IPv4' \
		'not ok 2 nm-collect: tcp6, IPv6' \
		'ok 3 nm-collect: mptcp4, MPTCP # skip no MPTCP' \
		'ok 4 nm-collect: udp4 that was open before it, bound' \
		'@vm section tp' 1..1 \
		'ok 1 nm-collect: backend tp works in this kernel # skip too old' \
		>6.1.tap
	printf '%s\n' '@vm ready 6.1.0' '@vm section capabilities' 1..2 \
		'# works none: diag' 'ok 1 capabilities: none' \
		'not ok 2 capabilities: BPF' >6.1+capabilities.tap
	# Beside a page that remembers nothing.
	mkdir -p tree/tests tree/bpf
	cp -R "$ROOT/tests/vm" "$ROOT/tests/nm-collect-accuracy.bats" tree/tests
	: >tree/bpf/README.md
	run -0 tree/tests/vm/table .
	echo "$output"
	# 5.10 fexit, 6.1 fexit, and no 6.1 tp.
	for row in '| tcp4, udp4 (open before) | - | ok |' \
		'| tcp6 | - | **not ok** |' '| mptcp4 | - | a |' \
		'| other tests | - | **1 not ok** |' '- a: no MPTCP' \
		'- no tp in 6.1: too old' '- 6.1 fexit: tcp6' \
		'- 6.1 fexit: 1 tests did not end' \
		'| capabilities: none | - | diag |' \
		'| capabilities: BPF | - | **not ok** |'; do
		[[ $output == *"$row"* ]] || { echo "no: $row" && false; }
	done
}

# --- Making a stage ---

@test "make new: a new stage builds and passes its tests at once" {
	copy_tree
	run make new NAME=nm-foo
	[ "$status" -eq 0 ]
	make B="$PWD/b" WERROR=1 "$PWD/b/nm-foo"
	B=$PWD/b run tests/run tests/nm-foo.bats
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == [1-9]*' passed, 0 failed' ]]
	run grep -inE 'nm-example|example_|template' cmd/nm-foo.c man/nm-foo.1 tests/nm-foo.bats
	same "$output" ''
	run ./b/nm-foo --version
	[[ ${lines[0]} == 'nm-foo '* ]]
}

@test "make new: refuses a bad name, and one that is taken" {
	copy_tree
	for name in '' foo nm- nm-Foo nm-f/oo 'nm-f oo' nm-foo-bar ../nm-x; do
		run packaging/new-stage "$name"
		[ "$status" -eq 2 ]
	done
	run packaging/new-stage nm-example
	[ "$status" -eq 2 ]
	same "$output" "new-stage: 'cmd/nm-example.c' is already there"
	same "$(ls cmd)" nm-example.c
}
