# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034
# What the files of nm-resolve's tests share: `load resolve` first. The tree of
# another machine is made below root/.

load helpers

ID=4d5f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091
POD=0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir root
}

# put FILE: a file of the other machine, from standard input.
put() {
	mkdir -p "root/$(dirname "$1")"
	cat >"root/$1"
}

# in_cgroup PATH: a flow of a process there.
in_cgroup() {
	jq -nc --arg cgroup "$1" '{v: 1, type: "flow", ts_us: 1, pid: 4242,
		start_us: 86400123456, uid: 1000, ppid: 4200, $cgroup}'
}

# A process of the other machine, that started at the flow's time.
a_process() {
	put proc/4242/stat <<<'4242 (a ) name) S 4200 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 8640012 0 0'
	put proc/4242/cmdline < <(printf 'curl\0-H\0Authorization: secret\0')
	put proc/4200/comm <<<'a shell'
	put etc/passwd <<<$'root:x:0:0::/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh'
}

# placed PATH: [unit, container, container_id, pod, namespace] of it.
placed() {
	in_cgroup "$1" | nm-resolve --root root | jq -c '[.unit, .container,
		.container_id, .pod, .namespace]'
}
