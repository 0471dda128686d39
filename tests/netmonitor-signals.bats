# SPDX-License-Identifier: MIT
# netmonitor: how it ends: by a key, by signals to it or to all of the pipe, and
# when it could not begin.

load netmonitor

@test "netmonitor: q ends it in silence, and Ctrl-C leaves the terminal in order" {
	need tmux
	fake nm-collect <<-'END'
		cat "$STREAM"
		while sleep 0.1; do echo || exit 0; done 2>/dev/null
	END
	tm new-session -d -x 80 -y 24 "env ENV= PS1='ready> ' sh"
	wait_until 10 shows 'ready>'
	tm send-keys "netmonitor; echo status=\$?" Enter
	wait_until 10 shows 21:40:03
	tm send-keys q
	wait_until 10 shows status=0
	same "$(tm capture-pane -p | sed '/^$/d')" \
		'ready> netmonitor; echo status=$?
status=0
ready>'
	tm send-keys clear Enter netmonitor Enter
	wait_until 10 shows 21:40:03
	tm send-keys C-c
	wait_until 10 shows 'ready>'
	tm send-keys 'clear; echo status=$?; stty -a | tr " " "\n" | grep -x -e icanon -e echo | tr "\n" " "' Enter
	wait_until 10 shows 'icanon echo'
}

# A collector that has still something to say when it is told to end.
fake_slow_collect() {
	fake nm-collect <<-'END'
		exec 2>/dev/null
		trap 'sleep 0.1; echo "{\"v\":1,\"type\":\"tick\",\"ts_us\":9}"; exit 0' TERM
		cat "$STREAM"
		while :; do sleep 0.1; done
	END
}

passed() {
	[ -e "$BATS_TEST_TMPDIR/out" ] &&
		[ "$(grep -c '"type":"tick"' "$BATS_TEST_TMPDIR/out")" -ge 3 ]
}

ended() {
	! kill -0 "$running" 2>/dev/null
}

# ends_by SIGNALS TARGET COMMAND...: it runs in a session of its own; the signals
# go to it ("") or to its whole group ("-"). All end, it by one of them, and the
# last tick comes.
ends_by() {
	local signals=$1 target=$2 status=0 expected=''

	shift 2
	rm -f "$BATS_TEST_TMPDIR/out"
	setsid env --default-signal "$@" >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- &
	running=$!
	wait_until 10 passed
	for signal in $signals; do
		kill -s "$signal" -- "$target$running"
		expected+=" $((128 + $(kill -l "$signal"))) "
	done
	wait_until 10 ended
	wait "$running" || status=$?
	[[ $expected = *" $status "* ]]
	same "$(pgrep -as "$running")" ''
	running=''
	tail -n 1 "$BATS_TEST_TMPDIR/out" | jq -e '.ts_us == 9'
	same "$(cat "$BATS_TEST_TMPDIR/err")" ''
}

# with_each_shell FUNCTION [ARGUMENT]...: give it the start of a netmonitor that
# prints records.
with_each_shell() {
	local shell shells=(sh)

	! type -P dash || shells+=(dash)
	! type -P busybox || shells+=('busybox sh')
	shells+=('bash --posix')
	for shell in "${shells[@]}"; do
		# shellcheck disable=SC2086 # words
		"$@" $shell "$bin/netmonitor" --json
	done
}

@test "netmonitor: a signal ends all programs, and the last tick comes" {
	need setsid pgrep
	fake_slow_collect
	# Two at once are one.
	for signals in TERM HUP INT QUIT 'HUP TERM'; do
		with_each_shell ends_by "$signals" ''
	done
}

# Nobody reads any more. All have been started, and the collector is at rest.
stuck() {
	pgrep -s "$running" -x nm-geo && pgrep -s "$running" -x sleep
}

nothing_left() {
	[ -z "$(pgrep -as "$running")" ]
}

ends_at_once() {
	local status=0

	setsid env --default-signal "$@" >"$BATS_TEST_TMPDIR/full" 3>&- &
	running=$!
	wait_until 10 stuck
	kill -TERM "$running"
	sleep 0.7	# more than the half second of netmonitor(1)
	kill -0 "$running"
	kill -INT "$running"
	wait_until 5 ended
	wait "$running" || status=$?
	same "$status" 130
	wait_until 5 nothing_left
	running=''
}

@test "netmonitor: a second signal ends it at once, though its reader is stuck" {
	need setsid pgrep
	fake_slow_collect
	mkfifo "$BATS_TEST_TMPDIR/full"
	exec 5<>"$BATS_TEST_TMPDIR/full"
	head -c 65536 /dev/zero >&5	# as much as it takes
	with_each_shell ends_at_once
	exec 5>&-
}

# starts_not STATUS COMMAND...: it ends with that, and leaves nothing behind.
starts_not() {
	local expected=$1 status=0

	shift
	: >"$LOG"
	TMPDIR=$tmp setsid env --default-signal "$@" 3>&- &
	running=$!
	wait_until 10 ended
	wait "$running" || status=$?
	same "$status" "$expected"
	wait_until 5 nothing_left
	running=''
	same "$(ls "$tmp")" ''
}

@test "netmonitor: who cannot start the pipe, or is not to, leaves nothing behind" {
	need setsid pgrep
	tmp=$BATS_TEST_TMPDIR/tmp
	mkdir "$tmp"
	fake nm-collect <<-'END'
		exec sleep 60
	END
	fake mkfifo <<-'END'
		echo >>"$LOG"
		[ "$(wc -l <"$LOG")" -ne 3 ] || eval "$THIRD"
		PATH=${PATH#*:} exec mkfifo "$@"
	END
	export THIRD
	# Not busybox's, which may have a mkfifo in it.
	for shell in sh 'bash --posix'; do
		THIRD='exit 1'
		starts_not 3 $shell "$bin/netmonitor" --json
		THIRD='kill -TERM "$PPID"'
		starts_not 143 $shell "$bin/netmonitor" --json
		# Ctrl-C reaches this one, too.
		THIRD='kill -INT "$PPID" $$'
		starts_not 130 $shell "$bin/netmonitor" --json
	done
}

# As timeout(1) sends it, and a terminal Ctrl-C.
@test "netmonitor: a signal to all of the pipe ends it no worse" {
	need setsid pgrep
	fake_slow_collect
	for signal in TERM INT; do
		ends_by "$signal" - "$bin/netmonitor" --json
	done
}

@test "netmonitor: a collector that we may not signal ends without its reader" {
	need setsid pgrep
	fake nm-collect <<-'END'
		cat "$STREAM"
		while sleep 0.1; do echo || exit 0; done 2>/dev/null
	END
	cp "$(type -P setpriv)" "$bin/become" && chmod 4755 "$bin/become"
	fake sudo <<-'END'
		[ "$1" = -v ] || exec become --reuid=0 --regid=0 --clear-groups "$@"
	END
	as_nobody become --reuid=0 true || skip "no programs with set-user-ID here"
	setsid setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$bin/netmonitor" --json >"$BATS_TEST_TMPDIR/out" 3>&- &
	running=$!
	wait_until 10 passed
	collector=$(pgrep -s "$running" -f nm-collect)
	run -1 as_nobody kill "$collector"
	kill "$running"
	status=0
	wait_until 10 ended
	wait "$running" || status=$?
	same "$status" 143
	same "$(pgrep -as "$running")" ''
	running=''
}

@test "netmonitor: a signal ends the screen, with the terminal in order" {
	need tmux pgrep
	fake_slow_collect
	tm new-session -d -x 80 -y 24 "env ENV= PS1='ready> ' sh"
	wait_until 10 shows 'ready>'
	for signal in TERM HUP INT; do
		tm send-keys "clear; sh -c 'echo \$\$ >$BATS_TEST_TMPDIR/pid; exec netmonitor'" Enter
		wait_until 10 shows 21:40:03
		kill -s "$signal" "$(cat "$BATS_TEST_TMPDIR/pid")"
		wait_until 10 shows 'ready>'
		tm send-keys 'echo status=$?' Enter
		wait_until 10 shows "status=$((128 + $(kill -l "$signal")))"
		# An interactive shell's job is a group of its own.
		same "$(pgrep -ag "$(cat "$BATS_TEST_TMPDIR/pid")")" ''
		tm send-keys 'clear; stty -a | tr " " "\n" | grep -x -e icanon -e echo | tr "\n" " "' Enter
		wait_until 10 shows 'icanon echo'
	done
}
