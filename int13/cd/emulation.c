/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Reads the boot image of the emulated drive.
 */
#include "emulation.h"

#include "buffer.h"
#include "cd.h"
#include "pc/far.h"
#include "pc/phys.h"

enum int13_status emulation_check(const struct int13_call *call)
{
	struct boot_image *image = &call->state->boot_image;

	if (image->checked)
		return STATUS_OK;
	call->state->buffer_block = NO_BLOCK;
	enum int13_status status = cd_buffer_fill(call, image->lba);
	if (status == STATUS_NOT_FOUND)
		return STATUS_NO_MEDIUM; /* another disc, a shorter one */
	if (status != STATUS_OK)
		return status;
	image->checked = cd_buffer_sum() == image->sum;
	return image->checked ? STATUS_OK : STATUS_NO_MEDIUM;
}

enum int13_status emulation_copy_part(const struct int13_call *call,
				  struct int13_job *job)
{
	u32 block = (u32)job->piece.blocks.lba;
	struct phys_range to = job->piece.request.data;
	enum int13_status status = STATUS_OK;

	/* A block in the buffer is valid only while its disc is in the drive. */
	if (call->state->buffer_block == block)
		status = int13_status_of(
			call, disk_ready_by(&call->state->bus,
					    &call->disk->device,
					    &job->piece.request));
	if (status == STATUS_OK)
		status = cd_buffer_fill_by(call, block, &job->piece);
	if (status == STATUS_OK)
		far_copy(to.address,
			 linear_of(call->state->buffer_segment,
				   (u16)(job->ahead << SECTOR_SHIFT)),
			 to.bytes);
	else
		job->sectors = 0;
	return status;
}
