/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Drive numbers. Every BIOS and ROM counts its hard disks at 40:75h.
 */
#include "drives.h"

#include "pc/bda.h"

struct disk *drives_find(struct int13_state *state, u8 number)
{
	struct disk *disk = drive_table;

	for (u8 left = state->disks; left; left--, disk++)
		if (disk->number == number)
			return disk;
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

bool drives_disconnect(struct int13_state *state, struct disk *disk)
{
	bda_open();
	u32 last = FAR8(BDA_HARD_DISK_COUNT) - 1u;
	if (!disk->number || disk->number != FIRST_HARD_DISK + last)
		return false;
	FAR8(BDA_HARD_DISK_COUNT) = (u8)last;
	state->drive_map &= ~(1u << last);
	disk->number = 0;
	return true;
}
