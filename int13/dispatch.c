/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Looks up the handler of a function, calls it, and returns its status to the
 * caller in AH, CF and 40:74h.
 */
#include "int13.h"

#include "pc/phys.h"
#include "pc/vds.h"

#define TYPE_HARD_DISK 0x03 /* AH returned by 15h */

/* Searched from the top, so functions that transfer data come first. */
ROM_CONST struct int13_function functions[] = {
	{0x42, 0, DISK_READ, int13_42_blocks},
	{0x43, 0, DISK_WRITE, int13_42_blocks},
	{0x02, 0, DISK_READ, int13_02_blocks},
	{0x03, 0, DISK_WRITE, int13_02_blocks},
	{0x44, 0, DISK_VERIFY, int13_42_blocks},
	{0x04, 0, DISK_VERIFY, int13_02_blocks},
	{0x47, 0, DISK_SEEK, int13_42_blocks},
	{0x0c, 0, DISK_SEEK, int13_02_blocks},
	{0x00, 0, 0, int13_00_reset},
	{0x0d, 0, 0, int13_00_reset},
	{0x08, 0, 0, int13_08_parameters},
	{0x09, 0, 0, int13_10_ready}, /* initialise, */
	{0x11, 0, 0, int13_10_ready}, /* recalibrate, */
	{0x14, 0, 0, int13_10_ready}, /* diagnose: check only that it is ready */
	{0x10, 0, 0, int13_10_ready},
	{0x15, TYPE_HARD_DISK, 0, int13_15_type},
	{0x16, 0, 0, int13_16_changed},
	{0x41, 0x30, 0, int13_41_check}, /* AH 30h: EDD 3.0 */
	{0x45, 0, 0, int13_45_lock},
	{0x46, 0, 0, int13_46_eject},
	{0x48, 0, 0, int13_48_parameters},
	{0x49, 0, 0, int13_49_changed},
	{0x4e, 0, 0, int13_4e_configure},
};

#define FUNCTION_LAST_STATUS 0x01

/* INT 13, 01 - Get the status of the last operation
 *
 * Out: AH status, as in most BIOSes; AL status, as in that of the PC AT. The status
 *      byte stays.
 */
static void int13_01_last_status(const struct int13_call *call)
{
	bda_open();
	u8 status = FAR8(call->status_byte);
	call->regs->al = status;
	call->regs->ah = status;
	int13_set_carry(call->regs, status != STATUS_OK);
}

/* In virtual-8086 mode the bus address of memory may differ from its linear
 * address. If VDS cannot lock our own memory, no command can be sent. Without VDS
 * only our own memory is known to be in its place (docs/memory.md).
 */
static NOT_INLINE enum int13_status
call_handler_in_v86(const struct int13_call *call, int13_handler *handler)
{
	struct int13_state *state = call->state;
	u32 buffer_bytes = state->buffer_bytes;
	u32 buffer = state->buffer_address;
	bool own_held = vds_hold(OWN_MEMORY_BYTES, &phys_base);
	bool buffer_held =
		own_held && vds_hold(buffer_bytes, &state->buffer_address);

	state->buffer_place = PLACE_BY_VDS;
	state->bus.unreachable = !buffer_held;
	if (!own_held && !vds_answers()) {
		state->buffer_place = PLACE_UNKNOWN;
		state->bus.unreachable = false;
	}
	enum int13_status status = handler(call);
	state->buffer_place = PLACE_LINEAR;
	if (buffer_held)
		vds_release(buffer, buffer_bytes, &state->buffer_address);
	if (own_held)
		vds_release(linear_base, OWN_MEMORY_BYTES, &phys_base);
	return status;
}

static enum int13_status call_handler(const struct int13_call *call,
				      int13_handler *handler)
{
	struct int13_state *state = call->state;

	state->bus.stop_at_change = call->disk->flags & DISK_REMOVABLE;
	scsi_begin_call(&state->bus);
	return vds_in_v86_mode() ? call_handler_in_v86(call, handler)
				 : handler(call);
}

const struct int13_function __seg_gs *int13_find_function(u8 number)
{
	for (u32 i = 0; i < ARRAY_SIZE(functions); i++)
		if (functions[i].number == number)
			return &functions[i];
	return NULL;
}

void int13_serve_call(struct int13_call *call,
		      const struct int13_function __seg_gs *function)
{
	enum int13_status status = STATUS_BAD_COMMAND;

	if (call->regs->ah == FUNCTION_LAST_STATUS) {
		int13_01_last_status(call);
		return;
	}
	if (function) {
		call->action = (enum disk_action)function->action;
		status = call_handler(call, function->handler);
	}
	if (status == STATUS_CHANGED)
		call->disk->flags &= (u8)~DISK_UNREPORTED;
	int13_finish(call, status);
	if (status == STATUS_OK && function->success_ah)
		call->regs->ah = function->success_ah;
}

void int13_dispatch(struct int13_frame *regs, struct int13_state *state)
{
	struct int13_call call = {
		.state = state,
		.regs = regs,
		.disk = drives_find(state, regs->dl),
		.status_byte = BDA_DISK_STATUS,
	};

	int13_serve_call(&call, int13_find_function(regs->ah));
}
