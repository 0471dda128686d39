# SPDX-License-Identifier: MIT
# nm-view on a terminal: how it is stopped, goes on and ends, and the terminal
# afterwards.

load helpers
load terminal

# Also what nobody has waited for is gone.
gone() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"
}

@test "nm-view: Ctrl-Z gives the terminal back, fg takes it again" {
	terminal 80 24
	start
	tm send-keys C-z
	wait_until 10 shows Stopped
	sane
	tm send-keys 'fg; echo status=$?' Enter
	wait_until 10 shows rsync
	tm send-keys '<'
	wait_until 10 shows 'by SOCKETS'
	quit
}

# netmonitor in an interactive shell, with a collector that plays a record.
# Arguments are for its environment.
start_netmonitor() {
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	cp "$B/netmonitor" "$bin"
	cp "$B/nm-view" "$bin/view"
	printf '#!/bin/sh\ncat "%s"\nwhile sleep 0.1; do echo || exit 0; done\n' \
		"$PWD/data/view-normal.ndjson" >"$bin/nm-collect"
	# Capabilities: nobody is asked for a password.
	printf '#!/bin/sh\necho all\n' >"$bin/getcap"
	printf '#!/bin/sh\necho $$ >"%s"\nexec "%s" "$@"\n' \
		"$BATS_TEST_TMPDIR/pid" "$bin/view" >"$bin/nm-view"
	chmod 755 "$bin"/*
	: >"$BATS_TEST_TMPDIR/pid" && chmod 666 "$BATS_TEST_TMPDIR/pid"
	tm new-session -d -x 80 -y 24 \
		"env $* PATH=$bin:\$PATH PS1='ready> ' bash --noprofile --norc"
	wait_until 10 shows 'ready>'
	tm send-keys "netmonitor 2>/dev/null; echo status=\$?" Enter
	wait_until 10 shows 21:40:03
}

stopped() {
	grep -q '^State:.T' "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/status"
}

# It is there, and not merely its picture.
fg_and_keys() {
	tm send-keys 'clear; fg >/dev/null; echo status=$?' Enter
	wait_until 10 shows rsync
	tm send-keys '?'
	wait_until 10 shows 'show or leave this help'
	tm send-keys '?'
	wait_until 10 shows rsync
}

# Who started it stops with it, and the shell may be faster than we are.
@test "nm-view: Ctrl-Z and fg go well each time, also through netmonitor" {
	start_netmonitor
	for _ in {1..8}; do
		tm send-keys C-z
		wait_until 10 shows Stopped
		# The terminal was in order before the shell spoke.
		hides rsync
		wait_until 10 stopped
		fg_and_keys
	done
	quit
}

@test "nm-view: Ctrl-Z and fg go well where who started it is somebody else" {
	need_root
	need setpriv
	start_netmonitor SUDO_UID=65534 SUDO_GID=65534
	grep -q '^Uid:.65534' "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/status"
	for _ in {1..4}; do
		tm send-keys C-z
		wait_until 10 stopped
		fg_and_keys
	done
	quit
}

@test "nm-view: a stop that comes as a signal goes well, too" {
	terminal 80 24
	tm send-keys "nm-view <$FIFO & echo \$! >$BATS_TEST_TMPDIR/pid; fg" Enter
	exec 9<>"$FIFO"
	cat data/view-normal.ndjson >&9
	wait_until 10 shows 21:40:03
	kill -s TSTP "$(cat "$BATS_TEST_TMPDIR/pid")"
	wait_until 10 shows Stopped
	sane
	tm send-keys 'fg; echo status=$?' Enter
	wait_until 10 shows rsync
	quit
}

@test "nm-view: signals end it with the terminal in order" {
	terminal 80 24
	for signal in INT TERM HUP QUIT; do
		tm send-keys clear Enter
		tm send-keys "nm-view <$FIFO & echo \$! >$BATS_TEST_TMPDIR/pid; fg" Enter
		exec 9<>"$FIFO"
		cat data/view-normal.ndjson >&9
		wait_until 10 shows 21:40:03
		pid=$(cat "$BATS_TEST_TMPDIR/pid")
		kill -s "$signal" "$pid"
		wait_until 10 gone "$pid"
		tm send-keys 'echo status=$?' Enter
		wait_until 10 shows "status=$((128 + $(kill -l "$signal")))"
		sane
		exec 9>&-
	done
}

@test "nm-view: ends when its terminal goes" {
	# The hang-up would kill the leak checker's helper, and it would wait on.
	export ASAN_OPTIONS=detect_leaks=0
	terminal 80 24
	tm send-keys "nm-view <$FIFO & echo \$! >$BATS_TEST_TMPDIR/pid; fg" Enter
	exec 9<>"$FIFO"
	cat data/view-normal.ndjson >&9
	wait_until 10 shows 21:40:03
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	tm kill-server
	wait_until 10 gone "$pid"
}
