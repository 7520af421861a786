#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# With -nographic, QEMU has SeaBIOS show its screen on the serial port. A good guess is
# that a terminal there is as before once something has booted, since SeaBIOS writes no
# more from then on.
#
# Seen, with SeaBIOS 1.16.2 in QEMU 7.2.22 (Debian seabios 1.16.2-1, qemu-system-x86
# 1:7.2+dfsg-7+deb12u18+b3): the first bytes of its output turn the terminal's automatic
# line wrap off (ESC [ ? 7 l), and nothing turns it on again, neither before the boot sector
# runs nor later. With graphics, SeaBIOS writes nothing to the serial port.
#
# Who meets it: users and scripts that boot a system on its serial console in a terminal:
# every line of the system that is longer than the terminal is wide loses its end, and so
# does the shell's after QEMU has ended. "tput smam" turns line wrap on again.
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

# Boots the disk with an option of -machine; prints the option, how often each sequence
# is in the serial output, and whether the boot sector's letter follows: OPTION
run() {
	: >"$work/serial"
	(
		cd "$work"
		QEMU_MODULE_DIR=$root/usr/lib/x86_64-linux-gnu/qemu timeout 300 \
			"$libraries/ld-linux-x86-64.so.2" \
			--library-path "$libraries:$root/usr/lib/x86_64-linux-gnu" \
			"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" \
			-machine "pc-i440fx-7.2,$1" -accel tcg -m 32 -nodefaults -display none \
			-bios "$root/usr/share/seabios/bios-256k.bin" \
			-drive if=ide,format=raw,file=disk -device isa-debug-exit -serial file:serial
	) >"$work/log" 2>&1 || true # exit code of the guest
	escape=$(printf '\033')
	for sequence in "?7l" "?7h"; do
		echo "$1: ESC [$sequence $(grep -oF "${escape}[$sequence" "$work/serial" | wc -l) times"
	done
	echo "$1: last byte $(tail -c 1 "$work/serial")"
}

unpack seabios=1.16.2-1 qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 \
	qemu-system-data=1:7.2+dfsg-7+deb12u18

# The boot sector writes a letter to the serial port and ends QEMU.
assemble disk <<'END'
	.code16
	movb	$'B', %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	xorw	%cx, %cx
1:	loop	1b			# until the letter has left the UART
	movw	$0x501, %dx		# isa-debug-exit
	outb	%al, %dx
2:	hlt
	jmp	2b
	.org	510
	.word	0xaa55
END
truncate -s 1M "$work/disk"

for option in graphics=off graphics=on; do
	run "$option"
done >"$work/seen"
cat >"$work/expected" <<'END'
graphics=off: ESC [?7l 1 times
graphics=off: ESC [?7h 0 times
graphics=off: last byte B
graphics=on: ESC [?7l 0 times
graphics=on: ESC [?7h 0 times
graphics=on: last byte B
END
cat "$work/seen"
diff -u "$work/expected" "$work/seen"
