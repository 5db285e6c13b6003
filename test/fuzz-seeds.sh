#!/usr/bin/env bash
# Runs the seeds of every fuzz test, and fails for a fuzz test that has none.
# With an argument (a duration or Nx), fuzzes each test for that long.
set -euo pipefail
cd "$(dirname "$0")/.."

dirs=$(git grep -lE '^func Fuzz' -- '*_test.go' | xargs -n 1 dirname | sort -u) # fails if there are none
for dir in $dirs; do
	names=$(git grep -hoE '^func Fuzz[A-Za-z0-9_]+' -- ":(glob)$dir/*_test.go" | sed 's/^func //')
	if [[ $# == 0 ]]; then
		ran=$(go test -count=1 -run '^Fuzz' -v "./$dir")
	fi
	for name in $names; do
		if [[ $# != 0 ]]; then
			go test -run '^$' -fuzz "^$name\$" -fuzztime "$1" "./$dir"
			continue
		fi
		seeds=$(grep -c "^    --- PASS: $name/" <<<"$ran" || true)
		echo "$dir $name: $seeds seeds"
		if ((seeds == 0)); then
			exit 1
		fi
	done
done
