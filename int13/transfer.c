/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A caller's buffer as the controller sees it. The chip moves data to any
 * address and across any boundary; only the length of a command is limited.
 */
#include "int13.h"

#include "pc/phys.h"
#include "scsi/disk.h"

/* What a seg:off pair can name: up to FFFF:FFFFh. */
#define REAL_MODE_END 0x10fff0u

/* In one command: hba.h wants less than 64 KiB. */
#define MOST_BLOCKS 127u

enum int13_status int13_read(const struct int13_call *call, u32 lba,
			     u32 *count, u16 segment, u16 offset)
{
	const struct disk *disk = call->disk;
	u32 address = phys_of_far(segment, offset);
	u32 blocks = *count;

	*count = 0;
	if (lba >= disk->sectors || blocks > disk->sectors - lba)
		return STATUS_NOT_FOUND;
	if (blocks * SECTOR_BYTES > REAL_MODE_END - address)
		return STATUS_DMA_BOUNDARY;
	while (*count < blocks) {
		u32 piece = blocks - *count;
		if (piece > MOST_BLOCKS)
			piece = MOST_BLOCKS;
		enum scsi_result result = disk_read(
			&call->state->bus, disk->device, lba + *count,
			(u16)piece, SECTOR_BYTES,
			address + *count * SECTOR_BYTES);
		if (result != SCSI_OK)
			return int13_status(result);
		*count += piece;
	}
	return STATUS_OK;
}
