# SPDX-License-Identifier: MIT
# nm-resolve: whom a process belongs to, and what it runs in. The trees of other
# machines are made here, below --root.

load resolve

# --- What every stage does ---

@test "nm-resolve: adds the user, the parent, the command line and the unit" {
	a_process
	run nm-resolve --root root < <(in_cgroup /system.slice/nginx.service)
	[ "$status" -eq 0 ]
	same "$output" '{"v":1,"type":"flow","ts_us":1,"pid":4242,"start_us":86400123456,"uid":1000,"ppid":4200,"cgroup":"/system.slice/nginx.service","user":"ana","parent":"a shell","cmdline":"curl -H Authorization: secret","unit":"nginx.service"}'
}

@test "nm-resolve: keeps types and keys that it does not know" {
	input='{"v":1,"type":"from_tomorrow","ts_us":1,"a":[1,{"b":null}],"c":"\u00e9"}
{"v":1,"type":"tick","ts_us":2,"later":true}'
	run nm-resolve <<<"$input"
	[ "$status" -eq 0 ]
	same "$(jq -cS . <<<"$output")" "$(jq -cS . <<<"$input")"
}

@test "nm-resolve: tells a bad line, passes the others, exits 1" {
	run --separate-stderr nm-resolve <<<'{"v":1,"ts_us":1}
not a record
{"v":1,"ts_us":2}'
	[ "$status" -eq 1 ]
	same "$output" '{"v":1,"ts_us":1}
{"v":1,"ts_us":2}'
	same "$stderr" 'nm-resolve: stdin:2: not a JSON object'
}

@test "nm-resolve: a usage error exits 2 with empty stdout" {
	run --separate-stderr nm-resolve --no-such-option <<<'{"v":1}'
	[ "$status" -eq 2 ]
	same "$output" ''
	[[ $stderr == "nm-resolve: unknown option '--no-such-option'"* ]]
}

@test "nm-resolve: empty input makes empty output" {
	run nm-resolve </dev/null
	[ "$status" -eq 0 ]
	same "$output" ''
}

@test "nm-resolve: leaves keys that were there before" {
	a_process
	run nm-resolve --root root \
		<<<'{"pid":4242,"start_us":86400123456,"uid":1000,"user":"mine"}'
	same "$(jq -r .user <<<"$output")" mine
}

# --- Places ---

@test "nm-resolve: knows a unit, container or pod by its cgroup's path" {
	under=${POD//-/_}
	user=/user.slice/user-1000.slice/user@1000.service
	while IFS=$'\t' read -r path expected; do
		[ -n "$path" ] || continue
		is=$(placed "$path" | jq -r 'map(. // "-") | join(" ")')
		[ "$is" = "$expected" ] || echo "$path: $is, not $expected"
		echo "$path" >>paths
	done >wrong <<-END
	/	- - - - -
	/init.scope	init.scope - - - -
	/system.slice/nginx.service	nginx.service - - - -
	/system.slice/system-getty.slice/getty@tty1.service	getty@tty1.service - - - -
	/system.slice	system.slice - - - -
	/user.slice/user-1000.slice/session-2.scope	session-2.scope - - - -
	$user/init.scope	init.scope - - - -
	$user/app.slice/pipewire.service	pipewire.service - - - -
	$user/app.slice/app-gnome-firefox-4242.scope	app-gnome-firefox-4242.scope - - - -
	$user/app.slice/app-flatpak-org.mozilla.firefox-4242.scope	app-flatpak-org.mozilla.firefox-4242.scope - - - -
	$user/app.slice/snap.firefox.firefox-$POD.scope	snap.firefox.firefox-$POD.scope - - - -
	/system.slice/snap.lxd.daemon.service	snap.lxd.daemon.service - - - -
	/docker/$ID	- ${ID:0:12} $ID - -
	/system.slice/docker-$ID.scope	- ${ID:0:12} $ID - -
	/system.slice/docker-$ID.scope/init.scope	init.scope ${ID:0:12} $ID - -
	/system.slice/docker-$ID.scope/system.slice/sshd.service	sshd.service ${ID:0:12} $ID - -
	/machine.slice/libpod-$ID.scope	- ${ID:0:12} $ID - -
	/machine.slice/libpod-$ID.scope/container	- ${ID:0:12} $ID - -
	/machine.slice/libpod-conmon-$ID.scope	libpod-conmon-$ID.scope - - - -
	$user/user.slice/libpod-$ID.scope/container	- ${ID:0:12} $ID - -
	/libpod_parent/libpod-$ID	- ${ID:0:12} $ID - -
	/machine.slice/machine-libpod_pod_$ID.slice/libpod-$ID.scope	- ${ID:0:12} $ID - -
	/system.slice/nerdctl-$ID.scope	- ${ID:0:12} $ID - -
	/default/$ID	- ${ID:0:12} $ID - -
	/kubepods/burstable/pod$POD/$ID	- ${ID:0:12} $ID $POD -
	/kubepods/besteffort/pod$POD/$ID	- ${ID:0:12} $ID $POD -
	/kubepods/pod$POD/$ID	- ${ID:0:12} $ID $POD -
	/kubepods/burstable/pod${POD//-/}/$ID	- ${ID:0:12} $ID ${POD//-/} -
	/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod$under.slice/cri-containerd-$ID.scope	- ${ID:0:12} $ID $POD -
	/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod$under.slice/crio-$ID.scope	- ${ID:0:12} $ID $POD -
	/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod$under.slice/crio-$ID.scope/container	- ${ID:0:12} $ID $POD -
	/kubepods.slice/kubepods-pod$under.slice/docker-$ID.scope	- ${ID:0:12} $ID $POD -
	/kubepods.slice/kubepods-pod$under.slice	- - - $POD -
	/system.slice/containerd.service/kubepods-besteffort-pod$under.slice:cri-containerd:$ID	- ${ID:0:12} $ID $POD -
	/system.slice/docker-${ID//4/5}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod$under.slice/cri-containerd-$ID.scope	- ${ID:0:12} $ID $POD -
	/lxc/web	- web - - -
	/lxc.payload.web	- web - - -
	/lxc.payload/web/system.slice/nginx.service	nginx.service web - - -
	/lxc.monitor.web	- - - - -
	/machine.slice/machine-web\\x2d1.scope	- web-1 - - -
	/machine.slice/machine-qemu\\x2d1\\x2dvm.scope	machine-qemu\\x2d1\\x2dvm.scope - - - -
	/system.slice/machine-learning.service	machine-learning.service - - - -
	/system.slice/mnt-nfs.mount	mnt-nfs.mount - - - -
	/system.slice/system-sshd.slice/sshd@0-192.0.2.1:22-198.51.100.7:51234.service	sshd@0-192.0.2.1:22-198.51.100.7:51234.service - - - -
	/system.slice/web.service/libpod-payload-$ID	web.service ${ID:0:12} $ID - -
	/my-pods.slice/my-pods-kubepods.slice/my-pods-kubepods-burstable-pod$under.slice/crio-$ID.scope	- ${ID:0:12} $ID $POD -
	/machine.slice/systemd-nspawn@web.service/payload	- web - - -
	/system.slice/docker-12345.scope	docker-12345.scope - - - -
	/system.slice/podman.service	podman.service - - - -
	/kubepods/podless	- - - - -
	END
	same "$(cat wrong)" ''
	[ "$(wc -l <paths)" -eq 50 ]
}

@test "nm-resolve: a hostile path does no harm" {
	for path in '' x/ //// "/$(printf 'a%.0s' {1..5000})" '/..slice' '/.scope' \
		'/docker-.scope' '/:::' '/a:b:c:d' '/machine-\x.scope' \
		'/machine-\x00.scope' '/lxc/' '/pod' '/-pod.slice' \
		"/$(printf 'p/%.0s' {1..400})" $'/\xff\xfe.service'; do
		in_cgroup "$path"
	done >flows
	run -0 nm-resolve --root root <flows
	same "$(jq -c .pid <<<"$output" | sort | uniq -c | tr -s ' ')" ' 16 4242'
}
