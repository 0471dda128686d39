# SPDX-License-Identifier: MIT
# nm-resolve: what /proc knows of a process, and what nm-collect has seen of it.

load resolve

@test "nm-resolve: says nothing of another process with the same pid" {
	a_process
	run nm-resolve --root root \
		<<<'{"pid":4242,"start_us":86400200000,"uid":1000,"ppid":4200}'
	same "$output" '{"pid":4242,"start_us":86400200000,"uid":1000,"ppid":4200,"user":"ana"}'
	# Nor of a user with a number that no user has.
	same "$(nm-resolve --root root <<<'{"pid":4242,"start_us":1,"uid":4294968296}')" \
		'{"pid":4242,"start_us":1,"uid":4294968296}'
}

@test "nm-resolve: remembers a process that has gone meanwhile" {
	a_process
	mkfifo in
	nm-resolve --root root <in >out 3>&- &
	exec 7>in
	in_cgroup /a.service >&7
	wait_until 20 grep -q cmdline out
	rm -r root/proc
	in_cgroup /a.service >&7
	exec 7>&-
	wait $!
	same "$(jq -r .cmdline out)" \
		$'curl -H Authorization: secret\ncurl -H Authorization: secret'
}

@test "nm-resolve: reads anew what became another program" {
	a_process
	mkfifo in
	nm-resolve --root root <in >out 3>&- &
	exec 7>in
	in_cgroup /a.service >&7
	wait_until 20 grep -q curl out
	put proc/4242/cmdline < <(printf 'wget\0')
	echo '{"type":"event","event":"process_exec","pid":4242,"start_us":86400123456}' >&7
	exec 7>&-
	wait $!
	same "$(jq -r .cmdline out)" $'curl -H Authorization: secret\nwget'
}

@test "nm-resolve: command lines can be left out, and are cut at a character" {
	a_process
	put proc/4242/cmdline < <(printf 'äöü\0%0500d\0' 0)
	same "$(in_cgroup /a | nm-resolve --root root --no-cmdline |
		jq 'has("cmdline")')" false
	same "$(in_cgroup /a | nm-resolve --root root --cmdline-max 3 |
		jq -r .cmdline)" 'ä…'
	same "$(in_cgroup /a | nm-resolve --root root | jq '.cmdline |
		length')" 254
	put proc/4242/cmdline < <(printf 'x%05000d' 0)
	same "$(in_cgroup /a | nm-resolve --root root --cmdline-max 4096 |
		jq '.cmdline | length, endswith("…")' | paste -sd ' ')" '4097 true'
}

@test "nm-resolve: names itself on this machine, and nothing of another" {
	pid=$BASHPID
	start_us=$(awk '{ printf "%s0000", $22 }' "/proc/$pid/stat")
	flow="{\"type\":\"flow\",\"pid\":$pid,\"start_us\":$start_us,\"uid\":0}"
	boot=$(cat /proc/sys/kernel/random/boot_id)
	here="{\"type\":\"start\",\"host\":\"whatever\",\"boot_id\":\"$boot\"}"
	same "$(printf '%s\n' "$here" "$flow" | nm-resolve |
		jq -c 'select(.pid) | [.user, .parent != null, has("cmdline")]')" \
		'["root",true,true]'
	# Before it was booted, or another one.
	same "$(printf '%s\n' "${here/$boot/00000000-0000-0000-0000-000000000000}" \
		"$flow" | nm-resolve | jq -c 'select(.pid)')" "$flow"
}

@test "nm-resolve: a program that ended at once has not its predecessor's words" {
	a_process
	mkfifo in
	nm-resolve --root root <in >out 3>&- &
	exec 7>in
	in_cgroup /a.service >&7
	wait_until 20 grep -q curl out
	rm -r root/proc/4242
	echo '{"type":"event","event":"process_exec","pid":4242,"start_us":86400123456}' >&7
	in_cgroup /a.service >&7
	exec 7>&-
	wait $!
	same "$(jq -c '[.cmdline, .parent]' out | tail -n 2 | sort -u)" \
		'[null,null]'
}

# began EVENT CMDLINE: that the process did so, as nm-collect --cmdline tells it.
began() {
	jq -nc --arg event "$1" --arg cmdline "$2" '{v: 1, type: "event", ts_us: 1,
		$event, pid: 4242, start_us: 86400123456, uid: 1000, ppid: 4200,
		parent: "make", $cmdline}'
}

@test "nm-resolve: tells of a process that has gone what nm-collect has seen" {
	{
		began process_start 'curl -H Authorization: secret'
		in_cgroup /a
		began process_exec 'wget é'
		in_cgroup /a
		jq -c 'del(.cmdline)' < <(began process_exec '')
		in_cgroup /a
		# Another process of the same number.
		in_cgroup /a | jq -c '.start_us += 1'
	} >in
	nm-resolve --root root <in >out
	same "$(jq -c '[.type, .parent, .cmdline]' out)" \
		'["event","make","curl -H Authorization: secret"]
["flow","make","curl -H Authorization: secret"]
["event","make","wget é"]
["flow","make","wget é"]
["event","make",null]
["flow","make",null]
["flow",null,null]'
	# So it is of another machine.
	{
		echo '{"v":1,"type":"start","ts_us":1,"boot_id":"another"}'
		cat in
	} >in2
	same "$(nm-resolve <in2 | jq -c 'select(.pid) | [.parent, .cmdline]')" \
		"$(jq -c '[.parent, .cmdline]' out)"
}

@test "nm-resolve: believes /proc more, but for who the parent was" {
	a_process
	put proc/4242/cmdline < <(printf 'curl\0%0500d\0' 0)
	{
		began process_start "curl $(printf '%0251d' 0)…"
		in_cgroup /a
	} | nm-resolve --root root --cmdline-max 400 >out
	same "$(jq -r '.cmdline' out | uniq)" "curl $(printf '%0395d' 0)…"
	same "$(jq -r '.parent' out | uniq)" make
}

@test "nm-resolve: what nm-collect has seen is cut and left out as all command lines" {
	{
		began process_start 'äöü x'
		in_cgroup /a
	} >in
	same "$(nm-resolve --root root --cmdline-max 3 <in | jq -r .cmdline |
		uniq)" 'ä…'
	same "$(nm-resolve --root root --cmdline-max 8 <in | jq -r .cmdline |
		uniq)" 'äöü x'
	run -0 nm-resolve --root root --no-cmdline <in
	same "$(jq -c '[.parent, has("cmdline")]' <<<"$output" | uniq)" \
		'["make",false]'
	# Also of those that another nm-resolve has added.
	nm-resolve --root root <in >out
	same "$(grep -c cmdline out)" 2
	same "$(nm-resolve --root root <out)" "$(cat out)"
	same "$(nm-resolve --root root --no-cmdline <out | grep -c cmdline)" 0
	# What was cut stays as it is.
	nm-resolve --root root --cmdline-max 3 <in >out
	same "$(nm-resolve --root root --cmdline-max 3 <out)" "$(cat out)"
}
