/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * From function number to handler, and from status to AH, CF and 40:74h.
 */
#include "image.h"

#include "pc/phys.h"
#include "pc/vds.h"

struct function {
	u8 number;
	u8 success_ah; /* what AH says when it went well */
	u8 action;     /* enum disk_action, if the handler has several */
	int13_handler *handler;
};

#define TYPE_HARD_DISK 0x03 /* AH of 15h */
#define TYPE_FLOPPY 0x02    /* one that knows when it is changed */

ROM_CONST struct function functions[] = {
	{0x42, 0, DISK_READ, int13_edd_blocks},
	{0x02, 0, DISK_READ, int13_chs_blocks},
	{0x43, 0, DISK_WRITE, int13_edd_blocks},
	{0x03, 0, DISK_WRITE, int13_chs_blocks},
	{0x44, 0, DISK_VERIFY, int13_edd_blocks},
	{0x04, 0, DISK_VERIFY, int13_chs_blocks},
	{0x47, 0, DISK_SEEK, int13_edd_blocks},
	{0x0c, 0, DISK_SEEK, int13_chs_blocks},
	{0x00, 0, 0, int13_00_reset},
	{0x0d, 0, 0, int13_00_reset},
	{0x08, 0, 0, int13_08_parameters},
	{0x09, 0, 0, int13_10_ready}, /* there is nothing to initialise, */
	{0x11, 0, 0, int13_10_ready}, /* recalibrate */
	{0x14, 0, 0, int13_10_ready}, /* or diagnose: is the drive there? */
	{0x10, 0, 0, int13_10_ready},
	{0x15, TYPE_HARD_DISK, 0, int13_15_type},
	{0x16, 0, 0, int13_16_changed},
	{0x41, 0x30, 0, int13_41_check}, /* AH 30h: EDD 3.0 */
	{0x45, 0, 0, int13_45_lock},
	{0x46, 0, 0, int13_46_eject},
	{0x48, 0, 0, int13_48_parameters},
	{0x49, 0, 0, int13_49_changed},
	{0x4e, 0, 0, int13_4e_configure},
	/* El Torito's: see about_cd() */
	{0x4a, 0, 0, image_4a_emulate},
	{0x4b, 0, 0, image_4b_terminate},
	{0x4c, 0, 0, image_4c_boot},
	{0x4d, 0, 0, image_4d_catalog},
};

#define FUNCTION_LAST_STATUS 0x01

/* INT 13, 01 - Status of the last operation, which it leaves alone. */
static void int13_01_last_status(const struct int13_call *call)
{
	bda_open();
	call->regs->ah = FAR8(call->status_byte);
	set_carry(call->regs, call->regs->ah != STATUS_OK);
}

/* In virtual-8086 mode a bus master may find our own memory elsewhere. If it
 * cannot be held in its place, no command can be sent.
 */
static enum int13_status serve(const struct int13_call *call,
			       int13_handler *handler)
{
	struct int13_state *state = call->state;
	u32 buffer_bytes = state->buffer_segment ? BLOCK_BUFFER_BYTES : 0;

	state->bus.unreachable = false;
	state->by_vds = vds_needed();
	if (!state->by_vds)
		return handler(call);
	u32 own = phys_base, buffer = state->buffer_address;
	bool own_held = vds_hold(OWN_MEMORY_BYTES, &phys_base);
	bool buffer_held = vds_hold(buffer_bytes, &state->buffer_address);
	state->bus.unreachable = !own_held || !buffer_held;
	enum int13_status status = handler(call);
	if (buffer_held)
		vds_release(buffer, buffer_bytes, &state->buffer_address);
	if (own_held)
		vds_release(own, OWN_MEMORY_BYTES, &phys_base);
	return status;
}

/* The functions of El Torito are for the CD, by whichever number. */
static bool about_cd(u8 function)
{
	return function >= 0x4a && function <= 0x4d;
}

static void run(struct int13_call *call)
{
	const struct function __seg_gs *function = functions;
	const struct function __seg_gs *end = functions + ARRAY_SIZE(functions);

	while (function < end && function->number != call->regs->ah)
		function++;
	if (function == end ||
	    (about_cd(function->number) && !(call->disk->flags & DISK_CD))) {
		int13_finish(call->regs, call->status_byte,
			     STATUS_BAD_COMMAND);
		return;
	}
	call->action = (enum disk_action)function->action;
	enum int13_status status = serve(call, function->handler);
	if (status == STATUS_CHANGED)
		call->disk->flags &= (u8)~DISK_UNTOLD;
	int13_finish(call->regs, call->status_byte, status);
	if (status == STATUS_OK && function->success_ah)
		call->regs->ah = function->success_ah == TYPE_HARD_DISK &&
						 call->disk->flags & DISK_FLOPPY
					 ? TYPE_FLOPPY
					 : function->success_ah;
}

void int13_dispatch(struct int13_frame *regs, struct int13_state *state)
{
	struct int13_call call;
	struct disk *disk = state->for_image
				    ? &state->disk[state->image.disk]
				    : drives_find(state, regs->dl);
	struct disk view; /* the image has its CD's state */
	bool el_torito = about_cd(regs->ah);

	call.state = state;
	call.regs = regs;
	call.status_byte = BDA_DISK_STATUS;
	call.disk = disk;
	if (state->for_image && !el_torito)
		call.disk = image_view(state, &view);
	if (state->for_image && state->emulated < FIRST_HARD_DISK)
		call.status_byte = BDA_FLOPPY_STATUS;
	state->bus.stop_at_change = disk->flags & DISK_REMOVABLE;
	if (regs->ah == FUNCTION_LAST_STATUS)
		int13_01_last_status(&call);
	else
		run(&call);
	if (call.disk != disk) {
		disk->flags = (disk->flags & DISK_KIND) |
			      (view.flags & (u8)~DISK_KIND);
		disk->locks = view.locks;
	}
	if (el_torito)
		state->buffer_block = NO_BLOCK; /* maybe of another CD */
}
