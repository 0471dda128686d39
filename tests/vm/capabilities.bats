#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nm-collect as nobody who holds only some capabilities: each backend either
# names the missing ones, or it counts to the byte. A test for each set; a line
# "# works SET: BACKEND..." is for tests/vm/table.

load ../helpers
load ../collect
load ../accuracy

# needs BACKEND: the capabilities without which it must not work.
needs() {
	case $1 in
	fexit | tp) echo BPF PERFMON ;;
	cgroup) echo BPF PERFMON NET_ADMIN ;;
	diag) ;;
	*) echo "say here what $1 needs" >&2 && return 1 ;;
	esac
}

setup_file() {
	nm-collect --probe >"$BATS_FILE_TMPDIR/of-root"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	started=()
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" .
}

teardown() {
	end_started
}

# hold [CAPABILITY]...: from now on nm-collect is run by nobody, with these.
# Locked memory is another thing (RLIMIT_MEMLOCK), and nm-collect.bats's.
hold() {
	local caps=-all cap

	held=${*:-none}
	for cap; do
		caps+=,+${cap,,}
	done
	mkdir bin
	cat >bin/nm-collect <<-END
		#!/bin/bash
		ulimit -l unlimited
		exec setpriv --reuid=65534 --regid=65534 --clear-groups \
			--inh-caps=$caps --ambient-caps=$caps --bounding-set=$caps \
			"$B/nm-collect" "\$@"
	END
	chmod +x bin/nm-collect
	PATH=$PWD/bin:$PATH
}

# holds CAPABILITY: is it among them? SYS_ADMIN has been made into several.
holds() {
	[[ " $held " == *" $1 "* ]] ||
		[[ " $held " == *' SYS_ADMIN '* && $1 =~ ^(BPF|PERFMON)$ ]]
}

# lacking [CAPABILITY]...: those of them that are not held, as they are told.
lacking() {
	local cap list=

	for cap; do
		holds "$cap" || list+=", CAP_$cap"
	done
	echo "${list#, }"
}

# lacks_are_told BACKEND STREAM: what is missing, but not needed to count, is in
# a notice each.
lacks_are_told() {
	local missing said=

	if [ "$1" = tp ] && ! holds NET_ADMIN; then
		said='the remote side of datagrams on sockets that are not connected, and the end of such sockets, are not to be seen without CAP_NET_ADMIN'$'\n'
	fi
	missing=$(lacking SYS_PTRACE DAC_READ_SEARCH)
	[ -z "$missing" ] ||
		said+="paths of programs and cgroups are not all to be seen without $missing"$'\n'
	if [ "$1" = diag ] && ! holds SYS_ADMIN; then
		said+='what is in other network namespaces is not to be seen without CAP_SYS_ADMIN'
	fi
	same "$(jq -r 'select(.code == "rights").text' "$2")" "${said%$'\n'}"
}

# counts BACKEND: to the byte, what root's programs move.
counts() {
	local scenario

	NM_BACKEND=$1 collect "stream-$1" -i 0.2
	lacks_are_told "$1" "stream-$1"
	for scenario in tcp4 udp6; do
		traffic ledger "$scenario"
		an_interval_later "stream-$1"
		exact ledger "stream-$1"
	done
	collected "stream-$1"
}

# all_told: diag has told what nm-traffic's processes moved, all of it.
all_told() {
	[ "$(jq -cs --slurpfile ledger ledger '
		map(select(.type == "flow")) as $flows | $ledger[] | .pid as $pid |
		$flows | map(select(.pid == $pid)) |
		[map(.tx_bytes), map(.rx_bytes)] | map(add // 0)
		' stream-diag 2>/dev/null)" = \
		"$(jq -c '[.tx_bytes, .rx_bytes]' ledger)" ]
}

# diag_counts: to the byte, where it knows the sockets before they close; whose
# they are it sees only for its own user, but with rights for root's.
diag_counts() {
	local as=() go traffic status=0

	[ -z "$(lacking SYS_PTRACE DAC_READ_SEARCH)" ] ||
		as=(setpriv --reuid=65534 --regid=65534 --clear-groups
			--inh-caps=-all --bounding-set=-all)
	coproc "${as[@]}" nm-traffic --hold tcp4 2>ledger.errors 3>&-
	traffic=$COPROC_PID
	exec {go}>&"${COPROC[1]}" {COPROC[1]}>&- {said}<&"${COPROC[0]}"
	IFS= read -r -t 60 -u "$said" || true
	NM_BACKEND=diag collect stream-diag -i 0.2
	lacks_are_told diag stream-diag
	exec {go}>&-
	cat <&"$said" >ledger
	wait "$traffic" || status=$?
	outcome ledger "$status"
	[ "$(jq -s 'map(.tx_bytes) | add' ledger)" -gt 0 ]
	wait_until 60 all_told || {
		cat ledger stream-diag
		return 1
	}
	collected stream-diag
}

# try [CAPABILITY]...
try() {
	local backend as_root answer needs missing works=

	hold "$@"
	nm-collect --probe >probe || [ $? -eq 3 ]
	cat probe
	for backend in $(awk '/^[a-z]/ { print $1 }' "$BATS_FILE_TMPDIR/of-root"); do
		as_root=$(grep "^$backend " "$BATS_FILE_TMPDIR/of-root")
		answer=$(grep -A 1 "^$backend " probe)
		needs=$(needs "$backend")
		# shellcheck disable=SC2086 # several
		missing=$(lacking $needs)
		if [[ $as_root == *' the kernel has no '* ]]; then
			# That is looked at first.
			same "$(head -n 1 <<<"$answer")" "$as_root"
		elif [ -n "$missing" ]; then
			same "$(sed -E '1s/ +no +/ no /; s/^ +//' <<<"$answer")" \
				"$backend no not permitted without $missing
remedy: run it as root, or give nm-collect the capabilities of nm-collect(8)"
		elif [[ $as_root =~ ^$backend\ +yes ]]; then
			[[ $answer =~ ^$backend\ +yes ]]
			works+=" $backend"
			case $backend in
			diag) diag_counts ;;
			cgroup) ;; # that it works has been seen; it infers
			*) counts "$backend" ;;
			esac
		fi
	done
	echo "# works $held:$works" >&3
}

@test "capabilities: none" { try; }
@test "capabilities: PERFMON" { try PERFMON; }
@test "capabilities: BPF" { try BPF; }
@test "capabilities: BPF, PERFMON" { try BPF PERFMON; }
@test "capabilities: BPF, NET_ADMIN" { try BPF NET_ADMIN; }
@test "capabilities: BPF, PERFMON, NET_ADMIN" { try BPF PERFMON NET_ADMIN; }
@test "capabilities: SYS_ADMIN" { try SYS_ADMIN; }

# With those for names: one alone shows no socket of another user's process.

@test "capabilities: SYS_PTRACE" { try SYS_PTRACE; }
@test "capabilities: DAC_READ_SEARCH" { try DAC_READ_SEARCH; }
@test "capabilities: SYS_PTRACE, DAC_READ_SEARCH" { try SYS_PTRACE DAC_READ_SEARCH; }
@test "capabilities: BPF, PERFMON, SYS_PTRACE, DAC_READ_SEARCH" {
	try BPF PERFMON SYS_PTRACE DAC_READ_SEARCH
}
