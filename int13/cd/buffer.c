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

	*piece = (struct disk_job){
		.blocks = {.lba = block, .count = 1},
		.action = DISK_READ,
		.block_shift = CD_BLOCK_SHIFT,
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

u16 cd_buffer_sum(void)
{
	u16 sum = 0;

	for (u32 i = 0; i < 1u << CD_BLOCK_SHIFT; i += 2)
		sum = (u16)(sum + FAR16(i));
	return sum;
}
