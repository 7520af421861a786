/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Drive numbers, counted where every BIOS and ROM counts them: 40:75h.
 */
#include "drives.h"

#include "pc/bda.h"

struct disk *drives_find(struct int13_state *state, u8 number)
{
	for (u32 i = 0; i < state->disks; i++)
		if (state->disk[i].number == number)
			return &state->disk[i];
	return NULL;
}

bool drives_connect(struct int13_state *state, struct disk *disk)
{
	if (disk->number)
		return true;
	bda_open();
	u8 count = FAR8(BDA_HARD_DISK_COUNT);
	if (count >= MOST_BIOS_NUMBERS)
		return false;
	FAR8(BDA_HARD_DISK_COUNT) = (u8)(count + 1);
	disk->number = (u8)(FIRST_HARD_DISK + count);
	state->drive_map |= 1u << count;
	return true;
}
