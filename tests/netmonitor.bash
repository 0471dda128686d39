# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034
# A netmonitor whose collector is a script that plays a recorded stream, and a
# terminal to see it in: `load netmonitor` first.

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
