#!/usr/bin/env bash
# Writes to a directory what the packages carry beside the program: completions, the manual page, the compressed changelog.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${MD2MAN:?}"
dir=$1
mkdir -p "$dir"
for shell in bash zsh fish; do
	go run -trimpath ./cmd/ps4kit completion "$shell" >"$dir/completion.$shell"
done
{
	printf '%% ps4kit 1\n\n# NAME\n\nps4kit - PlayStation consoles as HomeKit televisions\n\n'
	sed 1d docs/cli.md
} >"$dir/ps4kit.md"
"$MD2MAN" -in "$dir/ps4kit.md" -out "$dir/ps4kit.1"
gzip -9n <"$dir/ps4kit.1" >"$dir/ps4kit.1.gz"
gzip -9n <CHANGELOG.md >"$dir/changelog.gz"
