# SPDX-License-Identifier: MIT
# bats file_tags=root
# nm-collect misses nobody: hundreds of short processes of a real program, and
# more flows than there is room for. NM_BACKEND chooses the backend.

load helpers
load collect
load accuracy

setup() {
	cannot=$(why_not)
	[ -z "$cannot" ] || skip "$cannot"
	cd "$BATS_TEST_TMPDIR"
	collector= server=
}

teardown() {
	local pid

	for pid in $collector $server; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# serve: nginx in the foreground of a process of ours, $server, on $port.
serve() {
	need nginx curl
	port=$((20000 + RANDOM % 12000))
	mkdir www
	head -c 100000 /dev/zero >www/file
	cat >nginx.conf <<-CONF
		daemon off;
		master_process off;
		worker_processes 1;
		user root;
		pid $PWD/nginx.pid;
		error_log $PWD/nginx.errors;
		events { worker_connections 1024; }
		http {
			access_log off;
			client_body_temp_path $PWD/body;
			proxy_temp_path $PWD/proxy;
			fastcgi_temp_path $PWD/fastcgi;
			uwsgi_temp_path $PWD/uwsgi;
			scgi_temp_path $PWD/scgi;
			server {
				listen 127.0.0.1:$port backlog=1024;
				root $PWD/www;
			}
		}
	CONF
	nginx -p "$PWD" -c "$PWD/nginx.conf" 2>nginx.start 3>&- &
	server=$!
	wait_until 30 answers || { cat nginx.start >&2; return 1; }
}

answers() {
	curl -s -o /dev/null "http://127.0.0.1:$port/file"
}

# download COUNT ';' or '&': one after the other, or all at the same time. What
# each says that it sent and received is in said.*, behind its process id.
download() {
	bash -c "for ((i = 0; i < $1; i++)); do
		(echo -n \"\$BASHPID \"; exec curl -s -o /dev/null -w \
			'%{size_request} %{size_header} %{size_download}\n' \
			http://127.0.0.1:$port/file) >said.\$i $2
	done; wait" 3>&-
}

# downloads_are_exact COUNT: as many processes named curl as there were, each
# with the bytes that it says itself, headers and all.
downloads_are_exact() {
	same "$(cat said.* | wc -l)" "$1"
	same "$(jq -nr '[inputs | select(.type == "flow" and .comm == "curl")] |
			group_by(.pid)[] |
			"\(.[0].pid) \(map(.tx_bytes) | add) \(map(.rx_bytes) | add)"
		' stream | sort)" \
		"$(awk '{ print $1, $2, $3 + $4 }' said.* | sort)"
	# 100,000 bytes and a header, each time.
	same "$(awk '$4 == 100000 && $3 > 0' said.* | wc -l)" "$1"
	# The server's side of the same bytes, and nobody's besides.
	same "$(jq -n --argjson port "$port" 'reduce (inputs |
			select(.type == "flow" and .lport == $port)) as $f
			({}; .tx += $f.tx_bytes | .rx += $f.rx_bytes)' stream)" \
		"$(cat said.* | jq -nR '[inputs | split(" ") | map(tonumber)] |
			{ tx: (map(.[2] + .[3]) | add), rx: (map(.[1]) | add) }')"
	same "$(jq -r 'select(.type == "tick" and
		(.unattributed_rx_bytes or .lost_flows or .lost_processes))
		' stream)" ''
	ticks_add_up stream
}

@test "nm-collect: 300 downloads one after the other, 300 names, each to the byte" {
	serve
	collect stream -i 0.2
	download 300 ';'
	collected stream
	downloads_are_exact 300
}

@test "nm-collect: 200 downloads at the same time, 200 names, each to the byte" {
	serve
	collect stream -i 0.2
	download 200 '&'
	collected stream
	downloads_are_exact 200
}

# swept COUNT: so many processes have been removed from the kernel's map.
swept() {
	awk -v least="$1" '/ended processes swept/ { sum += $3 }
		END { exit sum < least }' stream.errors
}

@test "nm-collect: in a long interval more processes come and go than there is room for" {
	serve
	collect stream -vv -i 3600 --max-processes 160
	download 151 ';'
	wait_until 60 swept 151
	cat said.* >said
	download 149 ';'
	rm said.149 said.150
	mv said said.before
	collected stream
	downloads_are_exact 300
}

@test "nm-collect: 5,000 flows and room for 1,024: the detail is lost, no byte is" {
	collect stream -i 60 --max-flows 1024
	traffic ledger flood
	collected stream
	exact ledger stream
	ticks_add_up stream
	# What has no flow is what the ticks say has none.
	same "$(jq -nc '[inputs | select(.type == "flow" and (has("flow") | not))] |
			[(map(.tx_bytes) | add), (map(.rx_bytes) | add)]' stream)" \
		"$(jq -nc '[inputs | select(.type == "tick")] |
			[(map(.lost_detail_tx_bytes) | add),
			 (map(.lost_detail_rx_bytes) | add)]' stream)"
	same "$(jq -nc '[inputs | select(.type == "flow" and has("flow"))] |
		length <= 1024' stream)" true
	same "$(jq -nc '[inputs | select(.type == "tick").lost_flows] |
		add >= 5000 - 1024' stream)" true
	# Records without a flow have no keys of a socket either.
	same "$(jq -c 'select(.type == "flow" and (has("flow") | not)) |
		select(has("laddr") or has("raddr") or has("lport") or
			has("rport"))' stream)" ''
}
