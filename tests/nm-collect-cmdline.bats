# SPDX-License-Identifier: MIT
# bats file_tags=root
# nm-collect --cmdline: the command lines of processes that nobody could look
# at, because they were gone at once; and what nm-resolve makes of them.

load helpers
load collect
load accuracy

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
	me=$BASHPID
}

teardown() {
	end_started
}

# What short processes do: a datagram to nobody.
send='echo -n x >/dev/udp/127.0.0.1/29890'

# watch OPTION...: collect, and see that it sees; by somebody else's child.
watch() {
	collect stream "$@"
	wait_until 30 sees
}

sees() {
	(bash -c 'echo -n x >/dev/udp/127.0.0.1/29891' && true)
	grep -q '"rport":29891,' stream
}

# so_many COUNT: short processes, each with a word of its own.
so_many() {
	local i

	for ((i = 1; i <= $1; i++)); do
		bash -c "$send" "number $i"
	done
}

# cmdlines STREAM FILTER: those of so_many in its records of which this is true.
cmdlines() {
	jq -r "select(.ppid == $me and ($2)) | .cmdline // \"none\"" "$1" | sort -u
}

# the_line WORD...: what the process says that is called with these words
# behind bash; nm-collect's options are in the array `with`.
the_line() {
	watch -i 0.2 "${with[@]}"
	bash "$@"
	an_interval_later stream
	collected stream
	jq -r 'select(.event == "process_start" and .ppid == '"$BASHPID"' and
		.comm == "bash") | .cmdline // "none"' stream
}

each_has_its_own() {
	watch -i 0.5 --cmdline
	so_many 300
	an_interval_later stream
	collected stream
	nm-resolve --no-dns <stream >resolved
	for ((i = 1; i <= 300; i++)); do
		echo "bash -c $send number $i"
	done | sort >expected
	same "$(wc -l <expected)" 300
	same "$(cmdlines stream '.event == "process_start"' | diff expected - | head)" ''
	same "$(cmdlines resolved .event | diff expected - | head)" ''
	same "$(cmdlines resolved '.type == "flow"' | diff expected - | head)" ''
	# The parent, whom /proc does not tell any more either.
	same "$(jq -r 'select(.type == "flow" and .ppid == '"$me"') |
		.parent' resolved | sort -u)" "$(cat "/proc/$BASHPID/comm")"
}

@test "nm-collect: --cmdline has that of each of 300 processes that were gone at once" {
	exact_backend
	each_has_its_own
}

@test "nm-collect: --cmdline has them with backend cgroup too" {
	need_root
	[[ ${NM_BACKEND:-cgroup} = cgroup ]] || skip "not about $NM_BACKEND"
	nm-collect --probe | grep -q '^cgroup  *yes' ||
		skip "cgroup does not work here"
	NM_BACKEND=cgroup each_has_its_own
}

@test "nm-collect: command lines are told only if asked for, once per program" {
	exact_backend
	watch -i 0.2
	so_many 3
	an_interval_later stream
	collected stream
	same "$(cmdlines stream true)" none
	watch -i 0.2 --cmdline
	so_many 3
	wait_until 30 bash -c "grep -c process_end.*,\\\"ppid\\\":$me, stream |
		grep -qx 3"
	collected stream
	same "$(jq -c 'select(.cmdline and .ppid == '"$me"') |
		[.type, .event]' stream | sort | uniq -c | tr -s ' ')" \
		' 3 ["event","process_start"]'
}

@test "nm-collect: --cmdline cuts at its limit, and there only" {
	exact_backend
	line="bash -c $send ab  c"
	for limit in ${#line} ''; do
		with=("--cmdline${limit:+=$limit}")
		same "$(the_line -c "$send" ab '' c '' '')" "$line"
	done
	with=(--cmdline=$((${#line} - 1)))
	same "$(the_line -c "$send" ab '' c)" "${line%c}…"
	with=(--cmdline=4)
	same "$(the_line -c "$send")" bash…
}

@test "nm-collect: --cmdline of a long one is its beginning, cut at a character" {
	exact_backend
	with=(--cmdline)
	long=$(printf '%20000s' '' | tr ' ' y)
	same "$(the_line -c "$send" "$long" end)" \
		"$(printf 'bash -c %s %s' "$send" "$long" | head -c 256)…"
	head="bash -c $send "
	with=(--cmdline=$((${#head} + 1)))
	same "$(the_line -c "$send" '😀😀')" "$head…"
	with=(--cmdline=$((${#head} + 4)))
	same "$(the_line -c "$send" '😀😀')" "$head😀…"
	# What is no character is told as all strings are.
	with=(--cmdline)
	same "$(the_line -c "$send" $'a\xffb\n\e')" "$head"$'a\ufffdb\n\e'
}

@test "nm-collect: --cmdline is as /proc has it, also where it was rewritten" {
	exact_backend
	need perl
	watch -i 0.2 --cmdline
	long=$(printf '%300s')
	for title in '' '$0 = "longer " . "." x 200;' '$0 = "short";' \
		"#$long"$'\n$0 = "short";'; do
		in_background perl -MIO::Socket::INET -e "$title"'
			IO::Socket::INET->new(Proto => "udp",
				PeerAddr => "127.0.0.1:29890")->send("x");
			sleep 600' "its words"
	done
	wait_until 30 bash -c "grep -c 'process_start.*,\"ppid\":$me,' stream |
		grep -qx 4"
	collected stream
	for pid in "${started[@]:1}"; do
		same "$(jq -r "select(.event == \"process_start\" and .pid == $pid) |
			.cmdline" stream)" \
			"$(perl -0777 -pe 's/\0*$//; tr/\0/ /' "/proc/$pid/cmdline")"
	done
	same "$(jq -r "select(.event == \"process_start\" and
		.pid == ${started[1]}) | .cmdline | endswith(\"its words\")" stream)" true
}

@test "nm-collect: --cmdline follows exec" {
	exact_backend
	watch -i 0.2 --cmdline
	bash -c "$send; sleep 1; exec bash -c '$send; :' second" first
	wait_until 30 grep -q "process_end.*,\"ppid\":$me," stream
	collected stream
	nm-resolve --no-dns <stream >resolved
	same "$(jq -c 'select(.event and .cmdline and .ppid == '"$me"') |
		[.event, .cmdline | split(" ") | last]' stream | sort -u)" \
		'["process_exec","second"]
["process_start","first"]'
	same "$(jq -r 'select(.type == "flow" and .ppid == '"$me"') |
		.cmdline | split(" ") | last' resolved | uniq)" $'first\nsecond'
}

@test "nm-collect: --cmdline leaves to /proc what has a socket from before" {
	exact_backend
	need perl
	printf '%s\n' 5.11 "$(uname -r)" | sort -CV ||
		skip "sockets are not looked for before 5.11"
	mkfifo go
	in_background perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(Proto => "udp",
			PeerAddr => "127.0.0.1:29890");
		open my $f, ">", "ready"; close $f;
		open my $go, "<", "go"; $s->send("x"); sleep 600'
	wait_until 30 test -e ready
	watch -i 0.2 --cmdline
	echo >go
	wait_until 30 grep -q "process_start\",\"pid\":${started[0]}," stream
	collected stream
	of_it="select(.event and .pid == ${started[0]}) | .cmdline"
	same "$(jq "$of_it" stream)" null
	same "$(nm-resolve --no-dns <stream | jq "$of_it | startswith(\"perl -MIO\")")" true
}

@test "nm-collect: --cmdline takes from 1 to 256, and not diag" {
	for wrong in 0 257 -1 x 1x ''; do
		run -2 --separate-stderr nm-collect "--cmdline=$wrong"
		same "$output" ''
		same "${stderr_lines[0]}" "nm-collect: option '--cmdline': '$wrong' is not a whole number from 1 to 256"
	done
	run -0 nm-collect --cmdline -b diag --once
	grep -q '"code":"cmdline","text":"no command lines of programs: backend diag sees none begin"' <<<"$output"
}
