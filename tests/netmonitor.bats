# SPDX-License-Identifier: MIT
# netmonitor: the pipe that it prints, the pipe that it runs, and who runs
# what. The collector here is a script that plays a recorded stream.

load netmonitor

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
