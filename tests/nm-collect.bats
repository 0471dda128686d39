# SPDX-License-Identifier: MIT
# nm-collect: its options, its rights, the shape of its stream, how it ends.

load helpers
load collect

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
}

teardown() {
	end_started
}

# --- Without rights ---

@test "nm-collect: a usage error exits 2 with empty stdout" {
	run --separate-stderr nm-collect --no-such-option
	[ "$status" -eq 2 ]
	same "$output" ''
	run --separate-stderr nm-collect -b kprobe
	[ "$status" -eq 2 ]
	[[ $stderr == *kprobe* ]]
	for pid in 12x '' ' 5' +5 -5 4194305; do
		run --separate-stderr nm-collect -p "$pid"
		[ "$status" -eq 2 ]
		[[ $stderr == *"'$pid' is not a process id"* ]]
	done
	run --separate-stderr nm-collect -i 0
	[ "$status" -eq 2 ]
	run --separate-stderr nm-collect --once -c 3
	[ "$status" -eq 2 ]
	run --separate-stderr nm-collect operand
	[ "$status" -eq 2 ]
}

# need_host_pids: -p can check its ids only there.
need_host_pids() {
	[ "$(stat -Lc %i /proc/self/ns/pid)" = $((0xeffffffc)) ] ||
		skip "not the initial pid namespace"
}

@test "nm-collect: -p wants a process that is there" {
	need_host_pids
	bash -c : 3>&- &
	wait $!	# nobody else has the id so soon
	run --separate-stderr nm-collect --once -p $$ -p $!
	[ "$status" -eq 1 ]
	same "$output" ''
	same "$stderr" "nm-collect: there is no process '$!'"
	run --separate-stderr nm-collect --once -i 0.1 -p $$ -p 0
	[[ $stderr != *process* ]]
}

# second_thread PID: sets $thread; false as long as there is none.
second_thread() {
	thread=$(cd "/proc/$1/task" && printf '%s\n' * | grep -vx "$1")
}

@test "nm-collect: -p takes no thread" {
	need gcc
	need_host_pids
	gcc -pthread -x c -o two - <<-'END'
		#include <pthread.h>
		#include <unistd.h>
		static void *run(void *none) { pause(); return none; }
		int main(void)
		{
			pthread_t t;
			return pthread_create(&t, 0, run, 0) || pause();
		}
	END
	in_background ./two
	wait_until 30 second_thread "$!"
	run --separate-stderr nm-collect --once -p "$thread"
	[ "$status" -eq 1 ]
	same "$stderr" "nm-collect: '$thread' is a thread, not a process"
}

@test "nm-collect: --probe tells of each backend whether it works, or why not" {
	run --separate-stderr nm-collect --probe
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
	same "$(awk '/^[a-z]/ { print $1 }' <<<"$output")" $'fexit\ntp\ncgroup\ndiag'
	# One line each, and a remedy behind each no.
	same "$(grep -cE '^[a-z]+ +no ' <<<"$output")" \
		"$(grep -c 'remedy: .' <<<"$output")"
}

# --- With rights ---

# bats test_tags=root
@test "nm-collect: names each missing capability, exits 3" {
	need_root
	need setpriv
	exact_backend
	install -m 755 "$(type -P nm-collect)" collect
	chmod 755 .
	backend=$(./collect --probe | awk '$2 == "yes" { print $1; exit }')
	for have in bpf perfmon; do
		missing=$([ $have = bpf ] && echo CAP_PERFMON || echo CAP_BPF)
		run --separate-stderr setpriv --reuid=65534 --regid=65534 \
			--clear-groups --inh-caps=-all,+$have \
			--ambient-caps=-all,+$have --bounding-set=-all,+$have \
			./collect -b "$backend" --once
		[ "$status" -eq 3 ]
		same "$output" ''
		[[ $stderr == *"not permitted without $missing "* ]]
	done
}

# bats test_tags=root
@test "nm-collect: without other capabilities the reason is a true one" {
	need_root
	need setpriv
	install -m 755 "$(type -P nm-collect)" collect
	chmod 755 .
	as_root=$(./collect --probe)
	as_nobody=$(ulimit -l 64 && setpriv --reuid=65534 --regid=65534 \
		--clear-groups --inh-caps=-all,+bpf,+perfmon,+net_admin \
		--ambient-caps=-all,+bpf,+perfmon,+net_admin ./collect --probe)
	printf '%s\n' "$as_root" "$as_nobody"
	# Locked memory, where it counts: before 5.11.
	if printf '%s\n' 5.11 "$(uname -r)" | sort -CV; then
		[[ $as_nobody != *'locked memory'* ]]
		# Nothing else differs, but whether a lockdown can be read.
		same "$(awk '/^[a-z]/ { print $1, $2 }' <<<"$as_nobody")" \
			"$(awk '/^[a-z]/ { print $1, $2 }' <<<"$as_root")"
		if [[ $as_root == *'locked down'* ]]; then
			[[ $as_nobody == *'locked down'* ]]
		fi
	elif [[ $as_root =~ (^|$'\n')fexit\ +yes ]]; then
		[[ $as_nobody == *'limit of locked memory is too low'* ]]
	fi
}

# attached_again CMDLINE: how many programs are attached more than once, on
# such a command line of the kernel; debugfs does not say how it preempts.
attached_again() {
	echo "$1" >cmdline
	# shellcheck disable=SC2016 # for the other shell
	unshare -m sh -c 'mount --bind cmdline /proc/cmdline
		[ ! -d /sys/kernel/debug ] || mount -t tmpfs none /sys/kernel/debug
		exec nm-collect -v --once -i 0.1' 2>&1 >/dev/null |
		grep -c 'attached .* again$' || true
}

# bats test_tags=root
@test "nm-collect: stands in for itself as the last preempt= orders it" {
	exact_backend
	need unshare
	[[ $(uname -v) == *PREEMPT_DYNAMIC* ]] || skip "nothing can be ordered"
	same "$(attached_again 'quiet preempt=full preempt=none')" 0
	same "$(attached_again 'preempt=none x.preempt=full rcu_preempt=full')" 0
	same "$(attached_again 'preempt=none -- preempt=full')" 0
	[ "$(attached_again 'preempt=none preempt=full quiet')" -gt 0 ]
}

# bats test_tags=root
@test "nm-collect: a stream begins with start and ends with tick, also when idle" {
	need_root
	run --separate-stderr nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -c 3 -i 0.2
	[ "$status" -eq 0 ]
	same "$stderr" ''
	same "$(head -n 1 <<<"$output" | jq -r .type)" start
	same "$(tail -n 1 <<<"$output" | jq -r .type)" tick
	same "$(jq -r 'select(.type == "tick") | .type' <<<"$output" | wc -l)" 3
	# v, type, ts_us first; flat; nothing empty.
	same "$(jq -c 'keys_unsorted[:3]' <<<"$output" | sort -u)" \
		'["v","type","ts_us"]'
	same "$(jq -c 'select(any(.[]; type == "object" or type == "array" or
		. == null or . == ""))' <<<"$output")" ''
	same "$(jq -r 'select(.type == "start") | .boot_id' <<<"$output")" \
		"$(cat /proc/sys/kernel/random/boot_id)"
}

# bats test_tags=root
@test "nm-collect: --once is one interval" {
	need_root
	run --separate-stderr nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} --once -i 0.1
	[ "$status" -eq 0 ]
	same "$(jq -r 'select(.type == "tick") | .type' <<<"$output")" tick
}

# bats test_tags=root
@test "nm-collect: a lesser backend is said in a notice, with the reason" {
	need_root
	run --separate-stderr nm-collect --once -i 0.1
	[ "$status" -eq 0 ]
	used=$(jq -r 'select(.type == "start") | .backend' <<<"$output")
	notices=$(jq -r 'select(.type == "notice" and .code == "backend") |
		.text' <<<"$output")
	if [ "$used" = fexit ]; then
		same "$notices" ''
	else
		[[ $notices == *"$used is used, not fexit: "*"remedy: "* ]]
	fi
}

# bats test_tags=root
@test "nm-collect: the last warning is that only TCP is counted, and what helps" {
	need_root
	need setpriv
	install -m 755 "$(type -P nm-collect)" collect
	chmod 755 .
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
		--bounding-set=-all ./collect --once -i 0.1 >stream
	same "$(jq -rs '[.[] | select(.level == "warning") | .code] |
		join(" ")' stream)" 'rights backend'
	last=$(jq -r 'select(.level == "warning") | .text' stream | tail -n 1)
	[[ $last == 'only TCP is counted, '*' (diag is used, not fexit: '* ]]
	[[ $last == *'not permitted without CAP_BPF, CAP_PERFMON'* ]]
	[[ $last == *'; remedy: run it as root, or '* ]]
	run -0 nm-view -b <stream
	[[ $output == *'warning: only TCP is counted, '* ]]
}

# bats test_tags=root
@test "nm-collect: a reader that stalls loses nothing" {
	exact_backend
	need curl socat
	serve 100003
	mkfifo pipe
	nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.05 >pipe 3>&- &
	collector=$!
	started+=("$collector")
	exec 5<pipe
	IFS= read -r -u 5 line	# it counts; from now on nobody reads
	[[ $line == *'"type":"start"'* ]]
	for _ in $(seq 60); do
		curl -s -o /dev/null "http://127.0.0.1:$port/"
	done
	kill -TERM "$collector"
	cat <&5 >stream
	exec 5<&-
	wait "$collector"
	same "$(of_comm curl 'map(.rx_bytes) | add')" $((60 * (100003 + 19)))
}

ticks() {
	[ "$(grep -c '"type":"tick"' stream)" -ge "$1" ]
}

# bats test_tags=root
@test "nm-collect: after it was stopped for a while no interval is too short" {
	need_root
	collect stream -i 0.4
	wait_until 30 ticks 2
	kill -STOP "$collector"
	sleep 1.5	# more than three intervals; the stop is the delay to test
	kill -CONT "$collector"
	wait_until 30 ticks 7
	collected stream
	# The last was ended by the signal.
	lengths=$(jq -r 'select(.type == "tick") | .dt_us' stream | head -n -1)
	echo "$lengths"
	same "$(awk '$1 < 200000' <<<"$lengths")" ''
	same "$(awk '$1 > 1400000' <<<"$lengths" | wc -l)" 1
}

# bats test_tags=root
@test "nm-collect: holds no more rights than for names once it counts" {
	exact_backend
	collect stream
	same "$(awk '/^Uid/ { print $2, $3, $4 }' "/proc/$collector/status")" \
		'65534 65534 65534'
	same "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$collector/status")" 1
	# CAP_DAC_READ_SEARCH is 2, CAP_SYS_PTRACE 19; CAP_BPF (39) before 5.19.
	caps=$((0x$(awk '/^CapPrm/ { print $2 }' "/proc/$collector/status")))
	same $((caps & ~(1 << 39))) $((1 << 2 | 1 << 19))
	same $((0x$(awk '/^CapEff/ { print $2 }' "/proc/$collector/status"))) \
		"$caps"
	collected stream
}

# bats test_tags=root
@test "nm-collect: -v tells what happens in the kernel" {
	exact_backend
	collect stream -i 0.2 -vv
	bash -c 'echo -n 12345 >/dev/udp/127.0.0.1/29877'
	wait_until 30 grep -q 'kernel: process [0-9]*: first use' stream.errors
	wait_until 30 grep -q 'kernel: process [0-9]*: ended' stream.errors
	grep -qE ': attached tp_btf/sched_process_exec' stream.errors
	wait_until 30 grep -qE 'maps: [0-9]+ of 16384 processes, [0-9]+ of 32768 flows' stream.errors
	collected stream
}

# bats test_tags=root
@test "nm-collect: ends quietly when its reader goes" {
	need_root
	run bash -c "set -o pipefail
		nm-collect ${NM_BACKEND:+-b $NM_BACKEND} -i 0.1 | head -n 1"
	[ "$status" -eq 0 ]
	same "$(jq -r .type <<<"$output")" start

	# At once, not at the end of the interval.
	run timeout 60 bash -c "set -o pipefail
		nm-collect ${NM_BACKEND:+-b $NM_BACKEND} -i 3600 | head -n 1"
	[ "$status" -eq 0 ]
}

# bats test_tags=root
@test "nm-collect: a full disk is an error" {
	need_root
	run --separate-stderr bash -c 'nm-collect -i 0.1 >/dev/full'
	[ "$status" -eq 1 ]
	[[ $stderr == *'nm-collect: cannot write to standard output: No space left on device'* ]]
}

# bats test_tags=root
@test "nm-collect: a closed standard output is an error, not somebody else's file" {
	need_root
	run --separate-stderr bash -c 'nm-collect --once >&-'
	[ "$status" -eq 1 ]
	[[ $stderr == *'nm-collect: cannot write to standard output: Bad file descriptor'* ]]
}

# bats test_tags=root
@test "nm-collect: leaves nothing in the kernel, also when it is killed" {
	exact_backend
	need bpftool
	bpftool prog list | grep -qE 'name on_(set_state|exec) ' &&
		skip "another nm-collect is running"
	collect stream
	bpftool prog list | grep -qE 'name on_set_state '
	kill -KILL "$collector"
	wait "$collector" || true
	wait_until 30 bash -c '! bpftool prog list | grep -qE "name on_set_state "'
}

# --- The programs ---

@test "nm-collect: a program and what it calls have room on the stack of every kernel" {
	need llvm-objdump
	# Until 6.13 both have 512 bytes together, each in steps of 32.
	llvm-objdump -dr --no-show-raw-insn "$B/collect.bpf.o" | awk '
		function deeper(n) { if (n > depth[section]) depth[section] = n }
		function steps(n) { return int((n + 31) / 32) * 32 }
		/^Disassembly of section/ { section = $4 }
		/R_BPF_64_32/ { calls[section] = 1 }
		match($0, /\(r10 - [0-9]+\)/) {
			deeper(substr($0, RSTART + 7, RLENGTH - 8) + 0)
		}
		copy && match($0, / \+= -[0-9]+/) {
			deeper(substr($0, RSTART + 5, RLENGTH - 5) + 0)
		}
		{ copy = / = r10$/ }
		END {
			for (section in calls)
				if (steps(depth[section]) + steps(depth[".text:"]) > 512)
					print section, depth[section], depth[".text:"]
			if (!depth[".text:"])
				print "no function is called"
		}' >deep
	same "$(cat deep)" ''
}
