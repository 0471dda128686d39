# SPDX-License-Identifier: MIT
# bats file_tags=root
# nm-collect counts to the byte, for the process that did it, in every way in
# which a process can move bytes: a test for each scenario of nm-traffic. And
# of what passed the interface meanwhile, it leaves nothing unattributed.
# One nm-collect watches most of them; NM_BACKEND chooses its backend.

load helpers
load collect
load accuracy

setup_file() {
	cannot=$(why_not)
	stream=$BATS_FILE_TMPDIR/stream
	export cannot stream collector
	[ -z "$cannot" ] || return 0
	ring
	collect "$stream" -i 0.1
}

teardown_file() {
	[ -z "$cannot" ] || return 0
	kill -KILL "$collector"
	ip netns del "$ring"
}

setup() {
	[ -z "$cannot" ] || skip "$cannot"
	cd "$BATS_TEST_TMPDIR"
	own_collector=
}

teardown() {
	[ -z "$own_collector" ] || kill -KILL "$own_collector" 2>/dev/null || true
}

# accurate SCENARIO: what nm-collect says of it is what it has moved.
accurate() {
	local from

	from=$(stat -c %s "$stream")
	traffic ledger "$1"
	an_interval_later "$stream"
	exact ledger "$stream" "$from"
	no_others "$stream" "$from"
	attributed "$stream" "$from"
}

# blind TO: skip what tp cannot see.
blind() {
	! head -n 1 "$stream" | grep -q '"backend":"tp"' ||
		skip "tp does not see $1, as nm-backends(7) says"
}

# held SCENARIO: the same for an nm-collect that starts when the scenario's
# sockets are open.
held() {
	local go status=0 traffic

	coproc exec nsenter "--net=/run/netns/$ring" nm-traffic --hold \
		--at "$at" "$1" 2>ledger.errors 3>&-
	traffic=$COPROC_PID
	exec {go}>&"${COPROC[1]}" {COPROC[1]}>&- {said}<&"${COPROC[0]}"
	IFS= read -r -t 60 -u "$said" || true
	if kill -0 "$traffic" 2>/dev/null; then
		collect own -i 0.1
		own_collector=$collector
	fi
	exec {go}>&-
	cat <&"$said" >ledger
	wait "$traffic" || status=$?
	outcome ledger "$status"
	collected own
	exact ledger own
	no_others own
	attributed own
	ticks_add_up own
}

# --- TCP through the ordinary calls ---

@test "nm-collect: tcp4, IPv4, read and write" { accurate tcp4; }
@test "nm-collect: tcp6, IPv6, send and recv" { accurate tcp6; }
@test "nm-collect: tcp-mapped, IPv4 on IPv6 sockets" { accurate tcp-mapped; }
@test "nm-collect: tcp-small, writes of 101 bytes" { accurate tcp-small; }
@test "nm-collect: tcp6-small, writes of 1 byte" { accurate tcp6-small; }
@test "nm-collect: tcp-large, writes of 99,991 bytes" { accurate tcp-large; }
@test "nm-collect: tcp-vector, writev and readv" { accurate tcp-vector; }
@test "nm-collect: tcp-peek, MSG_PEEK before each read" { accurate tcp-peek; }
@test "nm-collect: tcp6-peek, the same on IPv6" { accurate tcp6-peek; }
@test "nm-collect: tcp-waitall, MSG_WAITALL" { accurate tcp-waitall; }
@test "nm-collect: tcp-trunc, MSG_TRUNC discards" { accurate tcp-trunc; }

# --- Beginnings and ends of connections ---

@test "nm-collect: tcp-full, non-blocking: short and refused sends" { accurate tcp-full; }
@test "nm-collect: tcp6-full, the same on IPv6" { accurate tcp6-full; }
@test "nm-collect: tcp-epipe, writes to a peer that went" { accurate tcp-epipe; }
@test "nm-collect: tcp-reset, SO_LINGER 0 with unread data" { accurate tcp-reset; }
@test "nm-collect: tcp6-reset, the same on IPv6" { accurate tcp6-reset; }
@test "nm-collect: tcp-half-close, reads after SHUT_WR" { accurate tcp-half-close; }
@test "nm-collect: tcp-queue, data comes before accept" { accurate tcp-queue; }
@test "nm-collect: tcp-behind, a reader that lags behind" { accurate tcp-behind; }
@test "nm-collect: tcp-many, 101 short connections" { accurate tcp-many; }
@test "nm-collect: tcp-unused, accepted, and closed" { accurate tcp-unused; }
@test "nm-collect: tcp-reconnect, one socket, five connections" { accurate tcp-reconnect; }
@test "nm-collect: tcp-fastopen, data in the first packet" { accurate tcp-fastopen; }
@test "nm-collect: tcp6-fastopen, the same on IPv6" { accurate tcp6-fastopen; }
@test "nm-collect: tcp-urgent, MSG_OOB, received" { accurate tcp-urgent; }
@test "nm-collect: tcp-urgent-skipped, MSG_OOB, read over" { accurate tcp-urgent-skipped; }

# --- Without copying ---

@test "nm-collect: sendfile4, sendfile" { accurate sendfile4; }
@test "nm-collect: sendfile6, the same on IPv6" { accurate sendfile6; }
@test "nm-collect: vmsplice, vmsplice and splice to a socket" { accurate vmsplice; }
@test "nm-collect: splice4, splice from a socket" { accurate splice4; }
@test "nm-collect: splice6, the same on IPv6" { accurate splice6; }
@test "nm-collect: splice-turns, splice and recv by turns" { accurate splice-turns; }
@test "nm-collect: zerocopy-send4, MSG_ZEROCOPY" { accurate zerocopy-send4; }
@test "nm-collect: zerocopy-send6, the same on IPv6" { accurate zerocopy-send6; }
@test "nm-collect: zerocopy-pages4, TCP_ZEROCOPY_RECEIVE maps pages" { accurate zerocopy-pages4; }
@test "nm-collect: zerocopy-pages6, the same on IPv6" { accurate zerocopy-pages6; }
@test "nm-collect: zerocopy-copybuf, it copies what is no whole page" { accurate zerocopy-copybuf; }
@test "nm-collect: zerocopy-short, it copies a short queue" { accurate zerocopy-short; }

# --- UDP and UDP-Lite ---

@test "nm-collect: udp4, IPv4, sendto and recvfrom" { accurate udp4; }
@test "nm-collect: udp6, IPv6, sendto and recvfrom" { accurate udp6; }
@test "nm-collect: udp-mapped, IPv4 on IPv6 sockets" { accurate udp-mapped; }
@test "nm-collect: udp4-connected, connect, write, read" { accurate udp4-connected; }
@test "nm-collect: udp6-connected, the same on IPv6" { accurate udp6-connected; }
@test "nm-collect: udp4-peers, one socket serves three" { accurate udp4-peers; }
@test "nm-collect: udp6-peers, the same on IPv6" { accurate udp6-peers; }
@test "nm-collect: udp-large, datagrams of 60,013 bytes" { accurate udp-large; }
@test "nm-collect: udp4-peek, MSG_PEEK before each read" { accurate udp4-peek; }
@test "nm-collect: udp6-peek, the same on IPv6" { accurate udp6-peek; }
@test "nm-collect: udp-cut, buffers that are too short" { accurate udp-cut; }
@test "nm-collect: udp-trunc, too short, with MSG_TRUNC" { accurate udp-trunc; }
@test "nm-collect: udp-mmsg, sendmmsg and recvmmsg" { accurate udp-mmsg; }
@test "nm-collect: udp4-more, MSG_MORE" { accurate udp4-more; }
@test "nm-collect: udp6-more, the same on IPv6" { accurate udp6-more; }
@test "nm-collect: udp-cork, UDP_CORK" { accurate udp-cork; }
@test "nm-collect: udp4-gso, UDP_SEGMENT" { accurate udp4-gso; }
@test "nm-collect: udp6-gso, the same on IPv6" { accurate udp6-gso; }
@test "nm-collect: udp4-gro, UDP_SEGMENT and UDP_GRO" { accurate udp4-gro; }
@test "nm-collect: udp6-gro, the same on IPv6" { accurate udp6-gro; }
@test "nm-collect: udp-zerocopy, MSG_ZEROCOPY" { accurate udp-zerocopy; }
@test "nm-collect: udp-empty, empty datagrams in between" { accurate udp-empty; }
@test "nm-collect: udp4-sendfile, sendfile" { accurate udp4-sendfile; }
@test "nm-collect: udp6-sendfile, the same on IPv6" { accurate udp6-sendfile; }
@test "nm-collect: udp-splice, splice from a socket" { accurate udp-splice; }
@test "nm-collect: udp4-refused, reads of the error queue" { accurate udp4-refused; }
@test "nm-collect: udp6-refused, the same on IPv6" { accurate udp6-refused; }
@test "nm-collect: udp4-unread, a socket that nobody reads" { accurate udp4-unread; }
@test "nm-collect: udp6-unread, the same on IPv6" { accurate udp6-unread; }
@test "nm-collect: packet, frames by AF_PACKET" {
	! head -n 1 "$stream" | grep -q '"backend":"fexit"' ||
		grep -q ' packet_sendmsg$' /proc/kallsyms ||
		skip "packet sockets are a module here, which fexit does not see"
	accurate packet
}
@test "nm-collect: flood, 5,000 sockets, a datagram each" { accurate flood; }
@test "nm-collect: udplite4, UDP-Lite" { accurate udplite4; }
@test "nm-collect: udplite6, the same on IPv6" { accurate udplite6; }

# --- ICMP and raw sockets ---

@test "nm-collect: ping4, ICMP by a ping socket" { accurate ping4; }
@test "nm-collect: ping6, ICMPv6 by a ping socket" { accurate ping6; }
@test "nm-collect: raw-icmp4, ICMP by a raw socket" { accurate raw-icmp4; }
@test "nm-collect: raw-icmp6, ICMPv6 by a raw socket" { accurate raw-icmp6; }
@test "nm-collect: raw4, a raw protocol over IPv4" { accurate raw4; }
@test "nm-collect: raw6, a raw protocol over IPv6" { accurate raw6; }
@test "nm-collect: raw-tcp4, segments of TCP by a raw socket" {
	accurate raw-tcp4
}
@test "nm-collect: raw-tcp6, the same over IPv6" { accurate raw-tcp6; }
@test "nm-collect: raw-header, IP_HDRINCL" { accurate raw-header; }

# --- Sockets of several processes ---

@test "nm-collect: fork, a child accepts" { accurate fork; }
@test "nm-collect: inetd, the parent accepts, a child talks" { accurate inetd; }
@test "nm-collect: inherit, two processes use one socket" { accurate inherit; }
@test "nm-collect: inherit-udp, the same with UDP" { accurate inherit-udp; }
@test "nm-collect: crowd-udp, two send by one socket at once" {
	accurate crowd-udp
}
@test "nm-collect: passed, a socket passed by SCM_RIGHTS" { accurate passed; }
@test "nm-collect: dup, duplicated descriptors" { accurate dup; }

# --- Processes ---

@test "nm-collect: threads, eight threads, one of another name" { accurate threads; }
@test "nm-collect: exec, exec between two writes" { accurate exec; }
@test "nm-collect: uid, the user changes after connect" { accurate uid; }
@test "nm-collect: short, 23 processes that live 5 ms" { accurate short; }
@test "nm-collect: gone, senders gone before they are read" { accurate gone; }
@test "nm-collect: netns, another network namespace" { accurate netns; }
@test "nm-collect: pidns, another process namespace" { accurate pidns; }

# --- io_uring ---

@test "nm-collect: uring4, io_uring, send and recv" { accurate uring4; }
@test "nm-collect: uring6, the same on IPv6" { accurate uring6; }
@test "nm-collect: uring-rw, io_uring, write and read" { accurate uring-rw; }
@test "nm-collect: uring-sqpoll, a polling thread does it" { accurate uring-sqpoll; }
@test "nm-collect: uring-worker, a worker thread does it" { accurate uring-worker; }
@test "nm-collect: uring-send-zc, zero-copy send" { accurate uring-send-zc; }
@test "nm-collect: uring-multishot, multishot receive" { accurate uring-multishot; }
@test "nm-collect: uring-fixed, a socket without descriptor" { accurate uring-fixed; }
@test "nm-collect: uring-udp4, io_uring, sendmsg and recvmsg" { accurate uring-udp4; }
@test "nm-collect: uring-udp6, the same on IPv6" { accurate uring-udp6; }

# --- Layers above TCP, and other protocols ---

@test "nm-collect: mptcp4, MPTCP" { accurate mptcp4; }
@test "nm-collect: mptcp6, the same on IPv6" { accurate mptcp6; }
@test "nm-collect: mptcp-peek, MPTCP, MSG_PEEK" { accurate mptcp-peek; }
@test "nm-collect: mptcp-splice, MPTCP, sendfile and splice" {
	# Since 7.0 it has a function of its own; before, it is a recvmsg.
	! grep -qw mptcp_splice_read /proc/kallsyms || blind 'splice from MPTCP'
	accurate mptcp-splice
}
@test "nm-collect: mptcp-fallback, MPTCP to a server without it" { accurate mptcp-fallback; }
@test "nm-collect: ktls12, TLS 1.2 in the kernel" { accurate ktls12; }
@test "nm-collect: ktls13, TLS 1.3 on IPv6" { accurate ktls13; }
@test "nm-collect: ktls-sendfile, TLS 1.2, sendfile" { accurate ktls-sendfile; }
@test "nm-collect: ktls-splice, TLS 1.2, splice from a socket" {
	blind 'splice from kTLS'
	accurate ktls-splice
}
@test "nm-collect: ktls-peek, TLS 1.3, MSG_PEEK" { accurate ktls-peek; }
@test "nm-collect: sockmap-parser, read by the kernel for a stream parser" { accurate sockmap-parser; }
@test "nm-collect: sockmap-verdict, the same without a parser, on IPv6" { accurate sockmap-verdict; }
@test "nm-collect: sctp4, SCTP" { accurate sctp4; }
@test "nm-collect: sctp6, the same on IPv6" { accurate sctp6; }

# --- Sockets that were open before the start ---

@test "nm-collect: tcp4 that was open before it, connected" { held tcp4; }
@test "nm-collect: tcp6 that was open before it, connected, IPv6" { held tcp6; }
@test "nm-collect: tcp-full that was open before it, non-blocking" { held tcp-full; }
@test "nm-collect: tcp-queue that was open before it, not yet accepted" { held tcp-queue; }
@test "nm-collect: tcp-behind that was open before it, with unread data" { held tcp-behind; }
@test "nm-collect: tcp-many that was open before it, a listener" { held tcp-many; }
@test "nm-collect: splice4 that was open before it, read by splice" { held splice4; }
@test "nm-collect: zerocopy-pages4 that was open before it, read by mapping" { held zerocopy-pages4; }
@test "nm-collect: udp4 that was open before it, bound" { held udp4; }
@test "nm-collect: udp6-peers that was open before it, bound, IPv6" { held udp6-peers; }
@test "nm-collect: udp4-connected that was open before it, connected" { held udp4-connected; }
@test "nm-collect: inherit that was open before it, used by two processes" { held inherit; }
@test "nm-collect: inherit-udp that was open before it, the same with UDP" { held inherit-udp; }
@test "nm-collect: fork that was open before it, a listener" { held fork; }
@test "nm-collect: inetd that was open before it, accepted" { held inetd; }
@test "nm-collect: passed that was open before it, passed on" { held passed; }
@test "nm-collect: netns that was open before it, in another network namespace" { held netns; }
@test "nm-collect: uring-fixed that was open before it, without a descriptor" { held uring-fixed; }
@test "nm-collect: uring4 that was open before it, with an io_uring" { held uring4; }
@test "nm-collect: mptcp4 that was open before it, MPTCP" { held mptcp4; }
@test "nm-collect: ktls12 that was open before it, TLS" { held ktls12; }

# --- The whole ---

@test "nm-collect: what cannot be anybody's is told as unattributed" {
	collect own -i 0.1 --max-processes 1
	own_collector=$collector
	traffic ledger tcp4
	an_interval_later own
	collected own
	run attributed own
	[ "$status" -ne 0 ]
	grep -E 'of [0-9]{7} bytes, [0-9]{7} are unattributed' <<<"$output"
}

@test "nm-collect: the ticks' sums are those of their flows, in all of this" {
	ticks_add_up "$stream"
}

@test "nm-collect: every scenario that there is has its test" {
	same "$(sed -nE 's/^(@test .*\{ |	)accurate ([a-z0-9-]+)(; \})?$/\2/p' "$BATS_TEST_FILENAME" | sort)" \
		"$(nm-traffic list | cut -f 1 | sort)"
}
