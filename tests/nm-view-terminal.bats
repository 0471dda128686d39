# SPDX-License-Identifier: MIT
# nm-view on a terminal: real keys in a tmux of our own, and the terminal
# afterwards.

load helpers
load terminal

@test "nm-view: a terminal shows what the text does" {
	terminal 80 24
	start
	same "$(screen | head -n 11)" "$(sed '/^$/,$d' golden/nm-view-normal.txt)"
	same "$(screen | tail -n 1)" "$(tail -n 1 golden/nm-view-screen.txt)"
	quit
}

@test "nm-view: keys on a terminal sort, select, filter, help" {
	terminal 80 24
	start
	tm send-keys '<'
	wait_until 10 shows 'by SOCKETS'
	tm send-keys S
	wait_until 10 shows 'by SOCKETS, reversed'
	tm send-keys /
	wait_until 10 shows 'Filter:'
	tm send-keys fix
	wait_until 10 shows '0 of 5 processes'
	# Back over one letter, to the begin and the end of the line.
	tm send-keys BSpace Home f C-d End r
	wait_until 10 shows '1 of 5 processes'
	shows 'Filter: fir'
	tm send-keys Enter
	wait_until 10 hides 'Filter:'
	shows firefox
	hides rsync
	tm send-keys / Escape
	wait_until 10 shows rsync
	tm send-keys '?'
	wait_until 10 shows 'show or leave this help'
	tm send-keys Escape
	wait_until 10 shows rsync
	quit
}

@test "nm-view: of a long filter the end and the cursor are seen" {
	terminal 80 24
	start
	for letter in x é 網; do
		tm send-keys /
		wait_until 10 shows 'Filter:'
		tm send-keys "$(printf "%.0s$letter" {1..80})END"
		wait_until 10 shows "${letter}END"
		cursor=$(tm display-message -p '#{cursor_x}')
		line=$(screen | grep Filter:)
		[[ $line == *END ]]
		# The last column is the cursor's; half of a wide one may be free.
		[ "$cursor" -ge 78 ] && [ "$cursor" -le 79 ]
		tm send-keys Escape
		wait_until 10 hides Filter:
	done
	quit
}

@test "nm-view: the selected row is seen without colour, and with it" {
	for colour in '' 1; do
		terminal 80 24
		tm send-keys "export NO_COLOR=$colour; clear" Enter
		start
		tm send-keys Down Down
		# Two rows are reversed (or on a ground): titles and this one.
		ground='\[(7|30|[0-9;]*4[0-7])m'
		selected() {
			tm capture-pane -ep | grep firefox | grep -qE "$ground"
		}
		wait_until 10 selected
		coloured=$(tm capture-pane -ep |
			grep -cE $'\033''\[([0-9]*;)*[34][0-7]m' || true)
		if [ -n "$colour" ]; then
			same "$coloured" 0
		else
			[ "$coloured" -gt 10 ]
		fi
		quit
		exec 9>&-
		tm kill-server
	done
}

@test "nm-view: follows the terminal's size, and recovers from one too small" {
	terminal 80 24
	start
	tm resize-window -x 120 -y 30
	wait_until 10 shows 'RATE EXE'
	tm resize-window -x 30 -y 5
	wait_until 10 shows '30x5 is too small'
	shows '40x8 is needed'
	tm resize-window -x 40 -y 8
	wait_until 10 shows 'PID PROGRAM'
	tm resize-window -x 80 -y 24
	wait_until 10 shows SOCKETS
	same "$(screen | head -n 11)" "$(sed '/^$/,$d' golden/nm-view-normal.txt)"
	quit
}

@test "nm-view: a held picture says so and stands still" {
	terminal 80 24
	start
	tm send-keys Space
	wait_until 10 shows PAUSED
	held=$(screen)
	jq -c 'select(.ts_us > 1795470001000000)' data/view-normal.ndjson >&9
	# The end is told in the line of keys: by then all was read.
	exec 9>&-
	wait_until 10 shows 'input ended'
	same "$(screen | head -n -1)" "$(head -n -1 <<<"$held")"
	tm send-keys Space
	wait_until 10 shows 21:40:03
	hides PAUSED
	quit
}

@test "nm-view: the last picture stays when the input ends" {
	terminal 80 24
	start
	exec 9>&-
	wait_until 10 shows 'input ended'
	shows rsync
	tm send-keys '<'
	wait_until 10 shows 'by SOCKETS'
	quit
}

@test "nm-view: bad lines are counted on the screen and told at the end" {
	terminal 80 24
	start
	printf 'bad\n{"type":"tick","ts_us":1795470002000000}\n' >&9
	wait_until 10 shows '1 bad line'
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	tm send-keys q
	wait_until 10 shows status=1
	same "$(cat "$BATS_TEST_TMPDIR/err")" \
		"nm-view: stdin:$(jq -c 'select(.ts_us <= 1795470001000000)' \
			data/view-normal.ndjson | wc -l | awk '{ print $1 + 1 }'): not a JSON object"
	sane
}

@test "nm-view: an error of reading is told, at once or at the end" {
	# A directory cannot be read at all.
	terminal 80 24
	tm send-keys "nm-view <$PWD 2>$BATS_TEST_TMPDIR/err; echo status=\$?" Enter
	wait_until 10 shows status=1
	same "$(cat "$BATS_TEST_TMPDIR/err")" \
		'nm-view: cannot read standard input: Is a directory'
	sane
	# A connection is reset when its other side goes and has not read all.
	need socat
	cat >"$BATS_TEST_TMPDIR/serve" <<-END
		echo hello
		nm-view >/dev/tty 2>$BATS_TEST_TMPDIR/err
		echo status=\$? >/dev/tty
	END
	socket=$BATS_TEST_TMPDIR/socket
	tm send-keys "clear; socat UNIX-LISTEN:$socket SYSTEM:'. $BATS_TEST_TMPDIR/serve',nofork" Enter
	wait_until 10 test -S "$socket"
	socat -u "$FIFO" "UNIX-CONNECT:$socket" 3>&- &
	feeder=$!
	exec 9>"$FIFO"
	cat data/view-normal.ndjson >&9
	wait_until 10 shows 21:40:03
	# Killed, or socat(1) would shut it down in good order.
	kill -KILL "$feeder"
	wait_until 10 shows 'input ended'
	shows rsync
	tm send-keys q
	wait_until 10 shows status=1
	same "$(cat "$BATS_TEST_TMPDIR/err")" \
		'nm-view: cannot read standard input: Connection reset by peer'
	sane
}

@test "nm-view: before the first tick nothing is said of the collector's cost" {
	terminal 80 24
	tm send-keys "nm-view <$FIFO; echo status=\$?" Enter
	exec 9<>"$FIFO"
	head -n 1 data/view-normal.ndjson >&9
	wait_until 10 shows '0 processes'
	shows unnamed
	hides collector
	cat data/view-normal.ndjson >&9
	wait_until 10 shows 'collector 0.'
	quit
}

@test "nm-view: paints nothing before there is a record" {
	terminal 80 24
	tm send-keys "nm-view </dev/null; echo status=\$?" Enter
	wait_until 10 shows status=0
	shows 'ready> nm-view'
}

@test "nm-view: a terminal as input is wrong usage" {
	terminal 80 24
	tm send-keys "nm-view 2>$BATS_TEST_TMPDIR/err; echo status=\$?" Enter
	wait_until 10 shows status=2
	[ -s "$BATS_TEST_TMPDIR/err" ]
}

@test "nm-view: says so where the terminal cannot do it" {
	# newterm(3) keeps some memory when it fails.
	export ASAN_OPTIONS=detect_leaks=0
	terminal 80 24
	tm send-keys "TERM=no-such nm-view 2>$BATS_TEST_TMPDIR/err <data/view-normal.ndjson; echo status=\$?" Enter
	wait_until 10 shows status=3
	same "$(cat "$BATS_TEST_TMPDIR/err")" \
		"nm-view: cannot draw on a terminal of type 'no-such'; -b prints text"
	sane
	# One that curses knows, but that cannot go back to a line.
	tm send-keys "clear; TERM=dumb nm-view 2>$BATS_TEST_TMPDIR/err <data/view-normal.ndjson; echo status=\$?" Enter
	wait_until 10 shows status=3
	same "$(cat "$BATS_TEST_TMPDIR/err")" \
		"nm-view: cannot draw on a terminal of type 'dumb'; -b prints text"
	hides firefox
	sane
}

@test "nm-view: keys are answered while very much comes in" {
	terminal 80 24
	start
	awk 'BEGIN {
		for (t = 2; ; t++) {
			for (p = 1; p <= 20000; p++)
				printf "{\"v\":1,\"type\":\"flow\",\"ts_us\":%d000000,\"dt_us\":1000000,\"flow\":\"%x\",\"pid\":%d,\"start_us\":9,\"comm\":\"p%d\",\"state\":\"open\",\"tx_bytes\":%d,\"rx_bytes\":1,\"quality\":\"exact\"}\n",
				1795470000 + t, p, p, p, p * t
			printf "{\"v\":1,\"type\":\"tick\",\"ts_us\":%d000000,\"dt_us\":1000000}\n", 1795470000 + t
		}
	}' >"$FIFO" 9>&- 3>&- &
	feeder=$!
	wait_until 30 shows '20000 processes'
	exec 9>&-
	tm send-keys '?'
	wait_until 5 shows 'show or leave this help'
	tm send-keys q
	wait_until 5 shows status=0
	# Its pipe is broken now.
	wait "$feeder" || true
	sane
}
