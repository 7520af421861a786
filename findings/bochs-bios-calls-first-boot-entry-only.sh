#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# The BIOS of Bochs 2.7 (Debian bochsbios 2.7+dfsg-4+deb12u1) points ES:DI at its
# $PnP structure when it calls the init entry of an option ROM, and reports
# version 1.01 of the BIOS boot specification (BBS) by PnP function 60h. A good
# guess is that each $PnP header in the chain of the ROM becomes a boot entry.
#
# Seen, with a PCI ROM that has two headers with a boot connection vector each:
#   - The vector of the first header is called, that of the second is not.
#   - AX is the offset of the called vector. Bit 2 of AX should mean "connect as
#     boot device" [PnP-BIOS 1.0A "Boot Connection Vector"]; here it is a bit of
#     the offset, and clear.
#   - At init, AX is F000, not the address of the PCI device (0028).
# SeaBIOS 1.16.2 reports the same version and calls both vectors of this ROM on
# the same machine (QEMU 7.2), with AX 0. Its init entry gets 0028.
#
# Who meets it: writers of option ROMs with one boot entry for each disk. All
# disks but the first are lost, unless the first vector connects them all.
# Function 60h does not tell which kind of BIOS it is.
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

# Assembles standard input into the image NAME.
assemble() {
	as --32 -o "$work/object" -
	objcopy -O binary -j .text "$work/object" "$work/$1"
}

# Sets the last byte of a part of the ROM so that its bytes add up to 0: OFFSET LENGTH BYTE
checksum() {
	sum=$(od -An -v -tu1 -j "$1" -N "$2" "$work/rom" |
		awk '{ for (i = 1; i <= NF; i++) sum += $i } END { print (256 - sum % 256) % 256 }')
	printf '%b' "\\0$(printf %o "$sum")" |
		dd of="$work/rom" bs=1 seek="$3" conv=notrunc status=none
}

# Runs the ROM on a PCI device with the BIOS of the given path; prints what the guest
# writes to port E9h. The Bochs BIOS gets no timer interrupts through QEMU's APIC.
run() {
	: >"$work/output"
	QEMU_MODULE_DIR=$root/usr/lib/x86_64-linux-gnu/qemu timeout 300 \
		"$libraries/ld-linux-x86-64.so.2" \
		--library-path "$libraries:$root/usr/lib/x86_64-linux-gnu" \
		"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" \
		-machine pc -accel tcg -cpu qemu64,-apic -m 32 -nodefaults -display none \
		-bios "$root/usr/share/$1" -device pci-testdev,addr=5,romfile="$work/rom" \
		-drive if=ide,format=raw,file="$work/disk" -device isa-debug-exit \
		-chardev file,id=output,path="$work/output" \
		-device isa-debugcon,iobase=0xe9,chardev=output >&2 || true # exit code of the guest
	cat "$work/output"
}

unpack bochsbios=2.7+dfsg-4+deb12u1 seabios=1.16.2-1 \
	qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 qemu-system-data=1:7.2+dfsg-7+deb12u18

assemble rom <<'END'
	.code16
	.set	HEADER_1, 0x20
	.set	HEADER_2, 0x40
	.set	VECTOR_1, 0x200
	.set	VECTOR_2, 0x300

	.macro	pnp_header next, vector
	.ascii	"$PnP"
	.byte	1, 2			# revision, paragraphs
	.word	\next
	.byte	0, 0			# reserved, checksum
	.long	0			# device ID
	.word	name, name		# manufacturer, product
	.byte	1, 0, 0			# SCSI controller
	.byte	0x64			# can be shadowed and cached, boot device
	.word	\vector, 0, 0		# connect, disconnect, bootstrap
	.word	0, 0			# reserved, static resources
	.endm

	.macro	say text
	movw	$1f, %si
	call	print
	jmp	2f
1:	.asciz	"\text"
2:
	.endm

	.macro	say_ax text		# the text, then AX
	pushaw
	movw	%ax, %dx
	say	"\text"
	call	print_dx
	popaw
	.endm

	.word	0xaa55
	.byte	4			# blocks of 512 bytes
	jmp	init
	.org	0x18
	.word	pcir, HEADER_1
	.org	HEADER_1
	pnp_header HEADER_2, VECTOR_1
	.org	HEADER_2
	pnp_header 0, VECTOR_2
pcir:	.ascii	"PCIR"
	.word	0x1b36, 5		# pci-testdev of QEMU
	.word	0, 0x18			# product data, length
	.byte	0, 0, 0xff, 0		# revision, class
	.word	4, 0			# blocks, revision of the code
	.byte	0, 0x80, 0, 0		# x86, last image
name:	.asciz	"test"

init:	say_ax	"init: AX="
	pushaw
	cmpl	$0x506e5024, %es:(%di)	# "$PnP"
	jne	no_pnp
	pushw	$0			# for the version
	movw	%sp, %bp
	pushw	%es:0x1b(%di)		# data segment of the BIOS
	pushw	%ss
	pushw	%bp
	pushw	$0x60
	lcall	*%es:0xd(%di)
	addw	$8, %sp
	say_ax	" $PnP 60h="
	popw	%ax
	say_ax	" version="
no_pnp:	say	"\n"
	popaw
	movw	$0x0120, %ax		# has INT 13h and a boot device
	lret

print:	cld
1:	lodsb	%cs:(%si), %al
	testb	%al, %al
	jz	2f
	outb	%al, $0xe9
	jmp	1b
2:	ret

print_dx:
	movw	$4, %cx
1:	rolw	$4, %dx
	movb	%dl, %al
	andb	$15, %al
	addb	$'0', %al
	cmpb	$'9', %al
	jbe	2f
	addb	$'A' - '9' - 1, %al
2:	outb	%al, $0xe9
	loop	1b
	ret

	.macro	boot_connection number
	say_ax	"vector \number: AX="
	pushaw
	say	"\n"
	popaw
	lret
	.endm

	.org	VECTOR_1
	boot_connection 1
	.org	VECTOR_2
	boot_connection 2
	.org	0x800
END
checksum 0x20 0x20 41 # HEADER_1
checksum 0x40 0x20 73 # HEADER_2
checksum 0 0x800 2047

# The boot sector says so and ends QEMU.
assemble disk <<'END'
	.code16
	movw	$0x7c00 + text, %si
1:	lodsb	%cs:(%si), %al
	outb	%al, $0xe9
	cmpb	$'\n', %al
	jne	1b
	movw	$0x501, %dx		# isa-debug-exit
	outb	%al, %dx
2:	hlt
	jmp	2b
text:	.ascii	"boot sector\n"
	.org	510
	.word	0xaa55
END
truncate -s 1M "$work/disk"

run bochs/BIOS-bochs-latest >"$work/bochs"
run seabios/bios-256k.bin >"$work/seabios"
cat >"$work/expected" <<'END'
Bochs BIOS
init: AX=F000 $PnP 60h=0000 version=0101
vector 1: AX=0200
boot sector
SeaBIOS
init: AX=0028 $PnP 60h=0000 version=0101
vector 1: AX=0000
vector 2: AX=0000
boot sector
END
{
	echo "Bochs BIOS"
	cat "$work/bochs"
	echo "SeaBIOS"
	cat "$work/seabios"
} >"$work/seen"
cat "$work/seen"
diff -u "$work/expected" "$work/seen"
