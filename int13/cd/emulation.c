/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Reads the boot image of the emulated drive.
 */
#include "emulation.h"

#include "buffer.h"
#include "cd.h"
#include "int13/extra/emulated.h"
#include "pc/far.h"
#include "pc/phys.h"

/* Measure the disc that is in the drive now. The size of the emulated drive,
 * call->disk, follows from it.
 */
static enum int13_status measure(const struct int13_call *call)
{
	struct disk *view = call->disk;
	struct disk *cd = &drive_table[call->state->boot_image.disk];
	struct disk_capacity capacity;
	enum int13_status status = int13_status_of(
		call, drives_measure(call->state, view, &capacity));

	if (status != STATUS_OK)
		return status;
	cd->sectors = view->sectors;
	cd->split = view->split;
	cd->flags = (cd->flags & DISK_KIND) | (view->flags & (u8)~DISK_KIND);
	emulation_view(call->state, view);
	return STATUS_OK;
}

enum int13_status emulation_check(const struct int13_call *call)
{
	struct boot_image *image = &call->state->boot_image;
	enum int13_status status = STATUS_OK;

	if (image->checked)
		return STATUS_OK;
	call->state->buffer_block = NO_BLOCK;
	if (call->disk->flags & DISK_UNKNOWN)
		status = measure(call);
	if (status == STATUS_OK)
		status = cd_buffer_fill(call, image->lba);
	if (status == STATUS_NOT_FOUND)
		return STATUS_NO_MEDIUM; /* another disc, a shorter one */
	if (status != STATUS_OK)
		return status;
	u32 blocks = (u32)drive_table[image->disk].sectors;
	image->checked = cd_buffer_crc(blocks) == image->crc;
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
