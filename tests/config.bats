# SPDX-License-Identifier: MIT
# config.toml, by tests/lib/options and nm-example: which file, and its keys.

load helpers

setup() {
	cd "$BATS_TEST_TMPDIR"
	unset NETMONITOR_CONFIG XDG_CONFIG_HOME SUDO_UID
	export HOME=$PWD/home
	mkdir -p home/.config/netmonitor
	usual=home/.config/netmonitor/config.toml
	umask 022
}

options() {
	"$B/tests/lib/options" "$@"
}

# toml LINE...: a file of these lines in [options], and its name.
toml() {
	printf '%s\n' '[options]' "$@" >config.toml
	echo config.toml
}

# sets WORDS OPTION... [-- LINE...]: with these options and lines, the program
# says WORDS, and else what it says by itself.
sets() {
	local want=$1 options=()

	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	run -0 options --config="$(toml "${@:2}")" ${options[@]+"${options[@]}"} x
	got=$(head -n 1 <<<"$output" | tr ' ' '\n' |
		grep -vxFf <(printf '%s\n' flag=0 verbose=0 file=none \
			backend=none count=1 any=0 interval=1 called=none) |
		paste -sd ' ')
	same "$got" "$want"
}

# refuses MESSAGE LINE...: status 2, this on stderr, nothing on stdout.
refuses() {
	local message=$1

	shift
	run --separate-stderr options --config="$(toml "$@")" x
	[ "$status" -eq 2 ]
	same "$output" ''
	same "$stderr" "options: config.toml:$message"
}

# says WORDS OPTION...: what it prints has these.
says() {
	local words=$1

	shift
	run -0 options "$@" x
	[[ ${lines[0]} == *"$words"* ]]
}

# --- Which file ---

@test "config: --config, \$NETMONITOR_CONFIG, the user's, in this order" {
	for i in 1 2 3 4; do
		mkdir -p "$i/netmonitor"
		printf '[options]\ncount = %d\n' "$i" >"$i/netmonitor/config.toml"
	done
	cp 4/netmonitor/config.toml "$usual"
	says count=4
	export XDG_CONFIG_HOME=$PWD/3
	says count=3
	export NETMONITOR_CONFIG=2/netmonitor/config.toml
	says count=2
	says count=1 --config 1/netmonitor/config.toml
	# An empty variable is none, and a relative folder is not meant.
	export NETMONITOR_CONFIG=''
	says count=3
	export XDG_CONFIG_HOME=3
	says count=4
}

@test "config: one that is named must be there, the usual ones need not" {
	[ ! -e /etc/netmonitor/config.toml ] || skip "there is one in /etc"
	says count=1
	rm -r home
	says count=1
	run --separate-stderr -1 options --config=missing x
	same "$stderr" "options: 'missing': No such file or directory"
	same "$output" ''
	NETMONITOR_CONFIG=missing run --separate-stderr -1 options x
	same "$stderr" "options: 'missing': No such file or directory"
	run --separate-stderr -1 options --config=/ x
	same "$stderr" "options: '/': Is a directory"
}

@test "config: the system's is read last" {
	need unshare
	need_root
	unshare -m true 2>/dev/null || skip "cannot make a mount namespace"
	mkdir -p etc/netmonitor
	printf '[options]\ncount = 9\n' >etc/netmonitor/config.toml
	cp /etc/passwd /etc/nsswitch.conf etc
	run -0 unshare -m sh -c 'mount --bind etc /etc && "$B/tests/lib/options" x'
	[[ ${lines[0]} == *count=9* ]]
	printf '[options]\ncount = 4\n' >"$usual"
	run -0 unshare -m sh -c 'mount --bind etc /etc && "$B/tests/lib/options" x'
	[[ ${lines[0]} == *count=4* ]]
}

@test "config: /dev/null means none" {
	printf '[options]\ncount = 4\n' >"$usual"
	says count=1 --config=/dev/null
}

@test "config: help, version and wrong usage come before it" {
	echo wrong >"$usual"
	options --help | grep -q -e '--config=FILE'
	options --version
	run -2 options --no-such x
	[[ $output == *'unknown option'* ]]
}

@test "config: under sudo it is that of the user who called" {
	need_root
	need setpriv getent
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	# In a namespace where "nobody" has a home of ours.
	unshare -m true 2>/dev/null || skip "cannot make a mount namespace"
	mkdir -p etc theirs/.config/netmonitor
	cp /etc/nsswitch.conf etc
	printf '%s:x:%d:%d::%s:/bin/sh\n' root 0 0 /root \
		asking 65533 65533 "$PWD/theirs" >etc/passwd
	printf '[options]\ncount = 5\n' >theirs/.config/netmonitor/config.toml
	chown -R 65533 theirs
	printf '[options]\ncount = 4\n' >"$usual"
	in_etc() {
		unshare -m sh -c 'mount --bind etc /etc && exec "$@"' - "$@"
	}
	run -0 in_etc env SUDO_UID=65533 "$B/tests/lib/options" x
	[[ $output == *count=5* ]]
	run -0 in_etc env SUDO_UID=65533 setpriv --reuid=65533 --clear-groups \
		"$B/tests/lib/options" x
	[[ $output == *count=5* ]]
	# Of another sudo, it says nothing.
	run -0 in_etc env SUDO_UID=65533 setpriv --reuid=65532 --clear-groups \
		"$B/tests/lib/options" x
	[[ $output == *count=4* ]]
	run -0 in_etc env SUDO_UID=nonsense "$B/tests/lib/options" x
	[[ $output == *count=4* ]]
}

@test "config: refuses what others can write, and what is another user's" {
	toml 'count = 2'
	says count=2 --config=config.toml
	for mode in 664 646; do
		chmod "$mode" config.toml
		run --separate-stderr -1 options --config=config.toml x
		same "$stderr" "options: 'config.toml' is not used: others can write it (remedy: chmod go-w)"
		same "$output" ''
	done
	need_root
	chmod 644 config.toml
	chown 65533 config.toml
	run --separate-stderr -1 options --config=config.toml x
	same "$stderr" "options: 'config.toml' is not used: it belongs to another user"
}

@test "config: refuses a file that cannot be one" {
	printf '[options]\n\ncount = one\n' >config.toml
	run --separate-stderr -2 options --config=config.toml x
	same "$stderr" "options: config.toml:3:9: 'one' is no value (a string has quotes)"
	printf '#%.0s' {1..262144} >config.toml
	says count=1 --config=config.toml
	echo >>config.toml
	run --separate-stderr -1 options --config=config.toml x
	same "$stderr" "options: 'config.toml' is longer than 262144 bytes"
	mkfifo pipe
	printf '[options]\ncount = 3\n' >pipe 3>&- &
	says count=3 --config=pipe
}

# --- Whose rights it is read with ---

# with_capability: a copy of the test program that may read every file, and
# them: somebody who may not.
with_capability() {
	need_root
	need setcap setpriv
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	cp "$B/tests/lib/options" capable
	setcap cap_dac_read_search+ep capable || skip "no file capabilities here"
	as_them setpriv --dump >/dev/null || skip "cannot become another user"
	[ "$(as_them ./capable x | head -c 5)" = flag= ] ||
		skip "file capabilities do not work here"
}

as_them() {
	setpriv --reuid=65533 --regid=65533 --clear-groups env "$@"
}

@test "config: a capability of the program's file reads no more than the user" {
	with_capability
	mkdir -m 700 closed
	echo 'password = hunter2' >secret
	cp secret closed/secret
	chmod 600 secret
	for file in secret closed/secret; do
		run --separate-stderr -1 as_them ./capable --config="$file" x
		same "$stderr" "capable: '$file': Permission denied"
	done
	# Nor does it tell what is there.
	mkdir -p closed/netmonitor
	cp secret closed/netmonitor/config.toml
	run -0 as_them HOME=/ XDG_CONFIG_HOME="$PWD/closed" ./capable x
}

@test "config: a link that is turned meanwhile does not help" {
	with_capability
	need perl
	echo 'password = hunter2' >secret
	chmod 600 secret
	printf '[options]\ncount = 7\n' >fine
	ln -s fine link
	perl -e 'for (;;) { for ("secret", "fine") {
		symlink $_, "next"; rename "next", "link" } }' 3>&- &
	turner=$!
	for _ in {1..400}; do
		as_them ./capable --config=link x || :
	done >seen 2>&1
	kill "$turner"
	grep -q count=7 seen
	grep -q 'Permission denied' seen
	run -1 grep hunter2 seen
}

@test "config: with a capability, the environment does not count" {
	with_capability
	printf '[options]\ncount = 4\n' >mine
	mkdir -p xdg/netmonitor
	cp mine xdg/netmonitor/config.toml
	cp mine "$usual"
	for variable in NETMONITOR_CONFIG="$PWD/mine" XDG_CONFIG_HOME="$PWD/xdg" \
		HOME="$PWD/home"; do
		run -0 as_them HOME=/ "$variable" "$B/tests/lib/options" x
		[[ $output == *count=4* ]]
		run -0 as_them HOME=/ "$variable" SUDO_UID=0 ./capable x
		[[ $output == *count=1* ]]
	done
}

@test "config: under sudo, what the user may not read is not quoted" {
	need_root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	mkdir -m 700 closed
	echo 'password = hunter2' >closed/secret
	cp closed/secret secret
	chmod 600 secret
	for file in secret closed/secret; do
		SUDO_UID=65533 run --separate-stderr -2 options --config="$file" x
		same "$stderr" "options: $file:1:12: this is no TOML"
	done
	chmod 644 secret
	SUDO_UID=65533 run --separate-stderr -2 options --config=secret x
	[[ $stderr == *hunter2* ]]
	printf '[options]\npassword = "hunter2"\n' >secret
	chmod 600 secret
	SUDO_UID=65533 run --separate-stderr -2 options --config=secret x
	same "$stderr" "options: secret:2: a wrong key or value"
	# It is read all the same.
	printf '[options]\ncount = 6\n' >secret
	SUDO_UID=65533 run -0 options --config=secret x
	[[ $output == *count=6* ]]
}

@test "config: a pipe that nobody writes to is given up" {
	mkfifo pipe
	run --separate-stderr -1 timeout 60 "$B/tests/lib/options" --config=pipe x
	same "$stderr" "options: 'pipe' is a pipe that nobody writes to"
}

# --- Its keys ---

@test "config: every kind of option takes its kind of value" {
	sets ''
	sets flag=1 -- 'quiet = true'
	sets '' -- 'quiet = false'
	sets verbose=3 -- 'verbose = 3'
	sets 'file=a b' -- 'file = "a b"'
	sets backend=tp -- 'backend = "tp"'
	sets count=1000 -- 'count = 1_000'
	sets any=9223372036854775807 -- 'any = 9223372036854775807'
	sets interval=0.25 -- 'interval = 0.25'
	sets interval=2 -- 'interval = 2'
	sets called=alone -- 'maybe = true'
	sets '' -- 'maybe = false'
	sets called=12 -- 'maybe = 12'
	sets called=two -- 'maybe = ["one", "two"]'
	sets '' -- 'maybe = []'
}

@test "config: the point of a number is a point in every locale" {
	locale -a | grep -qix 'de_DE.utf8' || skip "needs the locale de_DE"
	LC_ALL=de_DE.UTF-8 run -0 options --config="$(toml 'interval = 0.25')" x
	[[ $output == *interval=0,25* ]]
}

@test "config: the command line wins" {
	sets count=2 -c2 -- 'count = 3'
	sets count=2 --count=2 -- 'count = 3' 
	sets verbose=1 -v -- 'verbose = 3'
	sets called=three --maybe=three -- 'maybe = ["one", "two"]'
	# Even over what would be wrong, but not over what nobody knows.
	sets count=2 -c2 -- 'count = "many"'
	run -2 options --config="$(toml 'cuont = 1')" -c2 x
}

@test "config: the command line wins over what it excludes" {
	printf '[nm-view]\nbits = true\nbatch = true\n' >"$usual"
	nm-view <"$ROOT/tests/data/view-normal.ndjson" >bits
	nm-view --exact <"$ROOT/tests/data/view-normal.ndjson" >exact
	rm "$usual"
	nm-view -b --bits <"$ROOT/tests/data/view-normal.ndjson" | cmp - bits
	nm-view -b --exact <"$ROOT/tests/data/view-normal.ndjson" | cmp - exact
}

@test "config: refuses a key that the command does not know" {
	refuses "3: unknown key 'cuont' in [options]" 'count = 1' 'cuont = 2'
	refuses "2: unknown key 'help' in [options]" 'help = true'
	refuses "2: unknown key 'config' in [options]" 'config = "x"'
	refuses "2: unknown key 'x' in [options]" 'x = "only a letter"'
	refuses "2: unknown key '' in [options]" '"" = 1'
	refuses "2: unknown key '?[31m' in [options]" '"\u001b[31m" = 1'
	refuses "2: unknown key 'sub' in [options]" '[options.sub]'
}

@test "config: refuses a value that the option does not take" {
	refuses "2: wrong value of 'count': '0' is not a whole number from 1 to 10000000" 'count = 0'
	refuses "2: wrong value of 'any': '-1' is not a whole number" 'any = -1'
	refuses "2: wrong value of 'count': it is an integer, not a string" 'count = "1"'
	refuses "2: wrong value of 'count': it is an integer, not a float" 'count = 1.0'
	refuses "2: wrong value of 'count': it is an integer, not an array" 'count = [1]'
	refuses "2: wrong value of 'quiet': it is true or false, not an integer" 'quiet = 1'
	refuses "2: wrong value of 'verbose': -1 is not from 0 to 100" 'verbose = -1'
	refuses "2: wrong value of 'file': it is a string, not a date" 'file = 2026-11-29'
	refuses "2: wrong value of 'file': there is U+0000 in it" 'file = "a\u0000b"'
	refuses "2: wrong value of 'backend': 'no' is not one of: fexit tp diag" 'backend = "no"'
	refuses "2: wrong value of 'interval': 0.01 is not a number of seconds from 0.1 to 3600" 'interval = 0.01'
	refuses "2: wrong value of 'interval': nan is not a number of seconds from 0.1 to 3600" 'interval = nan'
	refuses "4: wrong value of 'maybe': it is a string, or an array of strings, not a float" \
		'maybe = [' '"ok",' '1.5]'
	# The option's own function tells it first.
	run --separate-stderr -2 options --config="$(toml 'maybe = "abcdef"')" x
	same "$stderr" "options: 'abcdef' is too long
options: config.toml:2: wrong value of 'maybe'"
}

@test "config: other commands' tables are ignored, a key of nobody is not" {
	printf '%s\n' '[nm-other]' 'x = 1' '[[alert]]' 'y = 2' >config.toml
	says count=1 --config=config.toml
	printf '%s\n' 'count = 3' '[nm-other]' >config.toml
	run --separate-stderr -2 options --config=config.toml x
	same "$stderr" "options: config.toml:1: 'count' is in no command's table, like [nm-geo]"
	printf '[[options]]\n' >config.toml
	run --separate-stderr -2 options --config=config.toml x
	same "$stderr" "options: config.toml:1: there is one [options] only"
}

@test "config: a filter reads its own table" {
	printf '[nm-example]\nmin = 8\n' >"$usual"
	flow='{"v":1,"type":"flow","ts_us":1,"tx_bytes":3,"rx_bytes":4}'
	run -0 nm-example <<<"$flow"
	same "$output" ''
	run -0 nm-example --min=7 <<<"$flow"
	[[ $output == *'"example_total_bytes":7}' ]]
}

# --- The page ---

@test "config: the page's example is understood" {
	awk '/^\.Bd -literal/ { on = 1; next } /^\.Ed/ { exit } on' \
		"$ROOT/man/netmonitor.toml.5" >config.toml
	tables=$(sed -n 's/^\[\(.*\)\]$/\1/p' config.toml)
	same "$(paste -sd ' ' <<<"$tables")" 'nm-collect nm-resolve nm-geo nm-view'
	for command in nm-resolve nm-geo; do
		"$command" --config=config.toml </dev/null
	done
	nm-view -b --config=config.toml </dev/null
	# It may lack rights, but finds nothing wrong with its options.
	run nm-collect --config=config.toml --probe
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
	# And it would be seen.
	for command in $tables; do
		sed "s/^\[$command\]/&\nno-such = 1/" config.toml >wrong.toml
		run "$command" --config=wrong.toml </dev/null
		[ "$status" -eq 2 ]
		[[ $output == *"unknown key 'no-such' in [$command]"* ]]
	done
}
