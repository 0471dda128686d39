# SPDX-License-Identifier: MIT
# What the measurements of nm-collect share: source it first. The script runs
# again in a network namespace of its own, where only its own traffic is on
# the loopback interface; the namespace ends with the last process in it.
# shellcheck shell=bash

# cannot REASON: this machine is not one to measure on.
cannot() {
	echo "${0##*/}: $1" >&2
	exit 3
}

# need COMMAND...
need() {
	local command

	for command; do
		type -P "$command" >/dev/null || cannot "needs $command"
	done
}

# fail REASON: the measurement is worth nothing.
fail() {
	echo "${0##*/}: $1" >&2
	exit 1
}

[ "$EUID" -eq 0 ] || cannot "needs root"
need nm-collect jq ip unshare
if [ "${NM_BENCH_NETNS:-}" != $$ ]; then
	NM_BENCH_NETNS=$$ exec unshare --net -- bash "$0" "$@"
fi
ip link set lo up || cannot "no loopback interface"

dir=$(mktemp -d) || exit 1
running=() # processes that we started and have not waited for
bpf_stats=
bpf_stats_file=/proc/sys/kernel/bpf_stats_enabled

cleanup() {
	trap '' INT TERM HUP
	[ -z "$bpf_stats" ] || echo "$bpf_stats" >$bpf_stats_file
	[ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# started PID: it is killed at the end, if nobody has waited for it.
started() {
	running+=("$1")
}

# ended PID: waits for it; its exit status.
ended() {
	local process left=() status=0

	wait "$1" || status=$?
	for process in "${running[@]}"; do
		[ "$process" = "$1" ] || left+=("$process")
	done
	running=(${left[@]+"${left[@]}"})
	return "$status"
}

# wait_until SECONDS COMMAND...: until it succeeds; fails at the deadline.
wait_until() {
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || fail "still not true: $*"
		sleep 0.02
	done
}

# lines FILE PATTERN COUNT: has it so many of them?
lines() {
	[ "$(grep -c -e "$2" "$1")" -ge "$3" ]
}

load_average() {
	cut -d ' ' -f 1 /proc/loadavg
}

# cpu_ns PID: processor time that all its threads have used.
cpu_ns() {
	cat "/proc/$1/task/"*/schedstat | awk '{ sum += $1 }
		END { printf "%.0f\n", sum }'
}

# spread: median, least and largest of the numbers on standard input.
spread() {
	sort -g | awk '{ v[NR] = $1 }
		END {
			if (NR == 0)
				exit 1
			middle = v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]
			print middle / 2, v[1], v[NR]
		}'
}

# The median of the numbers on standard input.
median() {
	spread | awk '{ printf "%.3f\n", $1 }'
}

# aim WHAT VALUE COMPARISON LIMIT: says whether it is as it is meant to be.
aim() {
	awk -v what="$1" -v value="$2" -v sign="$3" -v limit="$4" 'BEGIN {
		holds = sign == "<" ? value < limit : value >= limit
		printf "  %-40s %8s   aim: %2s %-5s %s\n", what, value, sign,
			limit, holds ? "holds" : "does not hold"
	}'
}

# --- The collectors, and programs that do nothing ---

nm_options=()
# The root of cgroup version 2, for empty.
cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)

# start COLLECTOR READER...: its output goes to the reader by a pipe, as to any
# reader. $collector is its process, and READER may ask for it.
start() {
	[ -p "$dir/pipe" ] || mkfifo "$dir/pipe"
	case $1 in
	nm) nm-collect ${nm_options[@]+"${nm_options[@]}"} >"$dir/pipe" 2>"$dir/errors" & ;;
	# A look each second, with sums in bytes.
	empty) "$B/tests/bench/empty" "$cgroup" >"$dir/pipe" 2>"$dir/errors" & ;;
	nethogs) nethogs -t -a -v 2 -d 1 lo >"$dir/pipe" 2>"$dir/errors" & ;;
	esac
	collector=$!
	started "$collector"
	shift
	"$@" <"$dir/pipe" &
	reader=$!
	started "$reader"
}

# After this all that it told has been read.
stop() {
	kill "$collector"
	# nethogs and empty do not handle the signal.
	ended "$collector" || [ $? -eq 143 ] ||
		fail "$(tail -n 1 "$dir/errors")"
	ended "$reader"
}
