/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Cuts a job into pieces, each of which one SCSI command can do. The chip moves
 * data to any address and across any boundary. If only some sectors of a block
 * are wanted, the same command moves the others to or from the block buffer.
 */
#include "transfer.h"

#include "cd/emulation.h"
#include "extra/emulated.h"
#include "pc/far.h"

#define MOST_BYTES 0xffffu /* in one command: scsi/disk.h */

static bool moves_data(u8 action)
{
	return action <= DISK_WRITE_VERIFY;
}

/* Choose the blocks of a piece on a disk whose blocks have several sectors:
 * whole blocks, or some sectors of a single block. If a sector has several blocks,
 * all of them.
 */
static NOT_INLINE void choose_blocks(const struct disk *disk,
				     struct int13_job *job)
{
	struct scsi_blocks *blocks = &job->piece.blocks;

	if (disk->split < 0) {
		blocks->lba <<= CD_SECTOR_SPLIT;
		blocks->count <<= CD_SECTOR_SPLIT;
		return;
	}
	u32 in_block = 1u << disk->split;
	u32 ahead = (u32)blocks->lba & (in_block - 1);
	u32 sectors = job->sectors;

	if (!ahead && sectors >= in_block)
		sectors &= ~(in_block - 1);
	else if (sectors > in_block - ahead)
		sectors = in_block - ahead;
	job->sectors = sectors;
	job->ahead = ahead;
	blocks->lba >>= disk->split;
	blocks->count = (ahead + sectors + in_block - 1) >> disk->split;
}

/* Put memory of ours that is known to be where it says in place of the caller's
 * buffer: a sector of the workspace, or the block buffer for a larger one. False if
 * there is more than one sector, or the CPU cannot reach the caller's buffer.
 */
static bool use_own(const struct int13_call *call, struct int13_job *job)
{
	struct phys_range *data = &job->piece.request.data;
	u32 caller = data->address, bytes = data->bytes;

	if (job->sectors != 1 || caller > REAL_MODE_END - bytes)
		return false;
	data->address = call->disk->sector_shift == SECTOR_SHIFT
				? phys_of(bounce_sector)
				: call->state->buffer_address;
	job->memory.region.offset = caller;
	far_copy(data->address, caller, bytes); /* only a write needs it */
	return true;
}

/* Let go of the caller's buffer. False if data that was read has not arrived. */
static bool release(const struct int13_call *call, struct int13_job *job)
{
	const struct vds_pages *memory = &job->memory;

	if (call->state->buffer_place == PLACE_BY_VDS)
		return vds_unlock(&job->memory);
	if (!memory->to_device)
		far_copy(memory->region.offset, memory->page[0].address,
			 memory->page[0].bytes);
	return true;
}

/* List the memory of the piece: sectors before the wanted ones in the block
 * buffer, the caller's buffer, the rest of the last block in the block buffer.
 * False if the chip cannot reach the caller's buffer.
 */
static NOT_INLINE bool list_memory(const struct int13_call *call,
				   struct int13_job *job)
{
	struct disk_job *piece = &job->piece;
	struct vds_pages *memory = &job->memory;
	u32 bytes = piece->request.data.bytes;
	u32 pages = 1;

	memory->to_device = disk_action_writes(job->action);
	if (call->state->buffer_place == PLACE_UNKNOWN && !use_own(call, job))
		return false;
	memory->page[0] = piece->request.data;
	if (call->state->buffer_place == PLACE_BY_VDS)
		pages = vds_lock(memory, piece->request.data.address, bytes);
	piece->request.data = (struct phys_range){
		call->state->buffer_address,
		job->ahead << call->disk->sector_shift};
	piece->request.more = memory->page;
	bytes += piece->request.data.bytes;
	memory->page[pages] = (struct phys_range){
		piece->request.data.address + bytes,
		(piece->blocks.count << piece->block_shift) - bytes};
	return pages;
}

/* Read the block of which only a part will be written: the write sends all of
 * it.
 */
static NOT_INLINE enum scsi_result read_rest(const struct int13_call *call,
				  struct disk_job *write)
{
	u32 bytes = write->request.data.bytes;
	u8 action = write->action;

	write->action = DISK_READ;
	write->request.data.bytes = BLOCK_BUFFER_BYTES;
	enum scsi_result result =
		disk_do(&call->state->bus, &call->disk->device, write);
	write->action = action;
	write->request.data.bytes = bytes;
	return result;
}

/* Send the piece's commands. */
static enum int13_status do_job(const struct int13_call *call,
				struct int13_job *job)
{
	const struct disk *disk = call->disk;
	struct disk_job *piece = &job->piece;
	enum scsi_result result = SCSI_OK;

	if (disk->split && disk_action_writes(job->action) &&
	    job->sectors & ((1u << disk->split) - 1)) {
		result = read_rest(call, piece);
		if (result != SCSI_OK)
			return int13_status_of(call, result);
	}
	result = disk_do(&call->state->bus, &disk->device, piece);
	if (result == SCSI_MEDIUM_ERROR && disk_action_writes(job->action))
		return STATUS_WRITE_FAULT;
	return int13_status_of(call, result);
}

/* Do the piece. On return job->sectors is the number of sectors transferred. */
static NOT_INLINE enum int13_status do_piece(const struct int13_call *call,
				  struct int13_job *job)
{
	const struct disk *disk = call->disk;
	struct disk_job *piece = &job->piece;

	piece->action = job->action;
	piece->block_shift = drives_block_shift(disk);
	piece->request.data.address =
		job->buffer + (job->done << disk->sector_shift);
	piece->request.data.bytes = job->sectors << disk->sector_shift;
	if (disk->flags & DISK_EMULATED) {
		piece->blocks.lba += call->state->boot_image.first;
		if (emulation_uses_buffer(call, job))
			return emulation_copy_part(call, job);
	}
	call->state->buffer_block = NO_BLOCK;
	bool listed = (disk->split || call->state->buffer_place) &&
		      moves_data(job->action);
	if (listed && !list_memory(call, job)) {
		job->sectors = 0;
		return STATUS_DMA_BOUNDARY;
	}
	enum int13_status status = do_job(call, job);
	if (status != STATUS_OK) {
		u32 done = piece->done << piece->block_shift >>
			   disk->sector_shift;
		job->sectors =
			done > job->ahead ? done - job->ahead : 0;
	}
	if (listed && call->state->buffer_place && !release(call, job)) {
		job->sectors = 0;
		if (status == STATUS_OK)
			status = STATUS_DMA_BOUNDARY;
	}
	return status;
}

/* Is some of the buffer in our own memory, which the chip works with? */
static bool meets_workspace(const struct disk *disk, const struct int13_job *job)
{
	u32 last = job->buffer + (job->count << disk->sector_shift) - 1;

	return last >= linear_base &&
	       job->buffer < linear_base + WORKSPACE_BYTES;
}

/* Check the whole job before anything is transferred. */
static enum int13_status check(const struct disk *disk,
			       const struct int13_job *job)
{
	u64 after; /* sectors from job->lba to the end */

	/* The caller means sectors of the old medium. */
	if (disk->flags & DISK_UNREPORTED)
		return STATUS_CHANGED;
	if (__builtin_sub_overflow(disk->sectors, job->lba, &after) ||
	    after < job->count)
		return STATUS_NOT_FOUND;
	if (moves_data(job->action) &&
	    job->count > job->room >> disk->sector_shift)
		return STATUS_DMA_BOUNDARY;
	if (job->action == DISK_READ && meets_workspace(disk, job))
		return STATUS_DMA_BOUNDARY;
	return STATUS_OK;
}

enum int13_status int13_transfer(const struct int13_call *call,
				 struct int13_job *job)
{
	const struct disk *disk = call->disk;
	enum int13_status status = check(disk, job);
	u32 most = MOST_BYTES >> disk->sector_shift;

	job->done = 0;
	while (status == STATUS_OK && job->done < job->count) {
		u32 sectors = job->count - job->done;

		if (sectors > most)
			sectors = most;
		job->piece.blocks.lba = job->lba + job->done;
		job->piece.blocks.count = sectors;
		job->sectors = sectors;
		job->ahead = 0;
		if (disk->split)
			choose_blocks(disk, job);
		sectors = job->sectors;
		status = do_piece(call, job);
		/* Smaller pieces may be reached. */
		if (status == STATUS_DMA_BOUNDARY && sectors > 1) {
			most = sectors / 2;
			status = STATUS_OK;
		}
		job->done += job->sectors;
	}
	return status;
}
