#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Is an environment of tests/vm/environments what it is called, and does
# nm-collect say what it changes? Whether the backends that work count right
# there is for the tests that follow (tests/vm/suite).

setup_file() {
	nm-collect --probe >"$BATS_FILE_TMPDIR/probe" || [ $? -eq 3 ]
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp "$BATS_FILE_TMPDIR/probe" .
	cat probe
}

# only_in ENVIRONMENT...
only_in() {
	[[ " $* " == *" $ENVIRONMENT "* ]] || skip "is for $*"
}

# says BACKEND TEXT [REMEDY]: it does not work, for this reason.
says() {
	grep -A 1 "^$1 " probe >answer
	grep -qE "^$1 +no +.*$2" answer
	[ $# -lt 3 ] || grep -q "remedy: .*$3" answer
}

# is_expected BACKEND: is it one that must work?
is_expected() {
	[[ ,$EXPECT, == *,"$1",* ]]
}

@test "environment: it is what it is called" {
	case $ENVIRONMENT in
	integrity | confidentiality)
		grep -qF "[$ENVIRONMENT]" /sys/kernel/security/lockdown
		;;
	cgroup1)
		! grep -q ' cgroup2 ' /proc/mounts
		grep -q ' cgroup ' /proc/mounts
		;;
	nobtf)
		[ ! -e /sys/kernel/btf/vmlinux ]
		# Where libbpf looks next.
		[ -z "$(ls -d /boot/vmlinux* /lib/modules/*/vmlinux* \
			/lib/modules/*/build /usr/lib/debug 2>/dev/null)" ]
		;;
	*)
		echo "say here how '$ENVIRONMENT' is to be seen"
		false
		;;
	esac
}

@test "environment: each backend that must work does" {
	for backend in ${EXPECT//,/ }; do
		grep -qE "^$backend +yes " probe
	done
}

@test "environment: without BTF that is the reason, and what helps is said" {
	only_in nobtf
	for backend in fexit tp; do
		says $backend 'the kernel has no BTF' CONFIG_DEBUG_INFO_BTF
	done
}

@test "environment: what a lockdown forbids is said to be forbidden by it" {
	only_in integrity confidentiality
	is_expected fexit && skip "it forbids nothing here"
	says fexit 'the kernel is locked down \(confidentiality\)' \
		'none while it is locked down'
}

@test "environment: without cgroup2 a process has no cgroup, but its bytes" {
	only_in cgroup1
	is_expected fexit || skip "needs BPF"
	nm-collect --once -i 3 >stream 2>errors 3>&- &
	until grep -q '"type":"start"' stream; do sleep 0.1; done
	bash -c 'echo -n 12345 >/dev/udp/127.0.0.1/29877'
	wait $!
	cat errors
	[ ! -s errors ]
	[ "$(jq -c 'select(.type == "flow" and .comm == "bash") |
		[.tx_bytes, .cgroup]' stream)" = '[5,null]' ]
}
