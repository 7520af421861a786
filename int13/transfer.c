/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * A caller's sectors and buffer, cut into pieces that one SCSI command can
 * do. The chip moves data to any address and across any boundary. Where a
 * block holds several sectors and not all of them are wanted, it moves the
 * others from or to the block buffer within the same command.
 */
#include "image.h"

/* In one command: hba.h wants less than 64 KiB. */
#define MOST_BYTES 0xffffu

static bool moves_data(u8 action)
{
	return action <= DISK_WRITE_VERIFY;
}

/* As many whole blocks as a command takes and the caller wants, or some
 * sectors of one block.
 */
static void choose_sectors(const struct disk *disk, struct piece *piece,
			   u32 wanted)
{
	u32 most = MOST_BYTES >> disk->sector_shift;

	piece->ahead = 0;
	if (wanted > most)
		wanted = most;
	if (disk->split) {
		u32 in_block = 1u << disk->split;

		piece->ahead = (u32)piece->lba & (in_block - 1);
		if (!piece->ahead && wanted >= in_block)
			wanted &= ~(in_block - 1);
		else if (wanted > in_block - piece->ahead)
			wanted = in_block - piece->ahead;
	}
	piece->sectors = wanted;
}

/* Where the data goes. False if a bus master cannot get there. */
static bool find_memory(const struct int13_call *call, struct piece *piece)
{
	struct disk_job *job = &piece->job;
	struct vds_pages *memory = &piece->memory;
	u32 bytes = piece->sectors << call->disk->sector_shift;
	u32 pages = 1;

	job->data = (struct phys_range){piece->buffer, bytes};
	if (!call->disk->split && !call->state->by_vds)
		return true;
	memory->page[0] = job->data;
	if (call->state->by_vds) {
		memory->to_device = writes(job->action);
		pages = vds_lock(memory, piece->buffer, bytes);
	}
	job->data = (struct phys_range){
		call->state->buffer_address,
		piece->ahead << call->disk->sector_shift};
	job->more = memory->page;
	bytes += job->data.bytes;
	memory->page[pages] = (struct phys_range){
		job->data.address + bytes,
		(job->blocks.count << job->block_shift) - bytes};
	return pages;
}

/* Read the block of which only a part will be written. */
static enum scsi_result read_rest(const struct int13_call *call,
				  struct disk_job *write)
{
	struct phys_range data = write->data;
	u8 action = write->action;

	write->action = DISK_READ;
	write->data.bytes = BLOCK_BUFFER_BYTES;
	enum scsi_result result =
		disk_do(&call->state->bus, &call->disk->device, write);
	write->action = action;
	write->data = data;
	return result;
}

enum int13_status int13_result(const struct int13_call *call, u8 action,
			       enum scsi_result result)
{
	if (result == SCSI_MEDIUM_ERROR && writes(action))
		return STATUS_WRITE_FAULT;
	return int13_status(call, result);
}

static enum int13_status do_job(const struct int13_call *call,
				struct piece *piece)
{
	struct disk_job *job = &piece->job;
	bool part_of_block = piece->sectors & ((1u << call->disk->split) - 1);

	if (writes(job->action) && part_of_block) {
		enum scsi_result result = read_rest(call, job);
		if (result != SCSI_OK)
			return int13_status(call, result);
	}
	enum scsi_result result =
		disk_do(&call->state->bus, &call->disk->device, job);
	return int13_result(call, piece->action, result);
}

/* Do the piece. On return piece->sectors is how many of it are good. */
static NOT_INLINE enum int13_status
do_piece(const struct int13_call *call, struct piece *piece)
{
	const struct disk *disk = call->disk;
	struct disk_job *job = &piece->job;
	u32 blocks = piece->sectors;

	job->blocks.lba = piece->lba;
	if (disk->split) {
		job->blocks.lba >>= disk->split;
		blocks = (piece->ahead + blocks + (1u << disk->split) - 1) >>
			 disk->split;
	}
	if (disk->flags & DISK_IMAGE) {
		job->blocks.lba += call->state->image.lba;
		if (image_wants_part(call, piece))
			return image_copy_part(call, piece);
	}
	if (disk->split)
		call->state->buffer_block = NO_BLOCK;
	job->blocks.count = (u8)blocks;
	job->action = piece->action;
	job->block_shift = (u8)(disk->sector_shift + disk->split);
	if (moves_data(piece->action) && !find_memory(call, piece)) {
		piece->sectors = 0;
		return STATUS_DMA_BOUNDARY;
	}
	enum int13_status status = do_job(call, piece);
	if (status != STATUS_OK) {
		u32 done = job->done << disk->split;
		piece->sectors = done > piece->ahead ? done - piece->ahead : 0;
	}
	if (call->state->by_vds && moves_data(piece->action) &&
	    !vds_unlock(&piece->memory)) {
		piece->sectors = 0;
		if (status == STATUS_OK)
			status = STATUS_DMA_BOUNDARY;
	}
	return status;
}

/* Can all of it be done? */
static enum int13_status check(const struct int13_call *call,
			       const struct int13_range *range, u32 count)
{
	const struct disk *disk = call->disk;

	if (range->lba >= disk->sectors || count > disk->sectors - range->lba)
		return STATUS_NOT_FOUND;
	if (moves_data(range->action) &&
	    count > range->room >> disk->sector_shift)
		return STATUS_DMA_BOUNDARY;
	return STATUS_OK;
}

enum int13_status int13_transfer(const struct int13_call *call,
				 struct int13_range *range)
{
	const struct disk *disk = call->disk;
	u32 left = range->count, most = left;
	enum int13_status status = STATUS_CHANGED;
	struct piece piece;

	piece.lba = range->lba;
	piece.buffer = range->buffer;
	piece.action = range->action;
	range->count = 0;
	/* Or the sectors would be taken for those of the old medium. */
	if (!(disk->flags & DISK_UNTOLD))
		status = check(call, range, left);
	while (status == STATUS_OK && left) {
		choose_sectors(disk, &piece, left < most ? left : most);
		u32 wanted = piece.sectors;
		status = do_piece(call, &piece);
		/* What cannot be locked together may go in smaller pieces. */
		if (status == STATUS_DMA_BOUNDARY && wanted > 1) {
			most = wanted / 2;
			status = STATUS_OK;
		}
		piece.lba += piece.sectors;
		piece.buffer += piece.sectors << disk->sector_shift;
		range->count += piece.sectors;
		left -= piece.sectors;
	}
	return status;
}
