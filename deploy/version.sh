#!/usr/bin/env bash
# Prints the version of these sources: the tag, with the commits since, or, before the first tag, the version to come with
# the commit and its time: v0.9.0-git202611300917.2db16ef.
set -euo pipefail
cd "$(dirname "$0")/.."
next=v0.9.0
if ! git rev-parse --verify --quiet HEAD >/dev/null 2>&1; then
	echo "$next-dev"
elif ! git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null; then
	dirty=$(git diff --quiet HEAD || echo -dirty)
	echo "$next-git$(TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M --format=%cd.%h)$dirty"
fi
