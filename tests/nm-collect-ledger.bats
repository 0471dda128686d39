# SPDX-License-Identifier: MIT
# bats file_tags=root
# The ledger: whose the bytes of the interfaces were. In network namespaces
# where nothing else moves, so that every byte is known.

load helpers
load collect
load accuracy
load cable

setup() {
	server=
	cable_setup
}

teardown() {
	[ -z "$server" ] || nfs_stop
	cable_teardown
}

# --- Whose it is ---

@test "nm-collect: the ledger closes, and processes have it all, of TCP" {
	cable a b
	before=$(counted)
	watch_left
	to_right -n 20M
	an_interval_later stream
	collected stream
	closes stream
	all_of named "$before"
	next_to_none no_socket
	same "$(of_ledger stream unattributed)" 0
}

# A server in the left namespace takes its time to accept what 20 others send.
late_server() {
	in_background nsenter --net="/run/netns/$left" perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "10.93.0.1",
			LocalPort => 5201, Listen => 64) or die $!;
		sleep 3;
		for (1 .. 20) {
			my $c = $s->accept or die $!;
			read $c, my $data, 1000;
			print $c "1";
			push @open, $c;
		}
		sleep 60'
	wait_until 20 iperf_listens "$left"
	in_space "$right" perl -MIO::Socket::INET -e '
		for (1 .. 20) {
			my $c = IO::Socket::INET->new("10.93.0.1:5201") or die $!;
			$c->autoflush;
			print $c "1" x 1000;
			push @open, $c;
		}
		for (@open) {
			read $_, my $data, 1 or die;
		}'
}

@test "nm-collect: what a connection sends before it is accepted waits for that" {
	need perl
	cable a b
	before=$(counted)
	watch_left
	late_server
	an_interval_later stream
	kill -TERM "${started[-1]}"
	an_interval_later stream
	collected stream
	closes stream
	same "$(of_ledger stream surplus)" 0
	same "$(of_ledger stream unattributed)" 0
	same "$(lines stream nic_)" "$(moved "$before")"
	# But for last acknowledgements.
	jq -en "($(moved "$before")) as \$moved | $(lines stream nic_named_) as \$told |
		[range(2) | \$moved[.] - \$told[.]] |
		all(. >= 0 and . <= 20 * 2 * 52)"
}

@test "nm-collect: the ledger closes, and processes have it all, of UDP" {
	cable a b
	before=$(counted)
	watch_left
	to_right -u -b 100M -n 5M -l 1472
	an_interval_later stream
	collected stream
	closes stream
	all_of named "$before"
	next_to_none no_socket
	same "$(of_ledger stream unattributed)" 0
}

@test "nm-collect: what is on its way at an interval's end is no surplus" {
	cable a b
	before=$(counted)
	watch_left
	to_right -t 5
	an_interval_later stream
	collected stream
	closes stream
	all_of named "$before"
	# Not a packet or two at each of 25 ends.
	[ "$(of_ledger stream surplus)" -lt 4500 ]
	[ "$(of_ledger stream no_socket)" -lt 4500 ]
}

# shower: a thousand datagrams of 1000 bytes from left to right.
shower() {
	in_space "$left" socat -u -b 1000 OPEN:/dev/zero,readbytes=1000000 \
		UDP-SENDTO:10.93.0.2:9000
}

@test "nm-collect: what an interface never had is the surplus" {
	need socat
	cable a b
	tc -n "$left" qdisc add dev e0 root netem loss 50% 2>/dev/null ||
		skip "no netem in this kernel"
	before=$(counted)
	in_background nsenter --net="/run/netns/$right" socat -u \
		UDP-RECV:9000 /dev/null
	watch_left
	for ((i = 0; i < 4; i++)); do
		shower
		an_interval_later stream
	done
	collected stream
	closes stream
	same "$(lines stream nic_named_)" "[$((4 * 1000 * 1028)),0]"
	# Of the last, it cannot be known yet.
	jq -en "(4 * 1000 * 1028 - ($(moved "$before"))[0]) as \$lost |
		($(lines stream nic_surplus_))[0] as \$surplus |
		\$surplus <= \$lost and \$surplus > 0.6 * \$lost"
}

@test "nm-collect: what the kernel answers by itself has no socket" {
	need ping
	cable a b
	watch_left
	in_space "$right" ping -q -c 5 -i 0.2 -s 1000 10.93.0.1 >/dev/null
	an_interval_later stream
	collected stream
	closes stream
	# 1000 bytes, 8 of ICMP, 20 of IP, there and back.
	same "$(of_ledger stream no_socket)" $((5 * 2 * 1028))
	same "$(of_ledger stream named)" 0
}

@test "nm-collect: what passes through is told as forwarded" {
	cable a b
	third=nm-c-$$
	space "$third"
	ip -n "$left" link add e1 mtu 1500 type veth peer name e0 netns "$third"
	end "$left" e1 10.94.0.1 02:00:00:00:00:03
	end "$third" e0 10.94.0.2 02:00:00:00:00:04
	ip -n "$left" neighbour add 10.94.0.2 lladdr 02:00:00:00:00:04 dev e1
	ip -n "$third" neighbour add 10.94.0.1 lladdr 02:00:00:00:00:03 dev e0
	in_space "$left" sysctl -qw net.ipv4.ip_forward=1
	ip -n "$right" route add default via 10.93.0.1
	ip -n "$third" route add default via 10.94.0.1
	before=$(counted)
	watch_left
	transfer "$right" "$third" 10.94.0.2 20000000
	# Each packet came in by one interface and went out by the other.
	passed=$(moved "$before")
	echo "passed $passed, forwarded $(lines stream nic_forwarded_)," \
		"no socket $(lines stream nic_no_socket_)"
	jq -en "($passed | add) as \$passed | $(lines stream nic_forwarded_) |
		all(. <= \$passed and . > 0.999 * \$passed) and
		\$passed > 20000000"
	same "$(of_ledger stream named)" 0
	same "$(of_ledger stream unattributed)" 0
}

@test "nm-collect: frames of a packet socket are their sender's" {
	cable a b
	[ "${NM_BACKEND-}" != fexit ] ||
		grep -q ' packet_sendmsg$' /proc/kallsyms ||
		skip "packet sockets are a module here, which fexit does not see"
	need arping
	watch_left
	in_space "$left" arping -q -c 3 -w 2 -I e0 10.93.0.2 || true
	an_interval_later stream
	collected stream
	closes stream
	grep '}$' stream | jq -e -s 'any(.type == "flow" and .comm == "arping"
		and .proto == "packet" and .tx_packets >= 1)'
}

# --- Trouble ---

@test "nm-collect: counters that cannot be read are read the next time" {
	need strace
	cable a b
	before=$(counted)
	# The first two questions are asked before the first interval.
	watch_left strace -D -o trace -e trace=sendto \
		-e inject=sendto:error=ENOBUFS:when=6..8
	to_right -t 4
	an_interval_later stream
	collected stream
	same "$(grep -c 'INJECTED' trace)" 3
	same "$(grep '"type":"tick"' stream | grep -vc nic_tx_bytes)" 3
	same "$(grep -c '"notice".*"wire".*No buffer space' stream)" 1
	closes stream
	all_of named "$before"
}

# --- NFS: the kernel's own sockets ---

# nfs_start SPACE ADDRESS: a server there, with a mount namespace of its own in
# which it keeps its state, and the directory `exported`.
nfs_start() {
	mkdir exported
	in_background nsenter --net="/run/netns/$1" unshare -m sleep infinity
	server=${started[-1]}
	wait_until 20 another_mnt_ns
	in_server mount -t tmpfs exported "$PWD/exported"
	in_server mount -t tmpfs state /var/lib/nfs
	in_server mkdir /var/lib/nfs/v4recovery
	in_server touch /var/lib/nfs/etab /var/lib/nfs/rmtab
	in_server mount -t nfsd nfsd /proc/fs/nfsd
	in_background nsenter -t "$server" --net --mount \
		rpc.mountd -F -N 3 >mountd 2>&1
	in_server exportfs -o rw,no_root_squash,no_subtree_check,fsid=0 \
		"10.93.0.0/24:$PWD/exported"
	# It waits so long for clients that it has had before.
	in_server rpc.nfsd -N 3 -V 4 -G 10 -L 10 --host "$2" 2
}

in_server() {
	nsenter -t "$server" --net --mount "$@"
}

another_mnt_ns() {
	[ "$(readlink "/proc/$server/ns/mnt")" != \
		"$(readlink /proc/self/ns/mnt)" ]
}

nfs_stop() {
	! mountpoint -q mounted || umount -l mounted
	in_server rpc.nfsd 0
}

# nfs CLIENT SERVER ADDRESS: the left one's ledger of a file that is written
# and read. It has all as the kernel's, be it the client's or the server's.
nfs() {
	[ -n "${NM_GUEST-}" ] || skip "a server in the kernel: only in a guest"
	need mount.nfs rpc.nfsd rpc.mountd exportfs
	modprobe -a nfsd nfsv4 2>error || skip "no NFS in this kernel"
	mkdir -p /var/lib/nfs
	touch /etc/exports
	nfs_start "$2" "$3"
	before=$(counted)
	watch_left
	mkdir mounted
	in_space "$1" mount -t nfs -o vers=4.2,proto=tcp,port=2049,sec=sys \
		"$3:/" mounted
	dd if=/dev/zero of=mounted/file bs=50000 count=100 conv=fsync
	dd if=mounted/file of=/dev/null bs=50000 iflag=direct
	umount mounted
	an_interval_later stream
	collected stream
	closes stream
	same "$(of_ledger stream named)" 0
	same "$(of_ledger stream unattributed)" 0
	jq -en "$(lines stream nic_kernel_) | all(. > 5000000)"
	grep '}$' stream | jq -e -s --argjson netns "$netns" 'any(.pid == 0 and
		.netns == $netns and .tx_bytes > 0 and .rx_bytes > 0)'
}

@test "nm-collect: NFS is the kernel's, at the client" {
	cable a b
	nfs "$left" "$right" 10.93.0.2
	all_of kernel "$before"
}

@test "nm-collect: what nobody has taken for ten seconds is told as unattributed" {
	need perl socat
	cable a b
	watch_left
	nsenter --net="/run/netns/$left" perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "10.93.0.1",
			LocalPort => 4711, Proto => "udp") or die $!;
		$SIG{USR1} = sub { close $s };
		sleep 60 while 1' 3>&- &
	holder=$! started+=("$!")
	wait_until 10 in_space "$left" bash -c \
		'ss -Hlun sport = 4711 | grep -q .'
	for i in {1..5}; do
		in_space "$right" socat -u - UDP-SENDTO:10.93.0.1:4711 <<<0123456789
	done
	told() {
		[ "$(of_ledger stream unattributed)" = $((5 * 39)) ]
	}
	sleep 8
	same "$(of_ledger stream unattributed)" 0
	wait_until 20 told
	# It is its holder's after all, who closes it.
	kill -USR1 "$holder"
	an_interval_later stream
	collected stream
	closes stream
	same "$(lines stream nic_named_)" "[0,$((5 * 39))]"
}

@test "nm-collect: NFS is the kernel's, at the server" {
	cable a b
	nfs "$right" "$left" 10.93.0.1
	has_all kernel "$before"
}
