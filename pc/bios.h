/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calls from C into the BIOS. Uses whatever stack we are on.
 */
#ifndef PC_BIOS_H
#define PC_BIOS_H

#include "types.h"

#define FLAGS_CF 0x0001u
#define FLAGS_IF 0x0200u

/* Registers for a software interrupt, in PUSHAL order (see bios.S). */
struct bios_regs {
	u32 edi, esi, ebp, unused_esp, ebx, edx, ecx, eax, flags;
};

/* INT number with the registers of *regs (flags and segments are ours); on
 * return *regs holds what the BIOS left, flags included. Moves FS.
 */
void bios_call(u8 number, struct bios_regs *regs);

/* Far call with 16-bit C arguments (PMM): word_count words, the first being
 * the callee's first argument. Returns DX:AX. Moves FS.
 */
u32 bios_far_call(u32 entry_far, const u16 *words, u32 word_count);

#endif
