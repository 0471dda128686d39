# SPDX-License-Identifier: MIT
# What the tables of bpf/README.md say, as tests/vm/table makes them, in the
# columns that its results() prints: so what did not run again stays as it was.
#
#   SCENARIOS="$(scenarios)" awk -f remembered.awk README.md README.md
#
# Read twice: which kernel a column is of stands behind the table.

function say(guest, section, verdict, name, reason) {
	print guest, section, verdict, name, reason
}

# "7.3 tp" -> its guest and its backend.
function column_of(heading,    n, word) {
	n = split(heading, word, " ")
	backend = word[n]
	sub(/ [^ ]*$/, "", heading)
	guest = heading in kernel_of ? kernel_of[heading] : ""
}

function test_of(row) {
	if (sub(/ \(open before\)$/, "", row))
		return "nm-collect: " row " that was open before it, as told before"
	return "nm-collect: " row ", as told before"
}

# Of so many tests that failed; what they are called is told below the tables.
function say_failed(guest, section, count,    key) {
	key = guest " " section
	while (count-- > 0)
		say(guest, section, "not", title[key, ++failure[key]], "")
}

# One word for each test that passed or failed: "3 ok, **1 not ok**".
function others(text, c,    i, n, part, count) {
	column_of(head[c])
	n = split(text, part, ", ")
	for (i = 1; i <= n; i++) {
		gsub(/\*/, "", part[i])
		count = part[i] + 0
		if (part[i] ~ /not ok/)
			say_failed(guest, backend, count)
		else while (count-- > 0)
			say(guest, backend, "ok", "nm-collect: told before", "")
	}
}

# "fexit, **tp: 2 not ok**, diag -" of a guest.
function backends(guest, text,    i, n, part, name) {
	n = split(text, part, ", ")
	for (i = 1; i <= n; i++) {
		if (part[i] ~ /-$/)
			continue
		gsub(/\*/, "", part[i])
		name = part[i]
		sub(/:.*/, "", name)
		if (sub(/^.*: /, "", part[i]))
			say_failed(guest, name, part[i] + 0)
		else
			say(guest, name, "ok", "nm-collect: told before", "")
	}
}

BEGIN {
	OFS = "\t"
	scenarios = split(ENVIRON["SCENARIOS"], scenario, "\n")
	for (i = 1; i <= scenarios; i++)
		is_scenario[scenario[i]] = 1
}

FNR == 1 { pass++; inside = 0 }
/^<!-- tables: / { inside = 1 }
/^<!-- end of the tables/ { inside = 0 }
!inside { next }

# `newest` (7.3.4+deb13-cloud-amd64): its heading is "7.3".
pass == 1 && /^[0-9]+ scenarios, in / {
	while (match($0, /`[^`]*` \([^)]*\)/)) {
		split(substr($0, RSTART, RLENGTH), part, /[`()]/)
		$0 = substr($0, RSTART + RLENGTH)
		heading = part[2]
		if (part[4] != "-")
			say(part[2], "release", "", part[4], "")
		if (heading !~ /^[0-9]/ && match(part[4], /^[0-9]+\.[0-9]+/))
			sub(/^[a-z]+/, substr(part[4], 1, RLENGTH), heading)
		sub(/-/, " ", heading)
		kernel_of[heading] = part[2]
	}
}
pass == 1 && /^- [a-z]: / { reason_of[substr($0, 3, 1)] = substr($0, 6) }
pass == 1 && /^- [0-9a-z][^ :]+( [a-z]+)?: / && !/^- no / {
	key = $2 ~ /:$/ ? $2 " guest" : $2 " " $3
	gsub(/:/, "", key)
	sub(/^- [^:]*: /, "")
	if (!($0 in is_scenario))
		title[key, ++titles[key]] = $0
}
pass == 1 { next }

/^\| (scenario|environment) \|/ {
	table = $2
	columns = split($0, word, / *\| */) - 2
	for (c = 2; c <= columns; c++)
		head[c] = word[c + 1]
	if (table == "scenario") {
		scenario_columns = columns
		for (c = 2; c <= columns; c++)
			scenario_head[c] = head[c]
	}
	next
}
/^\|-/ { next }
/^\| / {
	split($0, word, / *\| */)
	for (c = 1; c <= columns; c++)
		cell[c] = word[c + 1]
}
table == "scenario" && /^\| all (other )?[0-9]+ scenarios \|/ {
	for (c = 2; c <= columns; c++)
		rest[c] = cell[c]
	next
}
table == "scenario" && /^\| other tests \|/ {
	for (c = 2; c <= columns; c++)
		others(cell[c], c)
	next
}
table == "scenario" && /^\| / {
	n = split(cell[1], word, /, /)
	for (i = 1; i <= n; i++) {
		named[word[i]] = 1
		for (c = 2; c <= columns; c++)
			cells[word[i], c] = cell[c]
	}
	next
}
/^- no [a-z]+ in / {
	split($0, word, / in /)
	backend = substr(word[1], 6)
	reason = $0
	sub(/^[^:]*: /, "", reason)
	n = split(substr(word[2], 1, index(word[2], ":") - 1), word, /, /)
	for (i = 1; i <= n; i++)
		say(word[i], backend, "skip", "nm-collect: backend " backend \
			" works in this kernel", reason)
	next
}
table == "environment" && /^\| / {
	for (c = 2; c <= columns; c++) {
		guest = kernel_of[head[c]]
		if (cell[1] ~ /^capabilities/ && cell[c] != "-") {
			gsub(/, /, " ", cell[c])
			say(guest "+capabilities", "works", \
				cell[c] ~ /not ok/ ? "not" : "ok", cell[1], cell[c])
		} else if (cell[1] == "plain") {
			# The others are told by scenario.
			gsub(/(\*\*)?(fexit|tp)(: [0-9]+ not ok\*\*)?(, |$)/, "", \
				cell[c])
			backends(guest, cell[c])
		} else {
			backends(guest "+" cell[1], cell[c])
		}
	}
}

# What one test of a scenario said, in the column of its first table.
function told(row, text, c) {
	column_of(scenario_head[c])
	if (text == "ok")
		say(guest, backend, "ok", test_of(row), "")
	else if (text ~ /not ok/)
		say(guest, backend, "not", test_of(row), "")
	else if (text != "-")
		say(guest, backend, "skip", test_of(row), reason_of[text])
}

# By now it is known which are all the others.
END {
	# Of these the table has no cell, but what works.
	for (key in titles)
		if (split(key, part, " ") && part[2] == "capabilities")
			say_failed(part[1], part[2], titles[key])
	for (i = 1; i <= scenarios; i++)
		for (c = 2; c <= scenario_columns; c++)
			told(scenario[i], scenario[i] in named ? \
				cells[scenario[i], c] : rest[c], c)
}
