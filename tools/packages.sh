#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# Install the missing Debian packages of a make target, as root or through sudo.
# Without either, print the commands and exit with status 1. Elsewhere than on Debian,
# only name the packages: the programs may be there.
# Usage: packages.sh build|run|test|aa64|matrix|dist|lint

build="gcc libc6-dev binutils python3"
run="$build qemu-system-x86 seabios ovmf grub-common grub-pc-bin grub-efi-amd64-bin
	busybox-static kmod cpio fdisk e2fsprogs mtools"
dist="$build git tar gzip findutils coreutils"
lint="$build clang cppcheck shellcheck pyflakes3"
test="$run qemu-utils bochsbios syslinux syslinux-common isolinux dosfstools xorriso
	grub-rescue-pc ipxe ipxe-qemu memtest86+ python3-pytest python3-pytest-xdist python3-unicorn
	python3-setuptools sg3-utils dpkg-dev acpica-tools git"

aa64="$test gcc-aarch64-linux-gnu qemu-system-arm qemu-efi-aarch64 sbsigntool openssl"
matrix="$test debootstrap debian-archive-keyring"

case $1 in
build) wanted=$build ;;
run) wanted=$run ;;
test) wanted=$test ;;
aa64) wanted=$aa64 ;;
matrix) wanted=$matrix ;;
dist) wanted=$dist ;;
lint) wanted=$lint ;;
*)
	echo "usage: packages.sh build|run|test|aa64|matrix|dist|lint" >&2
	exit 1
	;;
esac

if ! command -v dpkg-query >/dev/null; then
	echo "This is not Debian. What these packages of Debian contain is needed:" "$wanted" >&2
	exit 0
fi

missing=
for package in $wanted; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
	become=
elif command -v sudo >/dev/null; then
	become=sudo
else
	echo "Packages are missing. As root, run:" >&2
	echo "  apt-get update && $install" >&2
	exit 1
fi
echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
if ! { $become apt-get -q update && $become $install; } >/dev/null; then
	echo "packages.sh: installation failed; run: apt-get update && $install" >&2
	exit 1
fi
