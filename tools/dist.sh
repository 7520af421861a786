#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# Make build/lsi8xx-rom-VERSION.tar.gz: the sources of the last commit, the ROMs
# built from them in roms/, and SHA256SUMS of all these files. build/SHA256SUMS
# has the checksum of the archive. The same commit and tools give the same bytes
# in any folder at any time.
# Usage: dist.sh VERSION

set -e
umask 022
cd "$(dirname "$0")/.."
name=lsi8xx-rom-$1
work=build/dist

if ! changed=$(git status --porcelain) || ! date=$(git log -1 --format=%ct); then
	echo "dist.sh: a release needs a git checkout" >&2
	exit 1
fi
[ -z "$changed" ] || echo "dist.sh: uncommitted changes are not included" >&2

rm -rf "$work"
mkdir -p "$work"
git archive --prefix="$name/" --output="$work/sources.tar" HEAD
tar -x -f "$work/sources.tar" -C "$work"
"${MAKE:-make}" --no-print-directory -C "$work/$name" all
mkdir "$work/$name/roms"
mv "$work/$name"/build/*.rom "$work/$name/roms"
rm -r "$work/$name/build"
(
	cd "$work/$name"
	find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum >../SHA256SUMS
	mv ../SHA256SUMS .
)
tar -c --format=ustar --sort=name --mtime="@$date" --owner=0 --group=0 --numeric-owner \
	--mode=u=rwX,go=rX -C "$work" -f "$work/$name.tar" "$name"
gzip -9 -n -c "$work/$name.tar" >"build/$name.tar.gz"
rm -r "$work"
cd build
sha256sum "$name.tar.gz" >SHA256SUMS
echo "build/$name.tar.gz"
