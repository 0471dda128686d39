# SPDX-License-Identifier: MIT
# What the bats files share: `load helpers` first. tests/run sets PATH and B;
# a file that is run by bats(1) itself finds the default build.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
export ROOT
export B=${B:-$ROOT/build}
# What is configured on this machine is not meant.
export NETMONITOR_CONFIG=/dev/null
case :$PATH: in
*:"$B":*) ;;
*) PATH=$B:$B/tests:$PATH ;;
esac

# need COMMAND...: skip the test where one is not installed.
need() {
	local command

	for command; do
		type -P "$command" >/dev/null || skip "needs $command"
	done
}

# need_root: skip the test for everybody else.
need_root() {
	[ "$EUID" -eq 0 ] || skip "needs root"
}

# wait_until SECONDS COMMAND...: run it until it succeeds; fail at the deadline.
wait_until() {
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			echo "still not true: $*" >&2
			return 1
		fi
		sleep 0.05
	done
}

# same ACTUAL EXPECTED: compare, and show both where they differ.
same() {
	[ "$1" = "$2" ] && return
	printf 'got:\n%s\nexpected:\n%s\n' "$1" "$2" >&2
	return 1
}
