# SPDX-License-Identifier: MIT
# Makes another machine's files, below root, for nm-resolve: `load resolve`,
# after helpers.

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
