# SPDX-License-Identifier: MIT
# What must be said in two places (help, page, completion, contract, README)
# is compared here, so that drift is a failure and not a surprise. The rules
# of CONTRIBUTING that a machine can see are held here too.

load helpers

setup() {
	cd "$ROOT" || return
}

# All commands: programs by their source, and the script.
commands() {
	{
		printf '%s\n' cmd/nm-*.c | sed 's/\.c$//'
		printf '%s\n' cmd/nm-*/main.c | sed 's,/main\.c$,,'
		echo cmd/netmonitor
	} | sed 's,^cmd/,,'
}

page() {
	ls "man/$1".[18]
}

# none TEXT: fails, and shows it, unless it is empty. Each line is a finding.
none() {
	[ -z "$1" ] && return
	printf '%s\n' "$1" >&2
	return 1
}

# "-i --interval", "- --once": the options by a command's --help.
help_options() {
	"$1" --help | sed -nE \
		-e 's/^  (-.), (--[a-z-]+).*/\1 \2/p' \
		-e 's/^      (--[a-z-]+).*/- \1/p' | sort
}

# The same by its page.
page_options() {
	awk '/^\.It Fl / {
		letter = long = "-"
		for (i = 3; i <= NF; i++) {
			if ($i == "Ar")
				i++
			else if ($i ~ /^-[a-z]/)
				long = "-" $i
			else if ($i ~ /^[A-Za-z]$/)
				letter = "-" $i
		}
		print letter, long
	}' "$(page "$1")" | sort
}

# Files that somebody wrote, but for prose, data and what tools read.
sources() {
	git ls-files -co --exclude-standard |
		grep -vE '^(LICENSE|\.(gitignore|editorconfig|clang-format))$' |
		grep -vE '\.(md|dict|ndjson)$' |
		grep -vE '^tests/(data|golden)/'
}

# --- Commands ---

@test "every command has a page, a file of tests and a place in README" {
	found=$(for c in $(commands); do
		ls man/"$c".[18] >/dev/null 2>&1 || echo "$c: no page"
		ls tests/"$c"*.bats >/dev/null 2>&1 || echo "$c: no tests"
		[ "$c" = nm-example ] && continue
		grep -q "^| \`$c\` |" README.md || echo "$c: not in README"
		grep -q "^- \`$c\`" NEWS.md || echo "$c: not in NEWS"
	done)
	none "$found"
}

@test "README and the overview name no command that is not there" {
	found=$(grep -ohE '\b(nm-[a-z]+|netmonitor)\([158]\)' README.md |
		sed 's/(.*//' | sort -u
		sed -n 's/^| `\(nm-[a-z]*\|netmonitor\)` |.*/\1/p' README.md
		sed -n 's/^\.It Xr \([a-z-]*\) [18]$/\1/p' man/netmonitor.7)
	none "$(comm -23 <(sort -u <<<"$found") \
		<( (commands && echo nm-record) | sort))"
}

@test "--help goes to stdout and exits 0" {
	found=$(for c in $(commands); do
		out=$("$c" --help 2>"$BATS_TEST_TMPDIR/err" </dev/null) ||
			echo "$c: exit status $?"
		[[ $out == "Usage: $c"* ]] || echo "$c: no usage line"
		[ ! -s "$BATS_TEST_TMPDIR/err" ] || echo "$c: writes to stderr"
		[ "$out" = "$("$c" -h </dev/null)" ] || echo "$c: -h differs"
	done)
	none "$found"
}

@test "--version names the command, the version and the licence" {
	version=$(sed -n 's/^VERSION := //p' Makefile)
	found=$(for c in $(commands); do
		out=$("$c" --version 2>&1 </dev/null) ||
			echo "$c: exit status $?"
		[[ ${out/ (netmonitor)/} == "$c $version"$'\n'"Licence: "* ]] ||
			echo "$c: $out"
		[ "$out" = "$("$c" -V </dev/null)" ] || echo "$c: -V differs"
	done)
	none "$found"
	grep -q "^## $version" NEWS.md
}

@test "an unknown option exits 2 with empty stdout and a hint" {
	found=$(for c in $(commands); do
		for option in --no-such-option -Z; do
			out=$("$c" "$option" 2>"$BATS_TEST_TMPDIR/err" </dev/null)
			[ $? -eq 2 ] || echo "$c $option: not exit status 2"
			[ -z "$out" ] || echo "$c $option: writes to stdout"
			grep -q "Try '$c --help'" "$BATS_TEST_TMPDIR/err" ||
				echo "$c $option: no hint"
		done
	done)
	none "$found"
}

# readme_pipes: the commands under "Pipes to steal", each ended by a NUL.
readme_pipes() {
	sed -n '/^## Pipes to steal/,/^## Commands/p' README.md | awk '
	/^    / { text = text substr($0, 5) "\n"; next }
	text { printf "%s%c", text, 0; text = "" }'
}

@test "README's pipes end, and let no escape sequence through" {
	need jq
	# A collector that goes on unless it is told not to; nothing happens
	# then that a pipe could wait for.
	cat >"$BATS_TEST_TMPDIR/nm-collect" <<-END
		#!/bin/sh
		sed 's/"comm":"f/&\\\\u001b[31m/' \
			"$ROOT/tests/data/view-normal.ndjson"
		case \$* in *-c* | *--once*) exit ;; esac
		while sleep 0.1; do
			echo '{"v":1,"type":"tick","ts_us":1,"dt_us":1}' || exit
		done 2>/dev/null
	END
	chmod +x "$BATS_TEST_TMPDIR/nm-collect"
	PATH=$BATS_TEST_TMPDIR:$PATH
	mapfile -d '' pipes < <(readme_pipes)
	cd "$BATS_TEST_TMPDIR"
	found=$(for pipe in "${pipes[@]}"; do
		# A terminal would be opened by nm-view.
		out=$(setsid -w timeout 10 bash -o pipefail -c "$pipe" 2>&1) ||
			[ $? -eq 141 ] || echo "$out: does not end well: $pipe"
		[ -n "$out$(cat curl.csv 2>/dev/null)" ] || echo "no result: $pipe"
		[[ $out != *$'\e'* ]] || echo "an escape: $pipe"
	done)
	none "$found"
	[ "${#pipes[@]}" -gt 5 ]
	# And one would be seen.
	[[ $(nm-collect -c 1 | jq -r .comm) == *$'\e'* ]]
}

# --- Options ---

@test "every option has a long name, and its value is written --name=VALUE" {
	found=$(for c in $(commands); do
		"$c" --help | grep -E -e '^  -.( |$)' \
			-e '^  (-., |    )--[a-z-]+ [A-Z]' | sed "s/^/$c: /"
	done)
	none "$found"
}

@test "the page has the options of --help, and no others" {
	found=$(for c in $(commands); do
		diff <(help_options "$c") <(page_options "$c") |
			sed -n -e "s/^</$c: only in --help:/p" \
				-e "s/^>/$c: only in the page:/p"
	done)
	none "$found"
}

@test "the page says what each exit status means, and has an example" {
	found=$(for c in $(commands); do
		for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' \
			EXAMPLES 'SEE ALSO'; do
			grep -qx "\.Sh $section" "$(page "$c")" ||
				echo "$c: no section $section"
		done
	done)
	none "$found"
}

@test "a letter means the same in all commands, as CONTRIBUTING lists them" {
	found=$(for c in $(commands); do
		help_options "$c" | grep -v '^- ' | while read -r letter long; do
			grep -q "^| \`$letter\` | \`$long\` |" CONTRIBUTING.md ||
				echo "$c: $letter $long"
		done
	done)
	none "$found"
	twice=$(sed -n 's/^| `\(-.\)` |.*/\1/p' CONTRIBUTING.md | sort | uniq -d)
	same "$twice" -b
}

# --- Completion ---

# complete WORD...: what is offered for the last word.
complete_words() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_netmonitor "$1"
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "completion offers the options of --help, and no others" {
	. "$ROOT/completions/netmonitor"
	found=$(for c in $(commands); do
		diff <(help_options "$c" | tr ' ' '\n' | grep -vx -e - | sort) \
			<(complete_words "$c" - | sort) | sed -n "s/^[<>]/$c: &/p"
	done)
	none "$found"
}

@test "completion knows the values that --help knows" {
	. "$ROOT/completions/netmonitor"
	same "$(complete_words nm-collect -b '' | paste -sd ' ')" 'fexit tp cgroup diag'
	same "$(complete_words nm-collect --backend = fe)" fexit
	same "$(complete_words nm-collect --backend = | wc -l)" 4
	same "$(complete_words nm-collect -v --on)" --once
	same "$(complete_words nm-collect --pid "$$")" "$$"
	same "$(complete_words nm-collect --netns = al | grep -x all)" all
}

@test "completion offers files where --help says FILE" {
	. "$ROOT/completions/netmonitor"
	cmd=$BATS_TEST_TMPDIR/nm-files
	printf '#!/bin/sh\necho "  -f, --file=FILE  read it"\n' >"$cmd"
	chmod +x "$cmd"
	same "$(complete_words "$cmd" -f "$cmd")" "$cmd"
}

@test "completion is for the command under whose name it is loaded" {
	ln -s "$ROOT/completions/netmonitor" "$BATS_TEST_TMPDIR/nm-view"
	run bash -c '. "$1" && complete -p nm-view' - "$BATS_TEST_TMPDIR/nm-view"
	[ "$status" -eq 0 ]
	same "$output" 'complete -F _netmonitor nm-view'
}

# --- The contract ---

# Words that nm-record(5), with nm-ledger(5), marks up as keys, types or values.
contract_words() {
	sed -n 's/^\.\(It \)\{0,1\}Cm //p' man/nm-record.5 man/nm-ledger.5 |
		tr -d , | tr ' ' '\n' |
		grep -E '^[a-z_]+$' | sort -u
}

# The C code of installed commands, a statement on one line.
code() {
	git ls-files -co --exclude-standard 'cmd/*.c' | grep -v nm-example |
		xargs cat | tr '\n' ' ' | tr -s '\t ' ' '
}

@test "every key that a command writes or reads is in nm-record(5)" {
	keys=$(code | grep -oE '\b(nm_(json|add|get)_[a-z0-9]+|nm_is|nm_find|nm_drop|put_[a-z_]+)\([^(),]+, "[a-z0-9_]+"(, "[a-z0-9_]+",)?' |
		while read -r call; do
			case $call in
			put_*) grep -oE '"[^"]*"' <<<"$call" ;;
			nm_json_open*) ;;
			*) grep -oE '"[^"]*"' <<<"$call" | head -n 1 ;;
			esac
		done | tr -d '"' | sort -u)
	# The pattern still fits the code: these are written in three ways.
	for key in boot_id laddr kernel_tx_bytes unattributed_rx_bytes; do
		grep -qx "$key" <<<"$keys"
	done
	none "$(comm -23 <(echo "$keys") <(contract_words))"
}

@test "every type of record that a command writes is in nm-record(5)" {
	types=$(code | grep -oE 'nm_json_open\([^(),]+, "[a-z]+"' |
		grep -oE '"[a-z]+"' | tr -d '"' | sort -u)
	same "$(grep -cx -e start -e flow -e ledger -e tick -e event -e notice \
		<<<"$types")" 6
	found=$(for type in $types; do
		grep -qE "^\.Ss (.* )?$type( |$)" man/nm-record.5 || echo "$type"
	done)
	none "$found"
}

@test "the recorded stream for tests keeps to nm-record(5)" {
	none "$(comm -23 <(jq -r 'keys[]' tests/data/*.ndjson | sort -u) \
		<(contract_words))"
	none "$(jq -r '.type // "no type"' tests/data/*.ndjson | sort -u |
		while read -r type; do
			grep -qE "^\.Ss (.* )?$type( |$)" man/nm-record.5 ||
				echo "$type"
		done)"
}

# --- Files ---

@test "every file says its licence first, and then what it is for" {
	found=$(sources | while read -r f; do
		case $f in
		*.[1-8]) comment='[.].["]' ;;
		*.c | *.h) comment='(//|/\*)' ;;
		*) comment='#' ;;
		esac
		awk -v comment="^$comment" '
		NR == 1 && /^#!/ { next }
		!licence {
			if ($0 !~ comment " SPDX-License-Identifier: ")
				exit 1
			licence = 1
			next
		}
		/^(\/\*|# shellcheck .*)$/ { next }
		{ exit $0 !~ /^( \*|#|\.Dd) [^ ]/ }' "$f" || echo "$f"
	done)
	none "$found"
}

@test "no file is longer than 400 lines" {
	found=$(sources | while read -r f; do
		length=$(wc -l <"$f")
		[ "$length" -le 400 ] || echo "$f: $length lines"
	done)
	none "$found"
}

@test "commands include nothing of one another" {
	none "$(grep -nE '#include ".*/' -r cmd lib bpf)"
}

@test "bpf/README says what each file there is for" {
	found=$(for f in bpf/*.[ch]; do
		grep -q "^| \`${f#bpf/}\` |" bpf/README.md || echo "$f"
	done)
	none "$found"
}

@test "bpf/README's tables have every kernel, environment and scenario" {
	tables=$(sed -n '/^<!-- tables: /,/^<!-- end/{//!p}' bpf/README.md)
	# Where no guest has run, the page is what is known of them.
	same "$(tests/vm/table "$BATS_TEST_TMPDIR")" "$(sed '/./,$!d' <<<"$tables")"
	[[ $tables == *$'\n'"$(tests/vm/table --scenarios | wc -l) scenarios, in"* ]]
	none "$(awk '!/^(#|$)/ { print FILENAME, $1 }' tests/vm/kernels \
		tests/vm/environments | while read -r file name; do
		grep -qE "(^\| ${name#*+}( \||:)|\`$name\` \()" <<<"$tables" ||
			echo "$file: $name"
	done)"
}

@test "every page of ours that is referred to is there" {
	found=$(grep -ohE '^\.(It )?Xr (nm-|netmonitor)[^ ]* [1-8]' man/*.[1-8] |
		sed -E 's/^.*Xr ([^ ]+) (.)/\1.\2/' | sort -u |
		while read -r f; do
			[ -e "man/$f" ] || echo "$f"
		done)
	none "$found"
}

@test "pages pass mandoc's warnings" {
	need mandoc
	mandoc -Tlint -Wwarning man/*.[1-8]
}

@test "make help knows every target that is called by name" {
	named=$(make help | sed -n 's/^\([a-z-]*\)  .*/\1/p' | sort)
	phony=$(sed -n '/^\.PHONY:/,/[^\\]$/p' Makefile | tr -s ':\\\n\t ' '\n' |
		grep -vx -e .PHONY -e test-programs -e '' | sort)
	same "$named" "$phony"
}

@test "what is built is no part of the tree, wherever it is" {
	need git make
	cp -r Makefile .gitignore cmd lib bpf "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	git init -q
	git add -A
	make -n B=other all | grep -F other/.gitignore
	make B=other other/.gitignore
	touch other/object.c
	none "$(git status --porcelain | grep -v '^A ')"
}

@test "commands without BPF are built without clang and bpftool" {
	need gcc make
	b=$BATS_TEST_TMPDIR/b
	bpf=$(sed -n 's/^BPF_CMDS *:= //p' Makefile)
	targets=$(commands | grep -vxF -e "${bpf// /$'\n'}" | sed "s,^,$b/,")
	# shellcheck disable=SC2086 # one word per target
	run make CLANG=false BPFTOOL=false B="$b" $targets
	[ "$status" -eq 0 ]
	"$b/nm-example" </dev/null
	# And it would be seen: what has BPF programs is not built so.
	run make CLANG=false BPFTOOL=false B="$b" "$b/${bpf%% *}"
	[ "$status" -ne 0 ]
}
