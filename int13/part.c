/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Sectors of an image that are not whole blocks of its disc.
 */
#include "image.h"

#include "pc/far.h"

#define MIB 0x100000u

bool image_wants_part(const struct int13_call *call, const struct piece *piece)
{
	return piece->action == DISK_READ &&
	       piece->sectors & ((1u << call->disk->split) - 1) &&
	       piece->buffer + (piece->sectors << SECTOR_SHIFT) <= MIB;
}

enum int13_status image_copy_part(const struct int13_call *call,
				  struct piece *piece)
{
	u32 block = (u32)piece->job.blocks.lba;
	enum int13_status status = STATUS_OK;

	/* What lies in the buffer is good as long as its disc is in. */
	if (call->state->buffer_block == block)
		status = int13_status(call, disk_simple(&call->state->bus,
							&call->disk->device,
							CDB_TEST_UNIT_READY));
	if (status == STATUS_OK)
		status = image_load_by(call, block, &piece->job);
	if (status == STATUS_OK)
		far_copy(piece->buffer,
			 linear_of(call->state->buffer_segment,
				   (u16)(piece->ahead << SECTOR_SHIFT)),
			 piece->sectors << SECTOR_SHIFT);
	else
		piece->sectors = 0;
	return status;
}
