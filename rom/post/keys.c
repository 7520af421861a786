/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Reads the keyboard by INT 16h, which also delivers the keys of a serial
 * console.
 */
#include "keys.h"

#include "pc/bios.h"

#define LOWER_CASE ('a' - 'A')
#define MOST_KEYS 32 /* a buffer holds 15 */

bool keys_take(char letter)
{
	struct bios_regs regs = {.eax = INT16_CHECK};

	bios_call(0x16, &regs);
	u8 key = (u8)regs.eax;
	if (key >= 'a')
		key = (u8)(key - LOWER_CASE);
	if (regs.flags & FLAGS_ZF || key != (u8)letter)
		return false;
	regs.eax = INT16_READ;
	bios_call(0x16, &regs);
	return true;
}

bool keys_take_all(char letter)
{
	u32 taken = 0;

	while (taken < MOST_KEYS && keys_take(letter))
		taken++;
	return taken;
}

void keys_let_in(void)
{
	struct bios_regs regs = {.eax = INT16_SHIFT_STATE};

	bios_call(0x16, &regs);
}
