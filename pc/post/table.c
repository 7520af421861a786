/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Searches the BIOS's memory for a table.
 * [PMM 1.01 "PMM structure"; PnP-BIOS 1.0A "Installation structure"]
 */
#include "table.h"

#include "pc/far.h"

#define FIRST_SEGMENT 0xe000 /* to FFFFh */
#define UPPER_HALF 0xf000
#define LENGTH 0x05 /* byte */

/* Seen: SeaBIOS saves the registers of interrupted code in segment E000h,
 * among them the signature that this code searches for. The length there is
 * too small.
 */
static bool is_table(u32 least_bytes)
{
	u32 bytes = FAR8(LENGTH);
	u8 sum = 0;

	for (u32 i = 0; i < bytes; i++)
		sum = (u8)(sum + FAR8(i));
	return bytes >= least_bytes && sum == 0;
}

/* The upper half is searched first because most BIOSes have their tables
 * there.
 */
bool table_open(u32 signature, u32 least_bytes)
{
	u16 segment = UPPER_HALF;

	do {
		far_open(segment);
		if (FAR32(0) == signature && is_table(least_bytes))
			return true;
		segment = (u16)(segment + 1) | FIRST_SEGMENT;
	} while (segment != UPPER_HALF);
	return false;
}
