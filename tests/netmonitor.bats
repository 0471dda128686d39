# SPDX-License-Identifier: MIT
# netmonitor: the pipe that it prints, the pipe that it runs, and who runs
# what. The collector here is a script that plays a recorded stream.

load helpers

setup() {
	unset COLUMNS LINES SUDO_UID SUDO_GID NM_STATUS TMUX NETMONITOR_CONFIG
	export TZ=UTC LC_ALL=C.UTF-8 TMUX_TMPDIR=$BATS_TEST_TMPDIR
	# An empty one, so that none of this machine's is read.
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
	mkdir -p "$XDG_CONFIG_HOME/netmonitor"
	: >"$XDG_CONFIG_HOME/netmonitor/config.toml"
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	cp "$B/netmonitor" "$B/nm-classify" "$B/nm-view" "$bin"
	# Nobody is to be asked for the names in the recorded stream.
	fake nm-resolve <<-END
		exec $B/nm-resolve --no-dns --root=$BATS_TEST_TMPDIR "\$@"
	END
	fake nm-collect <<-'END'
		[ -z "${NM_FAIL-}" ] || { echo "nm-collect: $NM_FAIL" >&2; exit 3; }
		echo "nm-collect $* uid=$(id -u)" >>"$LOG"
		cat "$STREAM"
	END
	# Where there is no database, a notice says so.
	fake nm-geo <<-END
		exec $B/nm-geo -f $BATS_TEST_DIRNAME/data/one.mmdb "\$@"
	END
	export LOG=$BATS_TEST_TMPDIR/log STREAM=$BATS_TEST_TMPDIR/stream
	cp "$BATS_TEST_DIRNAME/data/view-normal.ndjson" "$STREAM"
	: >"$LOG" && chmod 666 "$LOG"
	filters="$bin/nm-classify | $bin/nm-resolve | $bin/nm-geo"
	PATH=$bin:/usr/sbin:/usr/bin:/sbin:/bin
}

teardown() {
	tm kill-server 2>/dev/null || true
	[ -z "${running-}" ] || kill -KILL "-$running" 2>/dev/null || true
}

# fake NAME: a command of that name, from standard input.
fake() {
	{ echo '#!/bin/sh' && cat; } >"$bin/$1"
	chmod 755 "$bin/$1"
}

# as_nobody COMMAND...: without any rights.
as_nobody() {
	need setpriv
	need_root
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

tm() {
	tmux -L netmonitor -f /dev/null "$@" 3>&-
}

shows() {
	tm capture-pane -p | grep -qF -- "$1"
}

@test "netmonitor: prints the pipe that it would run" {
	need_root
	run -0 netmonitor -n
	same "$output" "$bin/nm-collect --peek --cmdline | $filters | $bin/nm-view -b"
	run -0 netmonitor -ni 0.5 --backend=diag
	same "$output" "$bin/nm-collect -i 0.5 -b diag | $filters | $bin/nm-view -b"
	run -0 netmonitor --dry-run --interval=3 --once
	same "$output" "$bin/nm-collect -i 3 --once --peek --cmdline | $filters | $bin/nm-view -b"
	run -0 netmonitor -n -i2 --json --backend "it's"
	same "$output" "$bin/nm-collect -i 2 -b 'it'\\''s' --peek --cmdline | $filters"
	run -0 netmonitor -np1 --pid=2 --netns=all --netns 'a b' --no-wire --json
	same "$output" "$bin/nm-collect -p 1 -p 2 --netns=all '--netns=a b' --no-wire --cmdline | $filters"
	run -0 netmonitor -n --no-peek --no-dns --no-cmdline
	same "$output" "$bin/nm-collect | $bin/nm-classify | $bin/nm-resolve --no-dns --no-cmdline | $bin/nm-geo | $bin/nm-view -b"
	same "$(cat "$LOG")" ''
}

@test "netmonitor: gives --config to all, and they read it" {
	need_root
	config="$BATS_TEST_TMPDIR/a b.toml"
	printf '[nm-view]\nwidth = 130\n[nm-geo]\nverbose = 1\n' >"$config"
	run -0 netmonitor -n --config "$config" --no-dns
	for command in nm-collect nm-classify nm-resolve nm-geo nm-view; do
		[[ $output == *"$bin/$command '--config=$config'"* ]]
	done
	[[ $output == *"$bin/nm-resolve '--config=$config' --no-dns |"* ]]
	run -0 --separate-stderr sh -c "$output"
	shown=$output
	run -0 --separate-stderr netmonitor --config="$config" --no-dns
	same "$output" "$shown"
	same "$output" "$("$bin/nm-view" -b --width=130 \
		<"$BATS_TEST_DIRNAME/data/view-normal.ndjson")"
	[[ $stderr == *one.mmdb:* ]]
	grep -qF -- "nm-collect --config=$config --peek --cmdline uid=0" "$LOG"
	# Wrong for one of them, it is wrong for the pipe.
	echo 'no-such = 1' >>"$config"
	run -2 netmonitor --config="$config" --no-dns
	[[ $output == *"nm-geo: $config:5: unknown key 'no-such' in [nm-geo]"* ]]
}

@test "netmonitor: what it prints is what a shell runs" {
	need_root
	run -0 sh -c "$(netmonitor -n -i "a b")"
	same "$output" "$(cat "$BATS_TEST_DIRNAME/golden/nm-view-normal.txt")"
	same "$(cat "$LOG")" 'nm-collect -i a b --peek --cmdline uid=0'
}

@test "netmonitor: prints text where there is no terminal" {
	run -0 netmonitor
	same "$output" "$(cat "$BATS_TEST_DIRNAME/golden/nm-view-normal.txt")"
}

@test "netmonitor: --once asks for one interval, --json passes the records" {
	need_root
	run -0 netmonitor --once
	run -0 netmonitor --json --backend tp
	same "$output" "$(sh -c "$filters" <"$STREAM")"
	jq -en '[inputs | select(.unit and .app and .scope)] | length > 10' <<<"$output"
	same "$(cat "$LOG")" 'nm-collect --once --peek --cmdline uid=0
nm-collect -b tp --peek --cmdline uid=0'
}

@test "netmonitor: finds its programs beside itself, or in PATH" {
	need_root
	mkdir "$BATS_TEST_TMPDIR/far"
	mv "$bin/nm-collect" "$BATS_TEST_TMPDIR/far"
	PATH=$PATH:$BATS_TEST_TMPDIR/far run -0 netmonitor -n
	same "$output" "$BATS_TEST_TMPDIR/far/nm-collect --peek --cmdline | $filters | $bin/nm-view -b"
	PATH=/usr/bin:/bin run --separate-stderr "$bin/netmonitor" -n
	[ "$status" -eq 3 ]
	same "$output" ''
	same "$stderr" "netmonitor: cannot find 'nm-collect'"
}

@test "netmonitor: fails as the first stage that failed" {
	NM_FAIL='cannot run here' run --separate-stderr netmonitor
	[ "$status" -eq 3 ]
	same "$output" ''
	same "$stderr" 'nm-collect: cannot run here'
	echo garbage >>"$STREAM"
	run --separate-stderr netmonitor
	[ "$status" -eq 1 ]
	[[ $stderr == 'nm-classify: stdin:'*': not a JSON object' ]]
}

@test "netmonitor: tells which program was killed" {
	fake nm-geo <<-'END'
		kill -SEGV $$
	END
	run --separate-stderr netmonitor --json
	[ "$status" -eq 139 ]
	# Before that a shell may say what it thinks of it.
	same "${stderr##*$'\n'}" 'netmonitor: nm-geo was ended by SIGSEGV'
}

@test "netmonitor: a reader that goes away is no failure" {
	for _ in {1..200}; do
		cat "$BATS_TEST_DIRNAME/data/view-normal.ndjson"
	done >"$STREAM"
	run --separate-stderr bash -c 'netmonitor | head -n 1
		exit "${PIPESTATUS[0]}"'
	[ "$status" -eq 0 ]
	same "$stderr" ''
}

@test "netmonitor: wrong usage exits 2 with empty stdout" {
	for options in --no-such-option '-i' '--backend' '-p' '--netns' operand \
		--config '--json --once'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr netmonitor $options
		[ "$status" -eq 2 ]
		same "$output" ''
		[[ $stderr == 'netmonitor: '*"Try 'netmonitor --help'"* ]]
	done
}

@test "netmonitor: only the collector is run by sudo, after it asked" {
	fake sudo <<-'END'
		echo "sudo $*" >>"$LOG"
		[ "$1" = -v ] || exec "$@"
	END
	run -0 as_nobody netmonitor -n
	same "$output" "$bin/sudo $bin/nm-collect --peek --cmdline | $filters | $bin/nm-view -b"
	run -0 as_nobody netmonitor
	same "$(cat "$LOG")" "sudo -v
sudo $bin/nm-collect --peek --cmdline
nm-collect --peek --cmdline uid=65534"
	# It hides the environment.
	export NETMONITOR_CONFIG=$XDG_CONFIG_HOME/netmonitor/config.toml
	run -0 as_nobody netmonitor -n
	same "$output" "$bin/sudo $bin/nm-collect --config=$NETMONITOR_CONFIG --peek --cmdline | $filters | $bin/nm-view -b"
	run -0 as_nobody netmonitor -n --config=/dev/null --json
	[[ $output == "$bin/sudo $bin/nm-collect --config=/dev/null --peek --cmdline | "* ]]
	# Who is refused has nothing run.
	: >"$LOG"
	fake sudo <<-'END'
		exit 1
	END
	run as_nobody netmonitor
	[ "$status" -eq 3 ]
	same "$(cat "$LOG")" ''
}

@test "netmonitor: takes doas where there is no sudo" {
	type -P sudo && skip 'there is sudo'
	fake doas <<-'END'
		exec "$@"
	END
	run -0 as_nobody netmonitor -n
	same "$output" "$bin/doas $bin/nm-collect --peek --cmdline | $filters | $bin/nm-view -b"
}

@test "netmonitor: a collector with capabilities needs no sudo" {
	fake sudo <<-'END'
		exit 1
	END
	fake getcap <<-'END'
		echo "$1 cap_bpf=ep"
	END
	run -0 as_nobody netmonitor -n
	same "$output" "$bin/nm-collect --peek --cmdline | $filters | $bin/nm-view -b"
	# To it, the environment says nothing.
	export NETMONITOR_CONFIG=$XDG_CONFIG_HOME/netmonitor/config.toml
	run -0 as_nobody netmonitor -n
	[[ $output == "$bin/nm-collect --config=$NETMONITOR_CONFIG --peek --cmdline | "* ]]
}

@test "netmonitor: under sudo the viewer is the user again" {
	need_root
	need setpriv
	mv "$bin/nm-view" "$bin/view"
	fake nm-view <<-'END'
		echo "nm-view uid=$(id -u) gid=$(id -g)" >>"$LOG"
		exec "${0%/*}/view" "$@"
	END
	export SUDO_UID=65534 SUDO_GID=65534
	run -0 netmonitor
	same "$output" "$(cat "$BATS_TEST_DIRNAME/golden/nm-view-normal.txt")"
	same "$(sort "$LOG")" 'nm-collect --peek --cmdline uid=0
nm-view uid=65534 gid=65534'
	SUDO_UID=0 SUDO_GID=0 run -0 netmonitor -n
	same "$output" "$bin/nm-collect --peek --cmdline | $filters | $bin/nm-view -b"
	# Half of it is not by sudo.
	unset SUDO_GID
	run -0 netmonitor -n
	same "$output" "$bin/nm-collect --peek --cmdline | $filters | $bin/nm-view -b"
}

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
