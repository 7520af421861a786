/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Prints by INT 10h AH=0Eh, one character at a time.
 */
#include "console.h"

#include "bios.h"

void console_char(char c)
{
	/* BH = page 0, BL = light grey, which only graphics modes use */
	struct bios_regs regs = {.eax = 0x0e00 | (u8)c, .ebx = 0x0007};

	bios_call(0x10, &regs);
}

void console_bytes(const char *text, u32 length)
{
	for (u32 i = 0; i < length; i++)
		console_char(text[i]);
}

void console_rom(char IN_ROM *text)
{
	while (*text)
		console_char(*text++);
}

void console_hex8(u8 value)
{
	for (int shift = 4; shift >= 0; shift -= 4) {
		u8 digit = value >> shift & 15;
		console_char((char)(digit < 10 ? '0' + digit
					       : 'A' + digit - 10));
	}
}

void console_decimal(u32 value)
{
	u32 power = 1;

	while (value / power >= 10)
		power *= 10;
	for (; power; power /= 10)
		console_char((char)('0' + value / power % 10));
}

void console_newline(void)
{
	console_char('\r');
	console_char('\n');
}
