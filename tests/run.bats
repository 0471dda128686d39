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
