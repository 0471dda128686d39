# SPDX-License-Identifier: MIT
# bats file_tags=root
# nm-collect keeps what nm-collect(8) and nm-record(5) promise of its stream
# when it is short of room, stopped, ended, started again, or not alone.
# NM_BACKEND chooses the backend.

load helpers
load collect
load accuracy

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
}

teardown() {
	end_started
}

exactly() {
	cannot=$(why_not)
	[ -z "$cannot" ] || skip "$cannot"
}

# churn SECONDS: processes that come and go, in a network namespace of their
# own; adds to ./ledger what they moved.
churn() {
	local rate=(-c 1000 -p 100)

	# A guest under QEMU is as slow as that.
	[ -z "${NM_GUEST-}" ] || rate=(-c 150 -p 15)
	unshare -n sh -c 'ip link set lo up && exec nm-churn "$@"' - \
		"${rate[@]}" "$1" >>ledger 3>&-
}

# churn_is_exact STREAM: each process of ./ledger has its bytes, by its id and
# its start.
churn_is_exact() {
	jq -r 'select(.tx_bytes + .rx_bytes > 0) |
		"\(.pid) \(.ticks) \(.tx_bytes) \(.rx_bytes)"' ledger |
		sort >is
	awk -v sums=sums -f "$ROOT/tests/life/audit.awk" "$1"
	cut -d ' ' -f 1-4 sums | sort | comm -12 - is | diff is -
}

# ticks FILTER: what jq's filter says of all ticks, as a list.
ticks() {
	jq -cs "map(select(.type == \"tick\")) | $1" stream
}

# --- Losses; nm-collect-many.bats has lost_flows and lost_detail ---

@test "nm-collect: with no room for processes nobody is told twice, and no byte is lost" {
	exactly
	# As many as a slow guest begins while others linger.
	room=$([ -n "${NM_GUEST-}" ] && echo 10 || echo 50)
	collect stream -i 0.3 --max-processes "$room" --max-flows 20
	churn 4
	collected stream
	# Each began and ended once, and has the bytes that its end says.
	awk -v sums=sums -f "$ROOT/tests/life/audit.awk" stream
	same "$(ticks 'map(.lost_processes) | add > 0')" true
	same "$(ticks 'map(.lost_flows) | add > 0')" true
	# Nobody has more than is his.
	same "$(awk 'NR == FNR { tx[$1, $2] = $3; rx[$1, $2] = $4; next }
		($1, $2) in tx && (tx[$1, $2] > $3 || rx[$1, $2] > $4)
		' sums <(jq -r '"\(.pid) \(.ticks) \(.tx_bytes) \(.rx_bytes)"' \
			ledger))" ''
	# All is there. Others may be on this machine, but not in a guest.
	is=$(jq -s 'map(.tx_bytes) | add' ledger)
	told=$(ticks 'map(.tx_bytes) | add')
	[ "$told" -ge "$is" ]
	[ -z "${NM_GUEST-}" ] || same "$told" "$is"
}

# on_both: packets on loopback come up on the other processor, which is
# interrupted for it.
on_both() {
	# shellcheck disable=SC2016 # for the other shell
	unshare -nm sh -c 'mount -t sysfs sysfs /sys && ip link set lo up &&
		echo 3 >/sys/class/net/lo/queues/rx-0/rps_cpus && exec "$@"' - "$@"
}

@test "nm-collect: a program that was not run, because it was under way, is told" {
	exactly
	[ "$(nproc)" -gt 1 ] || skip 'needs two processors'
	collect stream -i 0.5 -v
	! grep -q 'attached .* again$' stream.errors ||
		skip 'where the kernel preempts, one program stands in for another'
	for _ in 1 2 3 4 5; do
		on_both nm-churn -c 100000 -p 100 3 >>ledger 3>&-
		! grep -q '"lost_calls":[1-9]' stream || break
	done
	collected stream
	grep -q '"lost_calls":[1-9]' stream ||
		skip 'this kernel was never in its own way'
	# What was missed was that a connection was made or closed, and no byte.
	churn_is_exact stream
}

# notices_dropped PID: its kernel had no room for a notice of a closed socket.
notices_dropped() {
	awk '$2 == 4 && $4 != 0 && $9 > 0 { dropped = 1 }
		END { exit !dropped }' "/proc/$1/net/netlink"
}

# second_sums: what ./stream has of the connections to 127.0.0.2.
second_sums() {
	grep '"type":"flow".*}$' stream | jq -cs '
		map(select([.laddr, .raddr] | any(. == "127.0.0.2"))) |
		[map(.tx_bytes), map(.rx_bytes)] | map(add)'
}

second_sums_are_known() {
	[ "$(second_sums)" = "$known" ]
}

@test "nm-collect -b diag: notices that found no room are told, and it goes on" {
	need_root
	need setpriv
	nm-collect --probe | grep -q '^diag *yes' || skip 'no tcp_diag in this kernel'
	# Without CAP_NET_ADMIN their room is at most net.core.rmem_max, twice; a
	# notice takes more than 1 kB, and each round has 202 of them.
	room=$(cat /proc/sys/net/core/rmem_max)
	rounds=$((2 * (room < 8 << 20 ? room : 8 << 20) / (202 * 1024) + 2))
	: >stream
	unshare -n sh -c 'ip link set lo up && exec "$@"' - setpriv \
		--bounding-set=-all,+sys_ptrace,+dac_read_search,+setuid,+setgid,+setpcap \
		--inh-caps=-all "$(type -P nm-collect)" -b diag -i 0.5 \
		>stream 2>errors 3>&- &
	collector=$!
	started+=("$collector")
	wait_until 60 grep -q '"type":"tick"' stream
	kill -STOP "$collector"
	for _ in $(seq "$rounds"); do
		nsenter -t "$collector" -n nm-traffic tcp-many >/dev/null 3>&-
	done
	# A worker of the kernel sends them, after the sockets are gone: on a busy
	# machine the half of them is still to come.
	wait_until 60 notices_dropped "$collector"
	kill -CONT "$collector"
	wait_until 60 grep -q \
		'"level":"warning","code":"lost","text":"the kernel had no room' stream
	# From then on nothing is missing again. What is still to come is of
	# connections to 127.0.0.1.
	nsenter -t "$collector" -n nm-traffic --at 127.0.0.2,::1,lo tcp-many \
		>ledger 3>&-
	known=$(jq -cs '[map(.tx_bytes), map(.rx_bytes)] | map(add)' ledger)
	wait_until 60 second_sums_are_known || true
	an_interval_later stream
	an_interval_later stream
	kill -TERM "$collector"
	wait "$collector"
	same "$(second_sums)" "$known"
}

# --- Starts, stops, company ---

@test "nm-collect: two at once are both exact" {
	exactly
	collect one -i 0.2
	first=$collector
	collect two -i 0.3
	for scenario in tcp4 udp6-peers short sendfile4; do
		traffic ledger.$scenario $scenario
	done
	collected two
	collector=$first
	collected one
	for scenario in tcp4 udp6-peers short sendfile4; do
		exact ledger.$scenario one
		exact ledger.$scenario two
	done
}

ours() {
	bpftool prog list | grep -c 'name on_set_state ' || true
}

as_many_as_before() {
	[ "$(ours)" -le "$before" ]
}

@test "nm-collect: is started and ended many times beside traffic and another of it" {
	exactly
	need bpftool
	# 200 by hand; each takes seconds in a guest, or on a busy machine.
	times=${NM_STARTS:-$([ -n "${NM_GUEST-}" ] && echo 3 || echo 10)}
	before=$(ours)
	collect stream
	survivor=$collector
	churn 5 &
	traffic=$!
	for ((i = 0; i < times; i++)); do
		: >again # nor is it taken for the one before
		collect again -i 3600
		# In order, and not.
		if ((i % 4)); then
			collected again
		else
			kill -KILL "$collector"
			wait "$collector" || true
		fi
		kill -0 "$traffic" 2>/dev/null && continue
		wait "$traffic"
		churn 5 &
		traffic=$!
	done
	wait "$traffic"
	collector=$survivor
	collected stream
	churn_is_exact stream
	wait_until 30 as_many_as_before
}

@test "nm-collect: what moves while it is stopped is in one long interval" {
	exactly
	collect stream -i 0.3
	an_interval_later stream
	kill -STOP "$collector"
	churn 3
	kill -CONT "$collector"
	an_interval_later stream
	collected stream
	churn_is_exact stream
	same "$(ticks 'map(select(.dt_us >= 3000000)) | length')" 1
	# Most of it is there; those that began before it was stopped are none.
	is=$(jq -s 'map(.tx_bytes) | add' ledger)
	same "$(ticks "map(select(.dt_us >= 3000000).tx_bytes) |
		add * 2 >= $is")" true
	[ -n "${NM_GUEST-}" ] || same "$(ticks \
		'map(select(.dt_us >= 3000000).tx_bytes) | add >= 1000000')" true
	same "$(ticks '[map(.lost_flows, .lost_processes)] | flatten | add // 0')" 0
}

@test "nm-collect: -i 0.1 is ten intervals in a second, -c 1 is one" {
	need_root
	nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.1 -c 21 >stream
	same "$(ticks length)" 21
	# The page: right on average, and none that says nothing.
	same "$(ticks 'map(.dt_us) | min >= 50000')" true
	same "$(ticks 'map(.dt_us) | sort | .[10] | . >= 90000 and . < 200000')" true
	same "$(jq -r 'select(.type == "start").interval_us' stream)" 100000
	nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} -i 0.1 -c 1 >stream
	same "$(ticks length)" 1
}

# empty_tick: the stream is a start and a tick of nothing.
empty_tick() {
	same "$(jq -cs 'map(select(.type != "notice").type)' stream)" \
		'["start","tick"]'
	# The ledger is not of some processes, but of all.
	same "$(ticks '.[0] | del(.ts_us, .dt_us, .cpu_us) |
		.tx_wire_bytes //= 0 | .rx_wire_bytes //= 0 |
		with_entries(select(.key | startswith("nic_") | not))')" \
		'{"v":1,"type":"tick","flows":0,"tx_bytes":0,"rx_bytes":0,"tx_wire_bytes":0,"rx_wire_bytes":0}'
}

@test "nm-collect: --once of processes that do nothing is a start and an empty tick" {
	need_root
	nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} --once -p $$ >stream
	empty_tick
}

@test "nm-collect: --once of an idle machine is a start and an empty tick" {
	need_root
	[ -n "${NM_GUEST-}" ] || skip 'only a guest of tests/vm is sure to be idle'
	nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} --once >stream
	empty_tick
	same "$(ticks '.[0] | [.nic_tx_bytes, .nic_rx_bytes] |
		map(. // 0)')" '[0,0]'
}

catches_term() {
	(((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$1/status") & 0x4000) != 0))
}

has_no_term() {
	! grep -qE '^(Sig|Shd)Pnd:.*[4-7c-f]...$' "/proc/$1/status" 2>/dev/null
}

# terms_apart SECONDS: two, so far apart that they are not one for the kernel;
# $apart_us is how long that took in truth, until both were there.
terms_apart() {
	local began=${EPOCHREALTIME/[.,]/}

	kill -TERM "$collector"
	read -r -t "$1" -u 6 || true	# no fork to wait for
	kill -TERM "$collector"
	until has_no_term "$collector"; do :; done
	apart_us=$((${EPOCHREALTIME/[.,]/} - began))
}

@test "nm-collect: a signal sent twice is one, one that comes later ends at once" {
	need_root
	mkfifo pipe nothing
	exec 5<>pipe 6<>nothing
	head -c 65536 /dev/zero >&5	# as much as it takes
	# A machine that was too slow to send two within half a second tries again.
	for _ in {1..10}; do
		nm-collect -b diag >pipe 3>&- 5>&- 6>&- &
		collector=$!
		started+=("$collector")
		wait_until 30 catches_term "$collector"
		terms_apart 0.1
		((apart_us >= 400000)) || break
		kill -KILL "$collector" 2>/dev/null || true
	done
	((apart_us < 400000))
	sleep 0.6	# more than the half second of nm-collect(8)
	kill -0 "$collector"
	kill -TERM "$collector"
	status=0
	wait "$collector" || status=$?
	exec 5>&- 6>&-
	same "$status" 143
}
