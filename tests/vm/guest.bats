#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Is a guest of tests/vm/run what the other tests take for granted? If one of
# these fails, look at tests/vm/init and tests/vm/image first.

@test "guest: the kernel describes its types (BTF)" {
	[ -s /sys/kernel/btf/vmlinux ]
}

@test "guest: cgroup2, bpf, tracefs and securityfs are mounted" {
	grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts
	grep -q ' /sys/fs/bpf bpf ' /proc/mounts
	grep -q ' /sys/kernel/tracing tracefs ' /proc/mounts
	grep -q ' /sys/kernel/security securityfs ' /proc/mounts
}

@test "guest: there is no network but loopback" {
	[ "$(ls /sys/class/net)" = lo ]
	ip -br address show lo | grep -q '127.0.0.1/8 ::1/128'
}

@test "guest: network namespaces can be joined by veth" {
	ip netns add one
	ip netns add two
	ip -n one link add left type veth peer name right netns two
	ip -n one link show left
	ip -n two link show right
	ip netns del one
	ip netns del two
}

@test "guest: modules load on demand" {
	modprobe tcp_diag
	ip link add other type dummy
	modprobe -r dummy
}

@test "guest: the programs that tests use are there and find their libraries" {
	local program broken=

	cd "$BATS_TEST_TMPDIR"
	for program in awk curl ip iperf3 jq nginx setpriv socat ss tc unshare; do
		ldd "$(type -P "$program")" >libraries || broken+=" $program"
		! grep 'not found' libraries || broken+=" $program"
	done
	for program in "$B"/nm-* "$B"/tests/nm-*; do
		[ ! -x "$program" ] || ldd "$program" >libraries
		! grep 'not found' libraries || broken+=" $program"
	done
	[ -z "$broken" ] || { echo "broken:$broken"; false; }
}
