/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * [PMM 1.01 "PMM structure"; PnP-BIOS 1.0A "Installation structure"]
 */
#include "table.h"

#include "far.h"

#define FIRST_SEGMENT 0xe000
#define LAST_SEGMENT 0xffff
#define LENGTH 0x05 /* byte */

/* Seen: SeaBIOS saves the registers of whom it interrupts in segment E000h, our
 * signature among them; what follows is not as long as a table.
 */
bool table_open(u32 signature, u32 least_bytes)
{
	for (u32 segment = FIRST_SEGMENT; segment <= LAST_SEGMENT; segment++) {
		far_open((u16)segment);
		u32 bytes = FAR8(LENGTH);
		if (FAR32(0) != signature || bytes < least_bytes)
			continue;
		u8 sum = 0;
		for (u32 i = 0; i < bytes; i++)
			sum = (u8)(sum + FAR8(i));
		if (sum == 0)
			return true;
	}
	return false;
}
