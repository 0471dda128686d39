# SPDX-License-Identifier: MIT
# nm-resolve: whom a process belongs to, and what it runs in. The trees of other
# machines are made here, below --root.

load helpers
load resolve

ID=4d5f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091
POD=0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir root
}

# placed PATH: [unit, container, container_id, pod, namespace] of it.
placed() {
	in_cgroup "$1" | nm-resolve --root root | jq -c '[.unit, .container,
		.container_id, .pod, .namespace]'
}

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

@test "nm-resolve: Docker's own file names a container" {
	put "var/lib/docker/containers/$ID/config.v2.json" \
		<<<'{"State":{"Running":true},"Name":"/web"}'
	same "$(placed "/system.slice/docker-$ID.scope")" \
		"[null,\"web\",\"$ID\",null,null]"
}

@test "nm-resolve: Podman's lists name a container, of root and of a user" {
	put var/lib/containers/storage/overlay-containers/containers.json \
		<<<"[{\"id\":\"${ID//4/5}\",\"names\":[\"db\"]},{\"id\":\"$ID\",\"names\":[\"web\",\"other\"]}]"
	same "$(placed "/machine.slice/libpod-$ID.scope")" \
		"[null,\"web\",\"$ID\",null,null]"
	rm -r root/var
	put home/ana/.local/share/containers/storage/vfs-containers/volatile-containers.json \
		<<<"[{\"id\":\"$ID\",\"names\":[\"once\"]}]"
	same "$(placed "/user.slice/user-1000.slice/libpod-$ID.scope/container")" \
		"[null,\"once\",\"$ID\",null,null]"
	# Nobody else's list is believed.
	same "$(placed "/machine.slice/libpod-$ID.scope")" \
		"[null,\"${ID:0:12}\",\"$ID\",null,null]"
	need_root
	chown 1001 root/home/ana/.local/share/containers/storage/*/*
	same "$(placed "/user.slice/user-1000.slice/libpod-$ID.scope")" \
		"[null,\"${ID:0:12}\",\"$ID\",null,null]"
}

@test "nm-resolve: a state file that is a pipe holds nothing up" {
	mkdir -p root/home/eve/.local/share/containers/storage/vfs-containers
	mkfifo root/home/eve/.local/share/containers/storage/vfs-containers/containers.json
	in_cgroup "/user.slice/user-1000.slice/libpod-$ID.scope" >flow
	run -0 timeout 20 nm-resolve --root root <flow
	same "$(jq -r .container <<<"$output")" "${ID:0:12}"
}

@test "nm-resolve: a name that comes late is found" {
	mkfifo in
	nm-resolve --root root <in >out 3>&- &
	exec 7>in
	in_cgroup "/docker/$ID" >&7
	wait_until 20 grep -q container out
	put "var/lib/docker/containers/$ID/config.v2.json" <<<'{"Name":"/web"}'
	in_cgroup "/docker/$ID" | jq -c '.ts_us = 2000000' >&7
	exec 7>&-
	wait $!
	same "$(jq -r .container out)" "${ID:0:12}"$'\nweb'
}

@test "nm-resolve: the kubelet's folders of logs name pod, namespace and container" {
	mkdir -p "root/var/log/pods/shop_web-7c9f_$POD" root/var/log/containers
	ln -s nowhere "root/var/log/containers/web-7c9f_shop_nginx-$ID.log"
	same "$(placed "/kubepods/burstable/pod$POD/$ID")" \
		"[null,\"nginx\",\"$ID\",\"web-7c9f\",\"shop\"]"
}

# annotated FILE JSON: what an engine told the runtime, as it lies there.
annotated() {
	jq -n --argjson annotations "$2" '{ociVersion: "1.1.0",
		process: {args: ["nginx"], cwd: "/"}, root: {path: "rootfs"},
		hostname: "web", $annotations,
		linux: {namespaces: [{type: "pid"}]}}' | put "$1"
}

# Where an engine keeps that.
containerd=run/containerd/io.containerd.runtime.v2.task
crio=run/containers/storage/overlay-containers

@test "nm-resolve: what containerd tells the runtime names pod and container" {
	need_root
	for base in "$containerd" "${containerd/run/run/k3s}"; do
		annotated "$base/k8s.io/$ID/config.json" '{
			"io.kubernetes.cri.container-type": "container",
			"io.kubernetes.cri.container-name": "nginx",
			"io.kubernetes.cri.sandbox-id": "63060edc2d3a",
			"io.kubernetes.cri.sandbox-name": "web-7c9f",
			"io.kubernetes.cri.sandbox-namespace": "shop"}'
		same "$(placed "/kubepods/burstable/pod$POD/$ID")" \
			"[null,\"nginx\",\"$ID\",\"web-7c9f\",\"shop\"]"
		# What the kubelet's folders say stays.
		mkdir -p "root/var/log/pods/store_db-0_$POD"
		same "$(placed "/kubepods/burstable/pod$POD/cri-containerd-$ID")" \
			"[null,\"nginx\",\"$ID\",\"db-0\",\"store\"]"
		rm -r root/run root/var
	done
}

@test "nm-resolve: what CRI-O tells the runtime names pod and container" {
	need_root
	annotated "$crio/$ID/userdata/config.json" '{
		"io.container.manager": "cri-o",
		"io.kubernetes.cri-o.ContainerType": "container",
		"io.kubernetes.cri-o.Name": "k8s_nginx_web-7c9f_shop_uid_0",
		"io.kubernetes.container.name": "nginx",
		"io.kubernetes.pod.name": "web-7c9f",
		"io.kubernetes.pod.namespace": "shop"}'
	same "$(placed "/kubepods.slice/kubepods-pod${POD//-/_}.slice/crio-$ID.scope")" \
		"[null,\"nginx\",\"$ID\",\"web-7c9f\",\"shop\"]"
}

@test "nm-resolve: what nerdctl tells the runtime names a container" {
	need_root
	annotated "$containerd/default/$ID/config.json" '{
		"nerdctl/namespace": "default", "nerdctl/name": "web",
		"nerdctl/hostname": "4d5f6a7b8c9d"}'
	for path in "/system.slice/nerdctl-$ID.scope" "/default/$ID"; do
		same "$(placed "$path")" "[null,\"web\",\"$ID\",null,null]"
	done
}

@test "nm-resolve: what a runtime is told is root's to write, and need not be right" {
	need_root
	annotated "$containerd/default/$ID/config.json" '{"nerdctl/name": "web"}'
	chown 1000 "root/$containerd/default/$ID/config.json"
	mkdir -p "root/$containerd/"{a,b,c,d,e}"/$ID"
	echo '{"annotations":{"nerdctl/name":' | put "$containerd/a/$ID/config.json"
	echo '{"annotations":["nerdctl/name"]}' | put "$containerd/b/$ID/config.json"
	echo '{"annotations":{"nerdctl/name":7}}' | put "$containerd/c/$ID/config.json"
	annotated "$containerd/d/$ID/config.json" '{"nerdctl/name": "large"}'
	printf '%17000000s' '' >>"root/$containerd/d/$ID/config.json"
	mkfifo "root/$containerd/e/$ID/config.json"
	in_cgroup "/default/$ID" >flow
	run -0 timeout 20 nm-resolve --root root <flow
	same "$(jq -r .container <<<"$output")" "${ID:0:12}"
	# The others do not hide the one that is right.
	annotated "$containerd/f/$ID/config.json" '{"nerdctl/name": "web"}'
	same "$(placed "/default/$ID")" "[null,\"web\",\"$ID\",null,null]"
}

@test "nm-resolve: a state file that is broken leaves the short id" {
	put "var/lib/docker/containers/$ID/config.v2.json" <<<'{"Name":'
	put var/lib/containers/storage/overlay-containers/containers.json \
		<<<'{"not":"a list"}'
	same "$(placed "/docker/$ID")" "[null,\"${ID:0:12}\",\"$ID\",null,null]"
	same "$(placed "/libpod-$ID")" "[null,\"${ID:0:12}\",\"$ID\",null,null]"
}
