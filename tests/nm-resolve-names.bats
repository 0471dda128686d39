# SPDX-License-Identifier: MIT
# nm-resolve: what engines wrote down of their containers and pods, and who is
# believed.

load resolve

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
	owner=$EUID
	[ "$EUID" -ne 0 ] || owner=1000
	chown "$owner" root/home/ana/.local/share/containers/storage/*/*
	slice=/user.slice/user-$owner.slice
	same "$(placed "$slice/libpod-$ID.scope/container")" \
		"[null,\"once\",\"$ID\",null,null]"
	# Nobody else's list is believed, nor is it for who says to be somebody.
	unknown="[null,\"${ID:0:12}\",\"$ID\",null,null]"
	same "$(placed "/machine.slice/libpod-$ID.scope")" "$unknown"
	for other in /user.slice/user-4.slice "/user.slice/user-4.slice$slice"; do
		same "$(placed "$other/libpod-$ID.scope")" "$unknown"
	done
	need_root
	for owner in 0 1001; do
		chown "$owner" root/home/ana/.local/share/containers/storage/*/*
		same "$(placed "$slice/libpod-$ID.scope")" "$unknown"
	done
}

# a_list BYTES: Podman's of user 1000, so long, for many places of that user:
# what the last one is called, which is in it.
a_list() {
	local list=root/home/eve/.local/share/containers/storage/vfs-containers

	mkdir -p "$list"
	perl -e '$n = shift; $more = "{}," x (($n - 99) / 3);
		printf "[%s{\"id\":\"%s\",\"names\":[\"%s\"]}]", $more, @ARGV' \
		"$1" "$ID" found >"$list/containers.json"
	chown 1000 "$list/containers.json"
	for i in {100..199}; do
		in_cgroup "/user.slice/user-1000.slice/libpod-${ID:3}$i.scope"
	done >flows
	in_cgroup "/user.slice/user-1000.slice/libpod-$ID.scope" >>flows
	timeout 20 nm-resolve --root root <flows | tail -n 1 | jq -r .container
}

@test "nm-resolve: a user's list that is too large is not read" {
	need_root
	need perl
	(
		# KiB; jansson would take a hundred times the file. The address
		# sanitizer takes all that there is.
		grep -q __asan_init "$(command -v nm-resolve)" ||
			ulimit -v 300000
		a_list 12000000 >out
	)
	same "$(cat out)" "${ID:0:12}"
	a_list 262143 >out
	same "$(cat out)" found
}

@test "nm-resolve: a user's list is read once until it changes" {
	need_root
	need perl strace
	# Which does not work under strace.
	export ASAN_OPTIONS=detect_leaks=0
	a_list 100000 >out
	same "$(cat out)" found
	strace -qq -o calls -e trace=read -P "$PWD/root/home/eve/.local/share/containers/storage/vfs-containers/containers.json" \
		nm-resolve --root root <flows >out
	[ "$(wc -l <calls)" -le 3 ]
	# Another one is read, but not for ever.
	mkfifo in
	list=$(echo root/home/eve/.local/share/containers/storage/*/*)
	nm-resolve --root root <in >out 3>&- &
	exec 7>in
	for i in {100..140}; do
		in_cgroup "/user.slice/user-1000.slice/libpod-${ID:3}$i.scope" >&7
		wait_until 20 grep -q "${ID:3}$i\"" out
		touch "$list"
	done
	in_cgroup "/user.slice/user-1000.slice/libpod-$ID.scope" >&7
	wait_until 20 grep -q "\"$ID\"" out
	same "$(tail -n 1 out | jq -r .container)" "${ID:0:12}"
	# A minute later it is.
	in_cgroup "/user.slice/user-1000.slice/libpod-$ID.scope" |
		jq -c '.ts_us = 61000000' >&7
	exec 7>&-
	wait $!
	same "$(tail -n 1 out | jq -r .container)" found
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

@test "nm-resolve: below a user's slice, what root wrote is not believed" {
	need_root
	put "var/lib/docker/containers/$ID/config.v2.json" <<<'{"Name":"/payroll-db"}'
	put var/lib/containers/storage/overlay-containers/containers.json \
		<<<"[{\"id\":\"$ID\",\"names\":[\"payroll-db\"]}]"
	mkdir -p "root/var/log/pods/kube-system_dns_$POD" root/var/log/containers
	ln -s nowhere "root/var/log/containers/dns_kube-system_payroll-db-$ID.log"
	annotated "$containerd/k8s.io/$ID/config.json" '{
		"nerdctl/name": "payroll-db",
		"io.kubernetes.cri.container-name": "payroll-db",
		"io.kubernetes.cri.sandbox-name": "dns",
		"io.kubernetes.cri.sandbox-namespace": "kube-system"}'
	for slice in user-1000 user-1000.slice/user-0 user-1000.slice/user-x; do
		for end in "docker/$ID" "docker-$ID.scope" "libpod-$ID.scope" \
			"crio-$ID.scope" "cri-containerd-$ID.scope" \
			"nerdctl-$ID.scope" "x/$ID"; do
			same "$(placed "/user.slice/$slice.slice/$end")" \
				"[null,\"${ID:0:12}\",\"$ID\",null,null]"
		done
		same "$(placed "/user.slice/$slice.slice/kubepods/pod$POD/$ID")" \
			"[null,\"${ID:0:12}\",\"$ID\",\"$POD\",null]"
	done
	# A session in a container is in no slice of ours.
	same "$(placed "/docker/$ID/user.slice/user-1000.slice/session-1.scope")" \
		"[\"session-1.scope\",\"payroll-db\",\"$ID\",null,null]"
}

@test "nm-resolve: an engine's words count only where that engine writes" {
	need_root
	crio_path="/kubepods.slice/kubepods-pod${POD//-/_}.slice/crio-$ID.scope"
	unknown="[null,\"${ID:0:12}\",\"$ID\",\"$POD\",null]"
	annotated "$crio/$ID/userdata/config.json" '{
		"nerdctl/name": "forged",
		"io.kubernetes.cri.container-name": "forged",
		"io.kubernetes.cri.sandbox-name": "forged",
		"io.kubernetes.cri.sandbox-namespace": "kube-system",
		"io.kubernetes.container.name": "nginx",
		"io.kubernetes.pod.name": "web-7c9f",
		"io.kubernetes.pod.namespace": "shop"}'
	same "$(placed "$crio_path")" \
		"[null,\"nginx\",\"$ID\",\"web-7c9f\",\"shop\"]"
	# Podman's containers have files there, and what annotations one likes.
	same "$(placed "/machine.slice/libpod-$ID.scope")" \
		"[null,\"${ID:0:12}\",\"$ID\",null,null]"
	rm -r root/run
	annotated "$containerd/k8s.io/$ID/config.json" '{
		"nerdctl/name": "forged",
		"io.kubernetes.container.name": "forged",
		"io.kubernetes.pod.name": "forged",
		"io.kubernetes.pod.namespace": "kube-system"}'
	same "$(placed "/kubepods/pod$POD/$ID")" "$unknown"
	rm -r root/run
	annotated "$containerd/default/$ID/config.json" '{
		"io.kubernetes.cri.sandbox-name": "forged",
		"io.kubernetes.cri.sandbox-namespace": "kube-system",
		"nerdctl/name": "web"}'
	same "$(placed "/default/$ID")" "[null,\"web\",\"$ID\",null,null]"
}

@test "nm-resolve: a state file that is broken leaves the short id" {
	put "var/lib/docker/containers/$ID/config.v2.json" <<<'{"Name":'
	put var/lib/containers/storage/overlay-containers/containers.json \
		<<<'{"not":"a list"}'
	same "$(placed "/docker/$ID")" "[null,\"${ID:0:12}\",\"$ID\",null,null]"
	same "$(placed "/libpod-$ID")" "[null,\"${ID:0:12}\",\"$ID\",null,null]"
}
