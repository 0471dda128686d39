# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034
# Flows for nm-classify, and what their first bytes are: `load classify` first.

load helpers
load collect

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	started=()
}

teardown() {
	end_started
}

# flow ID PROTO PORT [FILE [FILE]]: a flow that was opened here to that port,
# with what was sent, and received, first.
flow() {
	jq -nc --arg id "$1" --arg proto "$2" --argjson port "$3" \
		--arg tx "$([ -z "${4-}" ] || base64 -w 0 <"$4")" \
		--arg rx "$([ -z "${5-}" ] || base64 -w 0 <"$5")" '{v: 1,
		type: "flow", ts_us: 1, flow: $id, $proto, dir: "out",
		laddr: "10.0.0.1", lport: 40000, raddr: "192.0.2.1",
		rport: $port, state: "open", tx_head: $tx, rx_head: $rx} |
		with_entries(select(.value != ""))'
}

# said FLOW...: [app, app_source, category, server_name] of each.
said() {
	nm-classify | jq -c '[.app, .app_source, .category, .server_name]'
}

# hello FILE OPTION...: what openssl sends first.
hello() {
	local file=$1

	shift
	in_background socat -u TCP-LISTEN:29990,bind=127.0.0.1,reuseaddr \
		"OPEN:$file,creat,trunc"
	wait_until 20 listening 29990
	timeout 20 openssl s_client -connect 127.0.0.1:29990 "$@" \
		</dev/null >/dev/null 2>&1 &
	wait_until 20 test -s "$file"
	kill $!
	wait "${started[-1]}" || true
}

# initials VERSION HELLO [FRAMES]: files packet.aa, packet.ab of a QUIC client.
initials() {
	rm -f packet.*
	quic-initial "$1" ${3+"$3"} <"$2" | split -b 1200 - packet.
}

# RFC 9001, appendix A.2: the ClientHello that is in the RFCs' sample packets.
sample_hello() {
	xxd -r -p <<-'END'
		010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47
		f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c
		652e636f6dff01000100000a00080006001d0017001800100007000504616c70
		6e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559f
		edba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d001000
		0e0403050306030203080408050806002d00020101001c000240010039003204
		08ffffffffffffffff05048000ffff07048000ffff0801100104800075300901
		100f088394c8f03e51570806048000ffff
	END
}
