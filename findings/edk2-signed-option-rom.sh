#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# A PCI option ROM holds a signed UEFI driver: header, driver, and zeros to the end of
# the last block of 512 bytes, as EFI 1.10 recommends at table 12-18 ("the end of the
# image must be padded to the next 512-byte boundary"). A good guess is that Secure Boot
# verifies the driver without these zeros, as they are no part of its file.
#
# Seen, with edk2 2022.11 for AArch64 (Debian qemu-efi-aarch64 2022.11-6+deb12u2, its
# snakeoil certificate in db), sbsign 0.9.4, QEMU 7.2.22, a driver that is not compressed:
#   - Secure Boot on: the signed driver is not started if the zeros are after it. It is
#     started if they are between header and driver, so that the file ends with the image
#     (offset 16h of the header is the place of the driver).
#   - Secure Boot on: the same driver without signature is started in neither case.
#   - Secure Boot off: all four ROMs start it.
# The firmware takes all bytes from the driver to the end of the image as the signed file.
# sbverify does not accept these bytes either; it accepts the driver alone.
# EfiRom of edk2 writes the zeros of a driver that is not compressed before it. Its source
# calls that a workaround and gives no reason.
#
# Who meets it: writers of option ROMs with signed drivers, and of tools that make them.
# util/efirom of iPXE without -c (source of 0ab2277c4) writes the zeros at the end. Such a
# ROM works until Secure Boot is on; then its driver is missing, without a message.
#
# Needs amd64, openssl, package lists of Debian 12, 600 MB in the temporary folder.
# Exits with 0 if the output is still as noted at the end, otherwise with 1.

set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root
libraries=$root/lib/x86_64-linux-gnu
firmware=$root/usr/share/AAVMF
HEADER=56 # bytes of the ROM before the zeros or the driver
snakeoil=$root/usr/share/qemu-efi-aarch64/PkKek-1-snakeoil

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
	rm -r "$work/cache"
}

# Runs a program of the packages: NAME ARGUMENTS
program() {
	name=$1
	shift
	timeout 600 "$libraries/ld-linux-x86-64.so.2" \
		--library-path "$libraries:$root/usr/lib/x86_64-linux-gnu" "$root/usr/bin/$name" "$@"
}

# Assembles standard input with SYMBOL=VALUE into the file NAME: NAME SYMBOL=VALUE
assemble() {
	program aarch64-linux-gnu-as -I "$work" --defsym "$2" -o "$work/object" -
	program aarch64-linux-gnu-objcopy -O binary -j .text "$work/object" "$work/$1"
}

# Makes a PE file of 4096 bytes, and a signed one NAME.signed: NAME SUBSYSTEM
# A driver (subsystem 11) says so and returns; an application (10) says so and ends QEMU.
make_pe() {
	assemble "$1" "SUBSYSTEM=$2" <<'END'
	.set	DRIVER, SUBSYSTEM == 11
file:	.ascii	"MZ"
	.org	0x3c
	.word	pe - file
pe:	.ascii	"PE\0\0"
	.hword	0xaa64, 1		// AArch64, sections
	.word	0, 0, 0			// time, symbols
	.hword	section - optional, 0x20e // executable without symbols
optional:
	.hword	0x20b, 0		// PE32+
	.word	0xe00, 0, 0		// sizes of code, data, bss
	.word	0x1000, 0x1000		// entry, code
	.quad	0			// image base
	.word	0x1000, 0x200		// alignment in memory, in the file
	.word	0, 0, 0, 0		// versions
	.word	0x2000, 0x200, 0	// sizes of image, headers; checksum
	.hword	SUBSYSTEM, 0
	.quad	0, 0, 0, 0		// stack, heap
	.word	0, 16			// directories, all empty
	.skip	16 * 8
section:
	.ascii	".text\0\0\0"
	.word	0xe00, 0x1000, 0xe00, 0x200
	.word	0, 0, 0, 0x60000020	// code, executable, readable
	.org	0x200
	mov	x1, #0x09000000		// serial port
	adr	x2, text
1:	ldrb	w3, [x2], #1
	cbz	w3, 2f
	str	w3, [x1]
	b	1b
2:
	.if	DRIVER
	mov	x0, #0			// EFI_SUCCESS
	ret
text:	.asciz	"driver started\n"
	.else
	mov	w0, #0x84000000		// PSCI SYSTEM_OFF
	add	w0, w0, #8
	hvc	#0
text:	.asciz	"application started\n"
	.endif
	.org	0x1000
END
	program sbsign --key "$work/key" --cert "$snakeoil.pem" \
		--output "$work/$1.signed" "$work/$1"
}

# Makes an option ROM NAME of a driver, with zeros to the end of the last block before
# or after the driver: NAME DRIVER before|after
make_rom() {
	cp "$work/$2" "$work/content"
	case $3 in
	before) zeros=$((511 - (HEADER + $(wc -c <"$work/content") - 1) % 512)) ;;
	after) zeros=0 ;;
	esac
	assemble "$1" "BEFORE=$zeros" <<'END'
rom:	.hword	0xaa55, blocks
	.word	0x0ef1			// EFI
	.hword	11, 0xaa64, 0		// boot service driver, AArch64, not compressed
	.skip	8
	.hword	content - rom, pcir - rom
	.balign	4
pcir:	.ascii	"PCIR"
	.hword	0x1b36, 5		// pci-testdev of QEMU
	.hword	0, 0x1c			// device list, length
	.byte	3, 0, 0, 0xff		// revision, class
	.hword	blocks, 0		// length, revision of the code
	.byte	3, 0x80			// EFI, last image
	.hword	0, 0, 0			// offset 38h is next
	.fill	BEFORE
content:
	.incbin	"content"
	.balign	512
	.set	blocks, (. - rom) / 512
END
}

# Prints what sbverify says about a signed file: FILE
verify() {
	program sbverify --cert "$snakeoil.pem" "$work/$1" 2>"$work/log" || true # it is printed
}

# Boots with a ROM and a file of variables; prints what was started: ROM VARIABLES
run() {
	: >"$work/output"
	if ! program qemu-system-aarch64 -L "$root/usr/share/qemu" \
		-machine virt -accel tcg -cpu cortex-a57 -m 256 -nodefaults -display none \
		-drive if=pflash,unit=0,format=raw,readonly=on,file="$firmware/AAVMF_CODE.fd" \
		-drive if=pflash,unit=1,format=raw,snapshot=on,file="$firmware/$2" \
		-device pci-testdev,addr=5,romfile="$work/$1" -kernel "$work/application.signed" \
		-chardev file,id=output,path="$work/output" -serial chardev:output >"$work/log" 2>&1; then
		cat "$work/log" >&2
	fi
	LC_ALL=C grep -ao '[a-z]* started' "$work/output" | paste -s -d , -
}

unpack qemu-efi-aarch64=2022.11-6+deb12u2 sbsigntool=0.9.4-3.1 binutils-aarch64-linux-gnu=2.40-2 \
	qemu-system-arm=1:7.2+dfsg-7+deb12u18+b3 qemu-system-data=1:7.2+dfsg-7+deb12u18

openssl pkey -in "$snakeoil.key" -passin pass:snakeoil -out "$work/key"
make_pe driver 11
make_pe application 10
make_rom unsigned-after driver after
make_rom unsigned-before driver before
make_rom signed-after driver.signed after
make_rom signed-before driver.signed before
tail -c +$((HEADER + 1)) "$work/signed-after" >"$work/driver-and-zeros"

{
	echo "sbverify, driver: $(verify driver.signed)"
	echo "sbverify, driver and zeros after it: $(verify driver-and-zeros)"
	for rom in unsigned-after unsigned-before signed-after signed-before; do
		echo "Secure Boot off, $rom: $(run "$rom" AAVMF_VARS.fd)"
	done
	for rom in unsigned-after unsigned-before signed-after signed-before; do
		echo "Secure Boot on, $rom: $(run "$rom" AAVMF_VARS.snakeoil.fd)"
	done
} >"$work/seen"
cat >"$work/expected" <<'END'
sbverify, driver: Signature verification OK
sbverify, driver and zeros after it: Signature verification failed
Secure Boot off, unsigned-after: driver started,application started
Secure Boot off, unsigned-before: driver started,application started
Secure Boot off, signed-after: driver started,application started
Secure Boot off, signed-before: driver started,application started
Secure Boot on, unsigned-after: application started
Secure Boot on, unsigned-before: application started
Secure Boot on, signed-after: application started
Secure Boot on, signed-before: driver started,application started
END
cat "$work/seen"
diff -u "$work/expected" "$work/seen"
