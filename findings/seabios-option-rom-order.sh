#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# QEMU has an option -option-rom FILE that can be given more than once. A good guess
# is that SeaBIOS runs these ROMs in the order of the command line.
#
# Seen, with SeaBIOS 1.16.2 in QEMU 7.2.22 (Debian seabios 1.16.2-1, qemu-system-x86
# 1:7.2+dfsg-7+deb12u18+b3): they run in reverse order of their file names. b.rom runs
# before a.rom, whichever is first on the command line; the folder has no influence.
# On the machine pc-i440fx-2.5, the same QEMU and SeaBIOS run the last one of the
# command line first, whatever the names are: QEMU sorts the files that it passes to
# the BIOS by name on later machines only (legacy_fw_cfg_order in its sources), and
# SeaBIOS begins with the last file (romfile_add() in its sources).
#
# Who meets it: users who pass two ROMs of which one must be first, for example
# because the second one relies on interrupt vectors of the first. The order can be
# chosen by the names of the files.
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

# Makes an option ROM that writes LETTER to port E9h: LETTER FILE
make_rom() {
	assemble "$2" <<END
	.code16
	.set	SUM, 0x55 + 0xaa + 1 + 0x50 + 0xb0 + '$1' + 0xe6 + 0xe9 + 0x58 + 0xcb
	.word	0xaa55
	.byte	1			# blocks of 512 bytes
	pushw	%ax
	movb	\$'$1', %al
	outb	%al, \$0xe9
	popw	%ax
	lret
	.org	511
	.byte	-SUM & 0xff		# so that all bytes add up to 0
END
}

# Boots a machine and prints its name, the ROMs, and what they write:
# MACHINE FIRST SECOND
run() {
	: >"$work/output"
	(
		cd "$work"
		QEMU_MODULE_DIR=$root/usr/lib/x86_64-linux-gnu/qemu timeout 300 \
			"$libraries/ld-linux-x86-64.so.2" \
			--library-path "$libraries:$root/usr/lib/x86_64-linux-gnu" \
			"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" \
			-machine "$1" -accel tcg -m 32 -nodefaults -display none \
			-bios "$root/usr/share/seabios/bios-256k.bin" \
			-option-rom "$2" -option-rom "$3" \
			-drive if=ide,format=raw,file=disk -device isa-debug-exit \
			-chardev file,id=output,path=output \
			-device isa-debugcon,iobase=0xe9,chardev=output
	) >"$work/log" 2>&1 || true # exit code of the guest
	if [ ! -s "$work/output" ]; then
		cat "$work/log" >&2
	fi
	echo "$1: $2 $3: $(cat "$work/output")"
}

unpack seabios=1.16.2-1 qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 \
	qemu-system-data=1:7.2+dfsg-7+deb12u18

# Two pairs of the same ROMs: X is first by name in one, Y in the other. X is in folder 1.
mkdir "$work/1" "$work/2"
make_rom X 1/a.rom
make_rom Y 2/b.rom
make_rom X 1/b-x.rom
make_rom Y 2/a-y.rom

# The boot sector writes a full stop and ends QEMU.
assemble disk <<'END'
	.code16
	movb	$'.', %al
	outb	%al, $0xe9
	movw	$0x501, %dx		# isa-debug-exit
	outb	%al, %dx
1:	hlt
	jmp	1b
	.org	510
	.word	0xaa55
END
truncate -s 1M "$work/disk"

for machine in pc-i440fx-7.2 pc-q35-7.2 pc-i440fx-2.5; do
	run "$machine" 1/a.rom 2/b.rom
	run "$machine" 2/b.rom 1/a.rom
	run "$machine" 2/a-y.rom 1/b-x.rom
	run "$machine" 1/b-x.rom 2/a-y.rom
done >"$work/seen"
cat >"$work/expected" <<'END'
pc-i440fx-7.2: 1/a.rom 2/b.rom: YX.
pc-i440fx-7.2: 2/b.rom 1/a.rom: YX.
pc-i440fx-7.2: 2/a-y.rom 1/b-x.rom: XY.
pc-i440fx-7.2: 1/b-x.rom 2/a-y.rom: XY.
pc-q35-7.2: 1/a.rom 2/b.rom: YX.
pc-q35-7.2: 2/b.rom 1/a.rom: YX.
pc-q35-7.2: 2/a-y.rom 1/b-x.rom: XY.
pc-q35-7.2: 1/b-x.rom 2/a-y.rom: XY.
pc-i440fx-2.5: 1/a.rom 2/b.rom: YX.
pc-i440fx-2.5: 2/b.rom 1/a.rom: XY.
pc-i440fx-2.5: 2/a-y.rom 1/b-x.rom: XY.
pc-i440fx-2.5: 1/b-x.rom 2/a-y.rom: YX.
END
cat "$work/seen"
diff -u "$work/expected" "$work/seen"
