# SPDX-License-Identifier: MIT
# What the tests of nm-collect -b diag share: `load diag`, after helpers.

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=() mounted=() as=() gate=
	run nm-collect --probe
	[[ $output == *"diag   yes"* ]] || skip "no tcp_diag in this kernel"
}

teardown() {
	local pid mount

	for pid in "${started[@]}"; do
		{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
	done
	for mount in "${mounted[@]}"; do
		umount "$mount" 2>/dev/null || true
	done
}

# collect [OPTION]...: in the background ($collector), writing to ./stream;
# returns when it counts.
collect() {
	: >stream
	(
		# Or the gate would not open as long as the collector runs.
		[ -z "$gate" ] || exec {gate}>&-
		exec "${as[@]}" nm-collect -b diag "$@"
	) >stream 2>errors &
	collector=$!
	started+=("$collector")
	wait_until 30 grep -q '"type":"start"' stream
}

# finish: one last drain; fails unless the collector ends with status 0.
finish() {
	kill -TERM "$collector"
	wait "$collector"
}

# hold SCENARIO: its sockets are open, and it waits for release.
hold() {
	mkfifo gate
	"${as[@]}" nm-traffic --hold "$1" <gate >roles 2>traffic-errors &
	traffic=$!
	started+=("$traffic")
	exec {gate}>gate
	wait_until 30 eval 'grep -q ready roles || ! kill -0 "$traffic"'
	grep -q ready roles || skip "$(cat traffic-errors)"
}

# release: returns when it has moved everything.
release() {
	exec {gate}>&-
	gate=
	wait "$traffic"
	rm gate
}

# ticks COUNT: the stream has so many.
ticks() {
	[ "$(grep -c '"type":"tick"' stream)" -ge "$1" ]
}

# more_ticks COUNT: wait for so many from now on.
more_ticks() {
	wait_until 30 ticks $(($(grep -c '"type":"tick"' stream) + $1))
}

# flows FILTER: what jq's filter says of all flow records, as a list.
flows() {
	jq -cs "map(select(.type == \"flow\")) | $1" stream
}

# of_roles: per role what was told of it, as nm-traffic tells it.
of_roles() {
	jq -cs --slurpfile roles roles '
		map(select(.type == "flow")) as $flows |
		$roles[] | select(.role) | .pid as $pid |
		[$flows[] | select(.pid == $pid)] |
		[map(.tx_bytes), map(.rx_bytes)] | map(add // 0)' stream
}

# known: what the roles themselves counted, in the same form.
known() {
	jq -c 'select(.role) | [.tx_bytes, .rx_bytes]' roles
}

# all_told: nothing is on its way any more, as far as can be seen. The kernel
# sends its notices of closed sockets a moment later.
all_told() {
	[ "$(of_roles 2>/dev/null)" = "$(known)" ]
}

# to_the_byte SCENARIO: held until the collector knows the sockets.
to_the_byte() {
	hold "$1"
	collect -i 0.2
	release
	wait_until 30 all_told
	finish
	same "$(of_roles)" "$(known)"
}

# What runs a command in an empty network namespace.
alone=(unshare -n sh -c 'ip link set lo up && exec "$@"' -)

# Before nm-collect: it cannot look into other namespaces, where others are at
# work.
own_only=(setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin)

# need_netns: skip where network namespaces cannot be made and entered.
need_netns() {
	need_root
	need unshare nsenter setpriv ip socat
	unshare -n true 2>/dev/null || skip "needs CAP_SYS_ADMIN"
}

# netns_of PID: the inode number of its network namespace.
netns_of() {
	stat -Lc %i "/proc/$1/ns/net"
}

# inhabit: a new network namespace with loopback, and a process that does
# nothing in it ($inhabitant).
inhabit() {
	"${alone[@]}" sleep 1000 &
	inhabitant=$!
	started+=("$inhabitant")
	wait_until 30 grep -q sleep "/proc/$inhabitant/comm"
	inside=(nsenter -t "$inhabitant" -n)
}

# leave: that process ends.
leave() {
	kill -KILL "$inhabitant"
	wait "$inhabitant" 2>/dev/null || true
}

# is_listening PORT: in that namespace.
is_listening() {
	"${inside[@]}" ss -Hltn "sport = :$1" | grep -q .
}
