#!/usr/bin/env bash
# Runs the seeds of every fuzz test, and fails for a fuzz test that has none.
# With an argument (a duration or Nx) each one is fuzzed for that long.
set -euo pipefail
cd "$(dirname "$0")/.."
fuzztime=${1:-}

found=0
while IFS=: read -r file _ line; do
	name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/' <<<"$line")
	dir=$(dirname "$file")
	found=$((found + 1))
	if [[ -n $fuzztime ]]; then
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" "./$dir"
		continue
	fi
	seeds=$(go test -count=1 -run "^$name\$" -v "./$dir" | grep -c "^    --- PASS: $name/" || true)
	if ((seeds == 0)); then
		echo "$file: $name has no seeds" >&2
		exit 1
	fi
	echo "$dir $name: $seeds seeds"
done < <(git grep -nE '^func Fuzz[A-Za-z0-9_]*\(f \*testing\.F\)' -- '*_test.go')
((found > 0)) || { echo 'no fuzz tests found' >&2; exit 1; }
