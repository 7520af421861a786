/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Measures a disk, or the medium in a drive.
 */
#include "int13/drives.h"

#include "pc/far.h"

/* Read the first block and point FS at it: GEOMETRY_FIRST_SECTOR. 0 if that fails: a
 * disk with a bad first sector remains usable, with the geometry for its size. Not
 * inline: our stack has no room for its job next to the request of disk_capacity().
 */
static NOT_INLINE u8 read_first_block(struct int13_state *state,
				      const struct disk *disk)
{
	struct disk_job job = {
		.blocks = {.count = 1},
		.action = DISK_READ,
		.block_shift = (u8)(disk->sector_shift + disk->split),
		.request.data = {state->buffer_address, BLOCK_BUFFER_BYTES},
	};

	state->buffer_block = NO_BLOCK;
	if (!state->buffer_segment ||
	    disk_do(&state->bus, &disk->device, &job) != SCSI_OK)
		return 0;
	far_open(state->buffer_segment);
	return GEOMETRY_FIRST_SECTOR;
}

/* Read the capacity. A CD drive with other blocks than those of 2048 bytes, as old
 * Sun drives have after each reset, is asked for these; if it refuses, its blocks
 * stay as they are.
 */
static enum scsi_result read_capacity(struct int13_state *state,
				      const struct disk *disk,
				      struct disk_capacity *capacity)
{
	struct scsi_bus *bus = &state->bus;
	enum scsi_result result = disk_capacity(bus, &disk->device, capacity);

	if (result != SCSI_OK || !(disk->flags & DISK_CD) ||
	    capacity->block_bytes == 1u << CD_BLOCK_SHIFT)
		return result;
	result = disk_set_block_bytes(bus, &disk->device, 1u << CD_BLOCK_SHIFT);
	if (result == SCSI_ILLEGAL_REQUEST)
		return SCSI_OK;
	return result == SCSI_OK ? disk_capacity(bus, &disk->device, capacity)
				 : result;
}

enum scsi_result drives_measure(struct int13_state *state, struct disk *disk,
				struct disk_capacity *capacity)
{
	u8 shift = SECTOR_SHIFT;
	enum scsi_result result = read_capacity(state, disk, capacity);

	if (result != SCSI_OK)
		return result;
	while (capacity->block_bytes != 1u << shift)
		if (++shift > MOST_BLOCK_SHIFT)
			return SCSI_BAD_BLOCKS;
	if (shift != SECTOR_SHIFT && !state->buffer_segment)
		return SCSI_BAD_BLOCKS;
	if (!capacity->blocks || capacity->blocks >> 56)
		return SCSI_HARDWARE_ERROR; /* not plausible */
	if (disk->flags & DISK_CD && shift != CD_BLOCK_SHIFT &&
	    shift != SECTOR_SHIFT)
		return SCSI_BAD_BLOCKS;
	disk->sector_shift = state->native_blocks ? shift : SECTOR_SHIFT;
	if (disk->flags & DISK_CD)
		disk->sector_shift = CD_BLOCK_SHIFT;
	disk->split = (i8)(shift - disk->sector_shift);
	disk->sectors = disk->split < 0
				? capacity->blocks >> CD_SECTOR_SPLIT
				: capacity->blocks << disk->split;
	if (disk->flags & DISK_CD) /* for AH=48h; there is no CHS */
		disk->geometry = (struct geometry){MOST_CYLINDERS, MOST_HEADS,
						   MOST_SECTORS_PER_TRACK};
	else
		disk->geometry =
			geometry_choose(drives_sectors32(disk),
					read_first_block(state, disk) |
						state->geometry_rule);
	/* The first block may be that of another medium. */
	if (state->bus.medium_changed && state->bus.stop_at_change)
		return SCSI_MEDIUM_CHANGED;
	disk->flags &= (u8)~DISK_UNKNOWN;
	return SCSI_OK;
}
