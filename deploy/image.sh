#!/usr/bin/env bash
# Builds dist/ps4kit-image.tar, an OCI archive with one image for each kind of machine, from dist/bin and deploy/Containerfile.
# buildah needs no engine and no network here: the image starts from nothing and runs nothing while it is built.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022

: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
buildah=(buildah --root "$work/root" --runroot "$work/run" --storage-driver vfs)

mkdir -p dist/bin/state
# One after another: together they would stand in the index in whatever order they were done.
for platform in linux/arm/v6 linux/arm/v7 linux/arm64 linux/amd64; do
	"${buildah[@]}" build --isolation chroot --timestamp "$SOURCE_DATE_EPOCH" \
		--platform "$platform" --manifest ps4kit -f deploy/Containerfile dist/bin
done
"${buildah[@]}" manifest push --all ps4kit "oci:$work/layout"
# An archive of our own making, for buildah's has the time of day in it.
tar -C "$work/layout" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf dist/ps4kit-image.tar .
