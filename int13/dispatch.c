/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * From function number to handler, and from status to AH, CF and 40:74h.
 */
#include "int13.h"

#include "pc/bda.h"

/* INT 13, 00 - Reset. A healthy bus needs none; a failed command has already
 * been cleared up behind itself.
 */
static enum int13_status int13_00_reset(const struct int13_call *call)
{
	(void)call;
	return STATUS_OK;
}

struct function {
	u8 number;
	u8 success_ah; /* what AH says when it went well */
	int13_handler *handler;
};

ROM_CONST struct function functions[] = {
	{0x42, 0, int13_42_read},
	{0x02, 0, int13_02_read},
	{0x00, 0, int13_00_reset},
	{0x08, 0, int13_08_parameters},
	{0x10, 0, int13_10_ready},
	{0x15, 0x03, int13_15_type},	/* AH 3: hard disk */
	{0x41, 0x30, int13_41_check},	/* AH 30h: EDD 3.0 */
	{0x48, 0, int13_48_parameters},
};

#define FUNCTION_LAST_STATUS 0x01

static void set_carry(struct int13_frame *regs, bool carry)
{
	regs->flags = (regs->flags & ~FLAGS_CF) | (carry ? FLAGS_CF : 0);
}

/* The only place where AH, CF and the BIOS's status byte are set. */
static void finish(struct int13_frame *regs, u8 success_ah,
		   enum int13_status status)
{
	bda_open();
	FAR8(BDA_DISK_STATUS) = (u8)status;
	regs->ah = status == STATUS_OK ? success_ah : (u8)status;
	set_carry(regs, status != STATUS_OK);
}

/* INT 13, 01 - Status of the last operation, which it leaves alone. */
static void int13_01_last_status(struct int13_frame *regs)
{
	bda_open();
	regs->ah = FAR8(BDA_DISK_STATUS);
	set_carry(regs, regs->ah != STATUS_OK);
}

void int13_dispatch(struct int13_frame *regs, struct int13_state *state)
{
	struct int13_call call = {
		.state = state,
		.regs = regs,
		.disk = drives_find(state, regs->dl),
	};

	if (regs->ah == FUNCTION_LAST_STATUS) {
		int13_01_last_status(regs);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(functions); i++) {
		if (functions[i].number == regs->ah) {
			finish(regs, functions[i].success_ah,
			       functions[i].handler(&call));
			return;
		}
	}
	finish(regs, 0, STATUS_BAD_COMMAND);
}
