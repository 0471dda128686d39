# SPDX-License-Identifier: MIT
# Runs nm-collect in the background of a test: `load collect`, after helpers.
# NM_BACKEND chooses the backend.

# exact_backend: skip where only counters of the kernel are to be had.
exact_backend() {
	need_root
	nm-collect --probe | grep -qE "^${NM_BACKEND:-(fexit|tp)} +yes" ||
		skip "${NM_BACKEND:-fexit or tp} does not work here"
}

# collect STREAM [OPTION]...: nm-collect in the background, its process id in
# $collector; returns when it counts. With a $ring (accuracy.bash), on it.
collect() {
	local stream=$1

	shift
	${ring:+nsenter "--net=/run/netns/$ring"} nm-collect ${NM_BACKEND:+-b "$NM_BACKEND"} "$@" >"$stream" \
		2>"$stream.errors" 3>&- &
	collector=$!
	started+=("$collector")
	if ! wait_until 60 grep -q '"type":"start"' "$stream"; then
		cat "$stream.errors" >&2
		return 1
	fi
}

# collected STREAM: end the collector in order; it writes what it still has.
collected() {
	local status=0

	kill -TERM "$collector"
	wait "$collector" || status=$?
	cat "$1.errors" >&2
	[ "$status" -eq 0 ]
}

# in_background COMMAND...: run it until the test ends; its pid in $started.
in_background() {
	"$@" 3>&- &
	started+=("$!")
}

# end_started: what the test has left running, for teardown.
end_started() {
	local pid

	for pid in ${started[@]+"${started[@]}"}; do
		{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
	done
}

# serve BYTES: an HTTP server on $port whose every answer has a body of that
# size, behind a head of 19 bytes.
serve() {
	port=$((20000 + RANDOM % 10000))
	head -c "$1" /dev/zero >body
	cat >answer <<-'END'
		#!/bin/bash
		while read -r line && [ "$line" != $'\r' ]; do :; done
		printf 'HTTP/1.0 200 OK\r\n\r\n'
		cat body
	END
	chmod +x answer
	in_background socat \
		"TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr,backlog=128" \
		EXEC:./answer
	wait_until 30 listening "$port"
}

listening() {
	ss -Hltn "sport = :$1" | grep -q .
}

# of_comm NAME FILTER: what jq's filter says of a program's flows with $port,
# as a list.
of_comm() {
	jq -s --arg comm "$1" --argjson port "$port" \
		"map(select(.type == \"flow\" and .comm == \$comm and
			.rport == \$port)) | $2" stream
}
