# SPDX-License-Identifier: MIT
# Runs in a guest, for peers: workloads alone and beside those who count them.
# shellcheck shell=bash
set -eu -o pipefail

# shellcheck source=measure.bash
. "$(dirname "$0")/measure.bash"
# shellcheck source=workloads.bash
. "$(dirname "$0")/workloads.bash"
need bpftrace iperf3 taskset

rounds=${ROUNDS:-5} duration=${DURATION:-3}
if [ -n "${QUICK:-}" ]; then
	rounds=${ROUNDS:-1} duration=${DURATION:-1}
fi
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null || :

# --- Who counts ---

# The bytes of each process, by the results of what TCP does for it. The last
# probe is attached last.
kprobes='
kretprobe:tcp_sendmsg /(int32)retval > 0/ { @tx[pid] = sum(retval); }
kretprobe:tcp_recvmsg /(int32)retval > 0/ { @rx[pid] = sum(retval); }
interval:ms:100 /!@ready/ { @ready = 1; printf("ready\n"); }'
# The same by fexit, as bpftrace 0.17 calls it.
functions=${kprobes//kretprobe/kretfunc}

watch_by_bpftrace() {
	bpftrace -B line -e "$1" >"$dir/told" 2>"$dir/errors" &
	collector=$!
	started "$collector"
	wait_until 120 lines "$dir/told" ^ready 1
}

# watch MODE: until it is at work.
watch() {
	: >"$dir/told"
	case $1 in
	kprobe) watch_by_bpftrace "$kprobes" ;;
	kfunc) watch_by_bpftrace "$functions" ;;
	fexit | tp)
		nm_options=(-b "$1")
		start nm keep
		wait_until 60 lines "$dir/told" '"type":"start"' 1
		;;
	esac
}

# unwatch MODE: all is in $dir/told.
unwatch() {
	case $1 in
	kprobe | kfunc)
		kill -INT "$collector"
		ended "$collector" || fail "$(tail -n 1 "$dir/errors")"
		;;
	fexit | tp) stop ;;
	esac
}

# Told bytes / moved bytes. bpftrace knows processes, not connections: that of
# control, which iperf3 has too, is in it.
share_bpftrace() {
	awk -v client="$(jq .client "$dir/moved")" \
		-v server="$(jq .server "$dir/moved")" \
		-v lport="$(jq .lport "$dir/moved")" \
		-v bytes="$(jq '.tx + .rx' "$dir/moved")" -F '[][@: ]+' '
		$2 == "tx" && ($3 == client || lport == "null" && $3 == server) ||
		$2 == "rx" && ($3 == server || lport == "null" && $3 == client) {
			sum += $4
		}
		END { printf "%.6f\n", sum / bytes }' "$dir/told"
}

share() {
	case $1 in
	none) echo 0 ;;
	kprobe | kfunc) share_bpftrace ;;
	fexit | tp) share_nm ;;
	esac
}

# --- Runs ---

measure() {
	local what=$1 mode=$2 cpu=0

	watch "$mode"
	[ "$mode" = none ] || cpu=$(cpu_ns "$collector")
	workload "$what"
	[ "$mode" = none ] || cpu=$(($(cpu_ns "$collector") - cpu))
	unwatch "$mode"
	echo "$what $mode $(jq .rate "$dir/moved")" \
		"$(awk "BEGIN { print $cpu / 1e7 / $duration }")" \
		"$(share "$mode")" >>"$dir/results"
}

report() {
	local mode name

	printf '\n%-34s %9s %9s %9s\n' "$(title "$1")" median least most
	for mode in $modes; do
		case $mode in
		none) name=alone ;;
		fexit | tp) name="nm-collect -b $mode" ;;
		kprobe) name="bpftrace, kretprobe" ;;
		kfunc) name="bpftrace, kretfunc (fexit)" ;;
		esac
		# shellcheck disable=SC2046 # three numbers each
		{
			row "$name" %9.3f $(column "$1" "$mode" 3 | spread)
			[ "$mode" != none ] || continue
			row "  against alone, by round" %9.3f \
				$(ratios "$1" "$mode" | spread)
			row "  its own processor time, %" %9.2f \
				$(column "$1" "$mode" 4 | spread)
			row "  share of the bytes told" %9.4f \
				$(column "$1" "$mode" 5 | spread)
		}
	done
}

modes=none
for mode in fexit tp; do
	if nm-collect --probe | grep -q "^$mode *yes"; then
		modes+=" $mode"
	fi
done
modes+=" kprobe kfunc"

echo "$rounds rounds of $duration s on $(uname -r); $(bpftrace --version)"
order=$modes
for ((round = 0; round < rounds; round++)); do
	for what in 64 1K 128K; do
		for mode in $order; do
			measure "$what" "$mode"
		done
	done
	# tests/vm/run ends a guest that is silent for long.
	echo "round $((round + 1))"
	# So that each comes at each place.
	order="${order#* } ${order%% *}"
done
for what in 64 1K 128K; do
	report "$what"
done
awk '$2 ~ /fexit|tp/ && $5 != 1 { missed = 1 } END { exit missed }' \
	"$dir/results" || fail "nm-collect did not tell every byte"
