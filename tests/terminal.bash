# SPDX-License-Identifier: MIT
# For tests of nm-view on a terminal: a tmux of our own, and records on
# descriptor 9. Use: `load helpers`, then `load terminal`.

setup() {
	need tmux
	cd "$BATS_TEST_DIRNAME" || return
	unset COLUMNS LINES NO_COLOR TMUX
	export TZ=UTC LC_ALL=C.UTF-8 INPUTRC=/dev/null
	export TMUX_TMPDIR=$BATS_TEST_TMPDIR
	FIFO=$BATS_TEST_TMPDIR/records
	mkfifo "$FIFO"
	terminals=0
}

teardown() {
	exec 9>&-
	tm kill-server 2>/dev/null || true
	[ -z "${feeder-}" ] || kill "$feeder" 2>/dev/null || true
}

# 9 is the stream of records; nobody else may hold it open. Nor bats' 3.
tm() {
	tmux -L "nm-view-$terminals" -f /dev/null "$@" 9>&- 3>&-
}

screen() {
	tm capture-pane -p
}

shows() {
	screen | grep -qF -- "$1"
}

hides() {
	! shows "$1"
}

# An interactive shell in a terminal of that size: with a server of its own,
# as one that was told to end may still take a session, and end with it.
terminal() {
	terminals=$((terminals + 1))
	tm new-session -d -x "$1" -y "$2" "env ENV= PS1='ready> ' sh"
	wait_until 10 shows 'ready>'
}

# start [OPTION]...: nm-view reads the records that go to descriptor 9.
start() {
	tm send-keys "nm-view $* <$FIFO 2>$BATS_TEST_TMPDIR/err; echo status=\$?" Enter
	exec 9<>"$FIFO"
	jq -c 'select(.ts_us <= 1795470001000000)' data/view-normal.ndjson >&9
	wait_until 10 shows 21:40:01
}

# The terminal is as a shell wants it: it edits lines and echoes.
sane() {
	tm send-keys 'clear; stty -a | tr " " "\n" | grep -x -e icanon -e echo -e icrnl -e opost | tr "\n" " "' Enter
	wait_until 10 shows 'icrnl opost icanon echo'
}

quit() {
	tm send-keys q
	wait_until 10 shows status=0
	sane
}
