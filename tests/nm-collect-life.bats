# SPDX-License-Identifier: MIT
# bats file_tags=root
# nm-collect among processes, connections, namespaces and cgroups that come and
# go: a short life; tests/life has longer ones. NM_BACKEND chooses the backend.

load helpers
load accuracy

setup() {
	cannot=$(why_not)
	[ -z "$cannot" ] || skip "$cannot"
}

@test "nm-collect: a life of churn: exact at the end, memory flat, nothing left" {
	need ip unshare
	# A guest under QEMU is as slow as that.
	[ -z "${NM_GUEST-}" ] || export CONNECTIONS=150 PROCESSES=15
	"$ROOT/tests/life/run" 24 3>&-
}
