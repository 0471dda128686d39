# SPDX-License-Identifier: MIT
# nm-collect -b diag: what it sees in other network namespaces, that it keeps
# none of them alive, and what it tells of UDP.

load helpers
load diag

# sums_of NETNS: what was told of TCP there, in all.
sums_of() {
	flows "map(select(.netns == $1 and .proto == \"tcp\")) |
		[map(.tx_bytes), map(.rx_bytes)] | map(add)"
}

# sums_are_known NETNS: that is what nm-traffic knows.
sums_are_known() {
	[ "$(sums_of "$1" 2>/dev/null)" = "$(jq -cs '
		[map(.tx_bytes), map(.rx_bytes)] | map(add)' roles)" ]
}

# link_to COMMAND...: from where COMMAND runs to the last namespace. One end
# goes when the namespace of the other one does.
link_to() {
	"$@" ip link add v0 type veth peer name v1 netns "$inhabitant" ||
		skip "no veth in this kernel"
}

is_unlinked() {
	! "$@" ip link show v0 >/dev/null 2>&1
}

# is_watched NETNS: something that moves there is told.
is_watched() {
	"${inside[@]}" nm-traffic tcp4 >/dev/null
	[ "$(flows "map(select(.netns == $1)) | length" 2>/dev/null)" -gt 0 ]
}

# is_found LINES NETNS: after so many lines, a client there has its name. The
# next namespace may have the same number.
is_found() {
	tail -n "+$(($1 + 1))" stream |
		grep -q "\"comm\":\"t-cli\".*\"netns\":$2,"
}

# child_of PID: its only child.
child_of() {
	tr -d ' ' <"/proc/$1/task/$1/children"
}

# status_of PID NAME
status_of() {
	awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

# --- Seeing ---

# bats test_tags=root
@test "nm-collect -b diag: other network namespaces, to the byte" {
	need_netns
	as=("${alone[@]}")
	for scenario in tcp4 tcp6 tcp-behind; do
		hold "$scenario"
		as=()
		collect -i 0.2
		# Nothing happens for so long that nobody looks any more.
		more_ticks 4
		release
		wait_until 30 all_told
		finish
		same "$(of_roles)" "$(known)"
		as=("${alone[@]}")
	done
}

# bats test_tags=root
@test "nm-collect -b diag: netns is the one that the socket is in" {
	need_netns
	inhabit
	as=("${inside[@]}")
	hold tcp4
	as=()
	collect -i 0.2
	release
	wait_until 30 all_told
	finish
	same "$(flows "map(select(.comm // \"\" | IN(\"t-cli\", \"t-srv\"))) |
		map(.netns) | unique")" "[$(netns_of "$inhabitant")]"
	[ "$(netns_of "$inhabitant")" != "$(netns_of self)" ]
}

# bats test_tags=root
@test "nm-collect -b diag: namespaces that come later, to the byte" {
	need_netns
	collect -i 0.2
	as=("${alone[@]}")
	for scenario in tcp4 tcp6 sendfile4; do
		lines=$(wc -l <stream)
		hold "$scenario"
		wait_until 30 is_found "$lines" "$(netns_of "$traffic")"
		release
		wait_until 30 all_told
		cat roles >>all-roles
	done
	finish
	mv all-roles roles
	same "$(of_roles)" "$(known)"
}

# bats test_tags=root
@test "nm-collect -b diag: what moved before a new namespace was seen counts" {
	need_netns
	need ss
	collect -i 2
	inhabit
	"${inside[@]}" socat -u TCP-LISTEN:2000,bind=127.0.0.1 \
		OPEN:received,creat &
	started+=("$!")
	wait_until 30 is_listening 2000
	"${inside[@]}" bash -c 'exec 9<>/dev/tcp/127.0.0.1/2000
		head -c 12347 /dev/zero >&9
		until [ "$(stat -c %s received)" = 12347 ]; do sleep 0.05; done
		exec sleep 1000' &
	client=$!
	started+=("$client")
	wait_until 30 eval '[ "$(stat -c %s received 2>/dev/null)" = 12347 ]'
	# A slow machine looks more seldom.
	wait_until 60 grep -q "\"netns\":$(netns_of "$inhabitant")," stream
	more_ticks 1
	finish
	same "$(flows "map(select(.pid == $client).tx_bytes) | add")" 12347
	same "$(sums_of "$(netns_of "$inhabitant")")" '[12347,12347]'
}

# bats test_tags=root
@test "nm-collect -b diag: short connections in a namespace without a process" {
	need_netns
	inhabit
	inode=$(netns_of "$inhabitant")
	touch 'a name'
	mount --bind "/proc/$inhabitant/ns/net" 'a name' ||
		skip "namespaces cannot be mounted here"
	mounted+=("$PWD/a name")
	leave
	collect -i 2
	# All of it between two looks.
	more_ticks 1
	nsenter --net='a name' nm-traffic tcp-many >roles
	wait_until 30 sums_are_known "$inode"
	more_ticks 1
	finish
	same "$(sums_of "$inode")" "$(jq -cs \
		'[map(.tx_bytes), map(.rx_bytes)] | map(add)' roles)"
	umount 'a name'
}

# bats test_tags=root
@test "nm-collect -b diag: without CAP_SYS_ADMIN its own namespace, and says so" {
	need_netns
	as=("${alone[@]}")
	hold tcp4
	as=("${own_only[@]}")
	collect -i 0.2
	release
	more_ticks 2
	finish
	same "$(of_roles)" $'[0,0]\n[0,0]'
	same "$(flows 'map(.netns) | unique - ['"$(netns_of self)"']')" '[]'
	same "$(jq -r 'select(.code == "rights").text' stream)" \
		'what is in other network namespaces is not to be seen without CAP_SYS_ADMIN'
}

# --- Letting go ---

# bats test_tags=root
@test "nm-collect -b diag: keeps no namespace alive" {
	need_netns
	inhabit
	outside=("${inside[@]}")
	collect -i 0.1
	for i in 1 2 3 4 5; do
		inhabit
		link_to "${outside[@]}"
		wait_until 30 is_watched "$(netns_of "$inhabitant")"
		leave
		wait_until 30 is_unlinked "${outside[@]}"
		finish
		collect -i 0.1
	done
	finish
}

# bats test_tags=root
@test "nm-collect -b diag: a namespace is watched as long as it has a connection" {
	need_netns
	need ss
	self=$BASHPID
	here=$(netns_of self)
	inhabit
	outside=("${inside[@]}")
	inhabit
	inode=$(netns_of "$inhabitant")
	link_to "${outside[@]}"
	# Both sides take their socket along to where the test is. What the
	# server sends back is not read.
	"${inside[@]}" socat TCP-LISTEN:2000,bind=127.0.0.1 \
		"EXEC:nsenter -t $self -n cat,nofork" >/dev/null 2>&1 &
	server=$!
	started+=("$server")
	wait_until 30 is_listening 2000
	mkfifo gate
	"${inside[@]}" bash -c "exec 9<>/dev/tcp/127.0.0.1/2000
		exec nsenter -t $self -n bash -c '
			read -r go <gate
			head -c 12347 /dev/zero >&9
			read -r go <gate'" &
	client=$!
	started+=("$client")
	for side in "$client" "$server"; do
		wait_until 30 eval '[ "$(netns_of "$side")" = "$here" ]'
	done
	collect -i 0.1
	leave
	more_ticks 5
	echo go >gate
	wait_until 30 eval '[ "$(sums_of "$inode" 2>/dev/null)" = "[24694,12347]" ]'
	echo go >gate
	wait_until 30 is_unlinked "${outside[@]}"
	finish
	same "$(flows "map(select(.pid == $client).tx_bytes) | add")" 12347
}

# bats test_tags=root
@test "nm-collect -b diag: of the right to enter only a small process is left" {
	need_netns
	collect -i 0.1
	helper=$(child_of "$collector")
	# CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; CAP_SYS_ADMIN and CAP_NET_ADMIN
	same "$(status_of "$collector" CapPrm)" 0000000000080004
	wait_until 30 eval '[ "$(status_of "$helper" NoNewPrivs)" = 1 ]'
	same "$(status_of "$helper" CapPrm)" 0000000000201000
	same "$(status_of "$helper" CapEff)" 0000000000201000
	same "$(status_of "$helper" Uid)" 65534
	# It has nothing of the output, and ends however the collector ends.
	same "$(find "/proc/$helper/fd" -lname '*stream*')" ''
	kill -KILL "$collector"
	wait_until 30 eval '[ ! -e "/proc/$helper/stat" ] ||
		grep -q ") Z" "/proc/$helper/stat"'
}

# bats test_tags=root
@test "nm-collect -b diag: goes on where the right to enter is lost" {
	need_netns
	inhabit
	outside=("${inside[@]}")
	inhabit
	link_to "${outside[@]}"
	collect -i 0.1
	kill -KILL "$(child_of "$collector")"
	# Also what was entered before is let go.
	leave
	wait_until 30 is_unlinked "${outside[@]}"
	inhabit
	wait_until 30 grep -q '"code":"lost"' stream
	hold tcp4
	more_ticks 2
	release
	wait_until 30 all_told
	finish
	same "$(of_roles)" "$(known)"
	same "$(jq -r 'select(.code == "lost").text' stream)" \
		'not all network namespaces can be looked into: the process that enters them is gone'
}

# bats test_tags=root
@test "nm-collect -b diag: says it if there are more namespaces than descriptors" {
	need_netns
	as=(prlimit --nofile=32:32)
	need prlimit
	collect -i 0.1
	for i in 1 2 3 4 5 6 7 8; do
		inhabit
	done
	wait_until 30 grep -q '"code":"lost"' stream
	more_ticks 3
	finish
	same "$(jq -r 'select(.code == "lost").text' stream)" \
		'not all network namespaces can be looked into: Too many open files'
}
