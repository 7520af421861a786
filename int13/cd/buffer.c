/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Reads blocks of a CD into the block buffer.
 */
#include "buffer.h"

#include "pc/far.h"

enum int13_status cd_buffer_fill_by(const struct int13_call *call, u32 block,
				struct disk_job *piece)
{
	struct int13_state *state = call->state;
	enum int13_status status = STATUS_OK;
	u8 block_shift = drives_block_shift(call->disk);
	u32 split = CD_BLOCK_SHIFT - block_shift;

	*piece = (struct disk_job){
		.blocks = {.lba = (u64)block << split, .count = 1u << split},
		.action = DISK_READ,
		.block_shift = block_shift,
		.request.data = {state->buffer_address, 1u << CD_BLOCK_SHIFT},
	};
	if (state->buffer_block != block) {
		state->buffer_block = NO_BLOCK;
		status = int13_status_of(
			call,
			disk_do(&state->bus, &call->disk->device, piece));
		if (status == STATUS_OK)
			state->buffer_block = block;
	}
	far_open(state->buffer_segment);
	return status;
}

enum int13_status cd_buffer_fill(const struct int13_call *call, u32 block)
{
	struct disk_job piece;

	return cd_buffer_fill_by(call, block, &piece);
}

#define CRC_POLYNOMIAL 0xedb88320u /* bit 31 for x^0 */

u32 cd_buffer_crc(u32 blocks)
{
	u32 crc = 0xffffffff;

	for (u32 at = 0; at <= 1u << CD_BLOCK_SHIFT; at += 4) {
		crc ^= at < 1u << CD_BLOCK_SHIFT ? FAR32(at) : blocks;
		for (u32 bit = 0; bit < 32; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
	}
	return ~crc;
}
