#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
#
# GCC has named address spaces for x86: an access to an object of __seg_gs has the
# prefix of GS. A good guess is that each access has it.
#
# Seen, with GCC 12.2.0 of Debian 12 (gcc-12 12.2.0-14+deb12u1, binutils 2.40-2): with
# -Os, two neighbouring bytes that are combined to a word, most significant byte first,
# are read as one word. In a loop over an array this read has no prefix: it reads what
# lies at the same offset in the flat address space. Without a loop, and for a single
# byte in a loop, the prefix is there. With -fno-expensive-optimizations all are right.
# No diagnostic is printed.
#
# Who meets it: writers of code for real mode, of boot loaders and of kernels, who keep
# data in other segments, or for each CPU, and read big-endian fields there.
#
# Needs amd64, package lists of Debian 12, 300 MB in the temporary folder. Exits with 0
# if the output is still as noted at the end, otherwise with 1.

set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root

mkdir -p "$work/cache/archives/partial" "$root"
: >"$work/status" # no package is installed
if ! apt-get -qq -y --no-install-recommends --download-only \
	-o Debug::NoLocking=1 -o APT::Sandbox::User= \
	-o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
	install gcc-12=12.2.0-14+deb12u1 binutils=2.40-2 >"$work/log" 2>&1; then
	cat "$work/log" >&2
	exit 1
fi
for package in "$work"/cache/archives/*.deb; do
	dpkg -x "$package" "$root"
done

# In the segment GS lie 01 02 03 04 ... at the offset of `table`; at the same flat address
# lie zeros.
cat >"$work/program.c" <<'END'
struct pair { unsigned char high, low; };
extern __seg_gs struct pair table[4];
__asm__(".section .rodata\ntable: .zero 8\n.text"); /* below in_gs: a base of GS is positive */
extern const char flat[] __asm__("table");
static unsigned char in_gs[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static __attribute__((noinline)) unsigned words(unsigned count)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += (unsigned)(table[i].high << 8 | table[i].low);
	return sum;
}

static __attribute__((noinline)) unsigned one_word(unsigned i)
{
	return (unsigned)(table[i].high << 8 | table[i].low);
}

static __attribute__((noinline)) unsigned high_bytes(unsigned count)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += table[i].high;
	return sum;
}

static long call(long number, long a, long b, long c)
{
	__asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return number;
}

static void print(const char *name, unsigned value)
{
	char digits[] = "0000\n";
	unsigned length = 0;
	for (unsigned i = 4; i; value >>= 4)
		digits[--i] = "0123456789abcdef"[value & 15];
	while (name[length])
		length++;
	call(1, 1, (long)name, length);
	call(1, 1, (long)digits, 5);
}

void _start(void)
{
	call(158, 0x1001, (long)in_gs - (long)flat, 0); /* arch_prctl(ARCH_SET_GS) */
	print(" words in a loop ", words(4));
	print(" one word ", one_word(0));
	print(" high bytes in a loop ", high_bytes(4));
	call(60, 0, 0, 0);
}
END

# Compiles with OPTIONS, runs the program and prints its output.
run() {
	LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu "$root/usr/bin/x86_64-linux-gnu-gcc-12" \
		-B"$root/usr/lib/gcc/x86_64-linux-gnu/12/" -B"$root/usr/bin/" -Wall -Wextra \
		-Wno-builtin-declaration-mismatch "$@" -fno-pie -no-pie -static -nostdlib -ffreestanding \
		-fno-stack-protector -o "$work/program" "$work/program.c"
	echo "$*:"
	"$work/program"
}

run -Os >"$work/seen"
run -Os -fno-expensive-optimizations >>"$work/seen"
cat >"$work/expected" <<'END'
-Os:
 words in a loop 0000
 one word 0102
 high bytes in a loop 0010
-Os -fno-expensive-optimizations:
 words in a loop 1014
 one word 0102
 high bytes in a loop 0010
END
cat "$work/seen"
diff -u "$work/expected" "$work/seen"
