/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A caller's buffer as the controller sees it. The chip moves data to any
 * address and across any boundary, so one request is one SCSI command.
 */
#include "int13.h"

#include "pc/phys.h"
#include "scsi/disk.h"

/* What a seg:off pair can name: up to FFFF:FFFFh. */
#define REAL_MODE_END 0x10fff0u

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
	enum scsi_result result =
		disk_read(&call->state->bus, disk->device, lba, (u16)blocks,
			  SECTOR_BYTES, address);
	if (result == SCSI_OK)
		*count = blocks;
	return int13_status(result);
}
