/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calls BIOS code from C, on the current stack.
 */
#ifndef PC_BIOS_H
#define PC_BIOS_H

#include "types.h"

#define FLAGS_CF 0x0001u
#define FLAGS_ZF 0x0040u
#define FLAGS_IF 0x0200u

/* AX for INT 16h */
#define INT16_READ 0x0000  /* out: AL = character; waits for a key */
#define INT16_SHIFT_STATE 0x0200
#define INT16_CHECK 0x0100 /* out: ZF if no key is waiting, else AL = character */

/* Registers for a software interrupt, in PUSHAL order (see bios.S). */
struct bios_regs {
	u32 edi, esi, ebp, unused_esp, ebx, edx, ecx, eax, flags;
};

/* Call interrupt `number` with the registers in *regs; flags and segment
 * registers are ours. On return *regs has the registers and flags that the
 * BIOS returned. Moves FS.
 */
void bios_call(u8 number, struct bios_regs *regs);

/* Far call of a 16-bit C function in the BIOS with word_count (at least 1)
 * argument words, the first argument first. Returns DX:AX. Moves FS.
 */
u32 bios_far_call(u32 entry_far, const u16 *words, u32 word_count);

#endif
