#!/usr/bin/env bash
# Builds what is released, from these sources into dist/. `make dist` calls it, and brings the tools.
#
# The same commit gives the same bytes, wherever it is built: no path, clock, umask or owner gets in. VERSION and
# SOURCE_DATE_EPOCH replace git where there is none; TARGETS is a shorter list for tests.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
if [ "$(uname -s)" != Linux ]; then
	echo "make dist needs Linux, for GNU tar, sed and date. On other systems, make build builds bin/ps4kit." >&2
	exit 1
fi

: "${NFPM:?}" "${CYCLONEDX:?}" "${MD2MAN:?}"
: "${VERSION:=$(deploy/version.sh)}"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
: "${TARGETS:=linux/armv6 linux/armv7 linux/arm64 linux/amd64 darwin/amd64 darwin/arm64}"
export SOURCE_DATE_EPOCH CGO_ENABLED=0 TZ=UTC LC_ALL=C

# deb_version makes VERSION one of Debian's: v1.2.3-rc1 and v1.2.3-git... are before 1.2.3.
deb_version() { sed 's/^v//; s/-\(alpha\|beta\|rc\|git\)/~\1/; s/-/+/; s/-/./g' <<<"$VERSION"; }

build() { # OS ARCH: dist/bin/ps4kit_OS_ARCH
	local arch=$2 arm=
	case $arch in armv*) arm=${arch#armv} arch=arm ;; esac
	GOOS=$1 GOARCH=$arch GOARM=$arm go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" \
		-o "dist/bin/ps4kit_$1_$2" ./cmd/ps4kit
}

archive() { # OS ARCH: a .tar.gz for those who install by hand
	local name="ps4kit_${VERSION}_$1_$2"
	mkdir -p "$stage/$name"
	cp "dist/bin/ps4kit_$1_$2" "$stage/$name/ps4kit"
	cp -r "$stage"/doc/* "$stage"/completion.* "$stage/ps4kit.1" "$stage/$name"
	tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" \
		-cf - "$name" | gzip -9n >"dist/$name.tar.gz"
}

package() { # DEBIAN-ARCH GO-ARCH NFPM-ARCH: a .deb
	DEB_VERSION=$(deb_version) NFPM_ARCH=$3 BINARY=dist/bin/ps4kit_linux_$2 STAGE=$stage \
		"$NFPM" package --config deploy/nfpm.yaml --packager deb --target "dist/ps4kit_$(deb_version)_$1.deb" >&2
}

rm -rf dist
mkdir -p dist/bin
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
deploy/documents.sh "$stage"
for target in $TARGETS; do
	build "${target%/*}" "${target#*/}"
	archive "${target%/*}" "${target#*/}"
	"$CYCLONEDX" bin -json -std -noserial -notimestamp -version "$VERSION" \
		-output "dist/ps4kit_${VERSION}_${target%/*}_${target#*/}.cdx.json" "dist/bin/ps4kit_${target%/*}_${target#*/}"
	case $target in
	linux/amd64) package amd64 amd64 amd64 ;;
	linux/arm64) package arm64 arm64 arm64 ;;
	# One for every 32-bit Pi: Debian has one name for armv6 and armv7, and only this binary runs on both.
	linux/armv6) package armhf armv6 arm6 ;;
	esac
done
cd dist
sha256sum -- *.tar.gz *.deb *.cdx.json >SHA256SUMS
