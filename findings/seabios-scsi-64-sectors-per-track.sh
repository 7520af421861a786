#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# A SCSI disk of QEMU 7.2 under SeaBIOS 1.16.2 (Debian 12), without geometry on the
# command line. A good guess is that INT 13h AH=08h returns 1 to 63 sectors per track
# in CL bits 5:0, as that is what the field holds.
#
# Seen: on disks of 1, 2, 4, 8 and 16 MiB it succeeds with CL bits 5:0 = 0. QEMU reports
# 16 heads and as many whole cylinders of 63 sectors as fit; SeaBIOS divides the size of
# the disk by these and gets 64, of which six bits are left. Sector 1 of
# cylinder 0, head 0 can be read. Disks of 33264 sectors and of 32 MiB have 63. The
# controller does not matter. Printed: CF, CX and DX of AH=08h, AX of AH=02h.
#
# Who meets it: users of small test disks. A program that divides by the number of
# sectors per track stops; FreeDOS reports a disk with 0 sectors per track.
#
# Needs amd64, binutils, package lists of Debian 12, 250 MB in the temporary folder.
# Exits with 0 if the output is still as noted at the end, otherwise with 1.

set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root
libraries=$root/lib/x86_64-linux-gnu

# Unpacks the packages NAME=VERSION and all that they depend on into $root.
unpack() {
	mkdir -p "$work/cache/archives/partial" "$root"
	: >"$work/status" # no package is installed
	if ! apt-get -qq -y --no-install-recommends --download-only \
		-o Debug::NoLocking=1 -o APT::Sandbox::User= \
		-o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
		install "$@" >"$work/log" 2>&1; then
		cat "$work/log" >&2
		exit 1
	fi
	for package in "$work"/cache/archives/*.deb; do
		dpkg -x "$package" "$root"
	done
}

# Boots a disk of that many sectors on a controller; prints what its boot sector
# writes to port E9h: SECTORS CONTROLLER
run() {
	: >"$work/output"
	cp "$work/sector" "$work/disk"
	truncate -s $(($1 * 512)) "$work/disk"
	QEMU_MODULE_DIR=$root/usr/lib/x86_64-linux-gnu/qemu timeout 300 \
		"$libraries/ld-linux-x86-64.so.2" \
		--library-path "$libraries:$root/usr/lib/x86_64-linux-gnu" \
		"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \
		-machine pc -accel tcg -m 32 -nodefaults -display none \
		-device "$2",id=scsi -drive if=none,id=d,format=raw,file="$work/disk" \
		-device scsi-hd,bus=scsi.0,drive=d -device isa-debug-exit \
		-chardev file,id=output,path="$work/output" \
		-device isa-debugcon,iobase=0xe9,chardev=output >&2 || true # exit code of the guest
	echo "$1 sectors, $2: $(sed 's/ $//' "$work/output")"
}

unpack seabios=1.16.2-1 qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 qemu-system-data=1:7.2+dfsg-7+deb12u18

# The boot sector prints CF, CX and DX of AH=08h and AH of AH=02h, and ends QEMU.
as --32 -o "$work/object" - <<'END'
	.code16
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	pushw	%dx
	movb	$8, %ah
	int	$0x13
	pushw	%dx
	pushw	%cx
	sbbw	%dx, %dx
	call	print			# CF: 0000 or FFFF
	popw	%dx
	call	print			# CX
	popw	%dx
	call	print			# DX
	popw	%dx
	xorw	%ax, %ax
	movw	%ax, %es
	movw	$0x201, %ax
	movw	$0x8000, %bx
	movw	$1, %cx
	xorb	%dh, %dh
	int	$0x13
	movw	%ax, %dx
	call	print			# AX of AH=02h
	movw	$0x501, %dx		# isa-debug-exit
	outb	%al, %dx
2:	hlt
	jmp	2b

print:	movw	$4, %cx
1:	rolw	$4, %dx
	movb	%dl, %al
	andb	$15, %al
	addb	$'0', %al
	cmpb	$'9', %al
	jbe	2f
	addb	$'A' - '9' - 1, %al
2:	outb	%al, $0xe9
	loop	1b
	movb	$' ', %al
	outb	%al, $0xe9
	ret
	.org	510
	.word	0xaa55
END
objcopy -O binary -j .text "$work/object" "$work/sector"

cat >"$work/expected" <<'END'
2048 sectors, lsi53c895a: 0000 0000 0F01 0001
4096 sectors, lsi53c895a: 0000 0200 0F01 0001
8192 sectors, lsi53c895a: 0000 0600 0F01 0001
16384 sectors, lsi53c895a: 0000 0E00 0F01 0001
32768 sectors, lsi53c895a: 0000 1E00 0F01 0001
33264 sectors, lsi53c895a: 0000 1F3F 0F01 0001
65536 sectors, lsi53c895a: 0000 3F3F 0F01 0001
32768 sectors, virtio-scsi-pci: 0000 1E00 0F01 0001
END
for sectors in 2048 4096 8192 16384 32768 33264 65536; do
	run "$sectors" lsi53c895a
done >"$work/seen"
run 32768 virtio-scsi-pci >>"$work/seen"
cat "$work/seen"
diff -u "$work/expected" "$work/seen"
