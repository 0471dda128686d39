# SPDX-License-Identifier: MIT
# make install and uninstall, into a directory of the test's own.

load helpers

setup() {
	cd "$ROOT" || return
	need make
	dest=$BATS_TEST_TMPDIR/dest
	# What runs the tests has built B; its flags must not leak into this.
	unset MAKEFLAGS MFLAGS MAKELEVEL
}

installs() {
	make "$1" B="$B" DESTDIR="$dest" PREFIX=/opt/nm
}

@test "install: puts programs, pages and completions where PREFIX says" {
	run installs install
	[ "$status" -eq 0 ]
	for command in netmonitor nm-collect nm-view; do
		[ -x "$dest/opt/nm/bin/$command" ]
		[ -n "$(ls "$dest"/opt/nm/share/man/man[18]/$command.[18])" ]
		[ -s "$dest/opt/nm/share/bash-completion/completions/$command" ]
		[[ $("$dest/opt/nm/bin/$command" --version) == "$command "* ]]
	done
	[ -s "$dest/opt/nm/share/man/man5/nm-record.5" ]
	[ -s "$dest/opt/nm/share/man/man7/netmonitor.7" ]
	# Nothing elsewhere.
	same "$(ls "$dest")" opt
	same "$(find "$dest" -type f -perm /022)" ''
}

@test "install: leaves out the template" {
	installs install
	same "$(find "$dest" -name '*example*')" ''
}

@test "install: the installed completion is for its command" {
	installs install
	run bash -c '. "$1" && complete -p nm-collect' - \
		"$dest/opt/nm/share/bash-completion/completions/nm-collect"
	[ "$status" -eq 0 ]
	same "$output" 'complete -F _netmonitor nm-collect'
}

@test "install: with PREFIX=/usr the pages are found by man(1)" {
	need man
	make install B="$B" DESTDIR="$dest" PREFIX=/usr
	run man -M "$dest/usr/share/man" -w nm-record nm-collect
	[ "$status" -eq 0 ]
	same "$output" "$dest/usr/share/man/man5/nm-record.5
$dest/usr/share/man/man8/nm-collect.8"
}

@test "uninstall: removes exactly what install put there" {
	installs install
	touch "$dest/opt/nm/bin/nm-online" "$dest/opt/nm/share/man/man1/nm-online.1"
	run installs uninstall
	[ "$status" -eq 0 ]
	same "$(find "$dest" ! -type d | sort)" "$dest/opt/nm/bin/nm-online
$dest/opt/nm/share/man/man1/nm-online.1"
}
