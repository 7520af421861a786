#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# Unicorn calls a hook for each IN and OUT, which may stop the run with emu_stop(). A good
# guess is that no further instruction runs then, as with a hook for a memory access or
# for INT.
#
# Seen, with Unicorn 2.0.1 (Debian python3-unicorn 2.0.1.post1-1) in 16-bit mode: after
# emu_stop() in a hook for IN or OUT, the CPU goes on to the end of the block, which is
# the next jump. Three INC BX after it are executed, those after the jump are not. A
# second IN in the block calls the hook a second time. After emu_stop() in a hook for a
# memory access or INT, none of the INCs runs.
#
# Who meets it: emulators that model devices in Python on Unicorn and stop the CPU at an
# access, to deliver an interrupt or because the access is an error: state read after the
# stop belongs to a later instruction, and a device may be accessed again after the error.
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
import unicorn
from unicorn import UC_ARCH_X86, UC_MODE_16, Uc
from unicorn.x86_const import UC_X86_INS_IN, UC_X86_INS_OUT, UC_X86_REG_BX

print("Unicorn", unicorn.__version__)
INC_BX, JUMP_TO_NEXT, HLT = b"\x43", b"\xeb\x00", b"\xf4"
REST = 3 * INC_BX + JUMP_TO_NEXT + 3 * INC_BX + HLT


def run(what, code, kind, *which):
    """Stop in the hook at the first access; count the calls of the hook and the INCs."""
    uc = Uc(UC_ARCH_X86, UC_MODE_16)
    uc.mem_map(0, 0x10000)
    uc.mem_write(0x100, code + REST)
    calls = []

    def stop(uc, *_):
        calls.append(uc)
        uc.emu_stop()
        return 0
    uc.hook_add(kind, stop, None, 1, 0, *which)
    uc.emu_start(0x100, 0xFFF0)
    print(f"{what}: hook called {len(calls)} times, then {uc.reg_read(UC_X86_REG_BX)} INCs")


run("IN", b"\xec", unicorn.UC_HOOK_INSN, UC_X86_INS_IN)
run("OUT", b"\xee", unicorn.UC_HOOK_INSN, UC_X86_INS_OUT)
run("IN, IN", b"\xec\xec", unicorn.UC_HOOK_INSN, UC_X86_INS_IN)
run("read", b"\xa0\x00\x50", unicorn.UC_HOOK_MEM_READ)
run("write", b"\xa2\x00\x50", unicorn.UC_HOOK_MEM_WRITE)
run("INT 21h", b"\xcd\x21", unicorn.UC_HOOK_INTR)
END
PYTHONHOME=$root/usr "$libraries/ld-linux-x86-64.so.2" \
	--library-path "$libraries:$root/usr/lib/x86_64-linux-gnu" \
	"$root/usr/bin/python3.11" "$work/program.py" >"$work/seen"

cat >"$work/expected" <<'END'
Unicorn 2.0.1
IN: hook called 1 times, then 3 INCs
OUT: hook called 1 times, then 3 INCs
IN, IN: hook called 2 times, then 3 INCs
read: hook called 1 times, then 0 INCs
write: hook called 1 times, then 0 INCs
INT 21h: hook called 1 times, then 0 INCs
END
cat "$work/seen"
diff -u "$work/expected" "$work/seen"
