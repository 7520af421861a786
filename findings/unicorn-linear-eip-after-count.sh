#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# Unicorn runs code until an address, or for a number of instructions (the argument
# `count`). A good guess is that EIP is the offset in the code segment afterwards, however
# the run ended, so that CS and EIP can be used to find out where the CPU is.
#
# Seen, with Unicorn 2.0.1 (Debian python3-unicorn 2.0.1.post1-1) in 16-bit mode, with CS =
# 2000h and a program of NOPs at its offset 10h: after a run that ends at an address, EIP
# is 12h. After a run of the same two instructions that ends by its count, EIP is 20012h,
# the linear address. The same happens if a hook stops the run; only the address at which
# a run is to end, or HLT, gives the offset.
#
# Who meets it: emulators of BIOSes, option ROMs, DOS programs and boot sectors in
# Unicorn that step through code or stop in hooks. With CS = 0 the two values are equal,
# so that it shows only in code that does not run in segment 0.
#
# Needs amd64, package lists of Debian 12, 100 MB in the temporary folder.
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

unpack python3-unicorn=2.0.1.post1-1 python3-setuptools=66.1.1-1+deb12u2

cat >"$work/program.py" <<'END'
from unicorn import UC_ARCH_X86, UC_HOOK_CODE, UC_MODE_16, Uc, __version__
from unicorn.x86_const import UC_X86_REG_CS, UC_X86_REG_EIP

print("Unicorn", __version__)
NOP, HLT = b"\x90", b"\xf4"


def run(what, segment, until, count=0, stop_at=None):
    uc = Uc(UC_ARCH_X86, UC_MODE_16)
    uc.mem_map(0, 0x100000)
    begin = segment * 16 + 0x10
    uc.mem_write(begin, NOP * 4 + HLT)
    uc.reg_write(UC_X86_REG_CS, segment)
    if stop_at:
        uc.hook_add(UC_HOOK_CODE, lambda uc, *_: uc.emu_stop(), None, begin + stop_at, begin + stop_at)
    uc.emu_start(begin, begin + until, count=count)
    print(f"{what}: CS {uc.reg_read(UC_X86_REG_CS):04X}h EIP {uc.reg_read(UC_X86_REG_EIP):X}h")


FAR = 0x1000
run("until the second instruction", 0x2000, 2)
run("two instructions", 0x2000, FAR, count=2)
run("stopped by a hook", 0x2000, FAR, stop_at=2)
run("until HLT", 0x2000, FAR)
run("two instructions", 0, FAR, count=2)
END
PYTHONHOME=$root/usr "$libraries/ld-linux-x86-64.so.2" \
	--library-path "$libraries:$root/usr/lib/x86_64-linux-gnu" \
	"$root/usr/bin/python3.11" "$work/program.py" >"$work/seen"

cat >"$work/expected" <<'END'
Unicorn 2.0.1
until the second instruction: CS 2000h EIP 12h
two instructions: CS 2000h EIP 20012h
stopped by a hook: CS 2000h EIP 20012h
until HLT: CS 2000h EIP 15h
two instructions: CS 0000h EIP 12h
END
cat "$work/seen"
diff -u "$work/expected" "$work/seen"
