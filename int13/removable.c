/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Functions for removable media [EDD-4 "Removable media", 8.18 to 8.21]. They
 * exist for all drives; media/media.c has the part for removable media only.
 */
#include "cd/emulation.h"

enum int13_status int13_check_medium(const struct int13_call *call)
{
	u8 flags = call->disk->flags;

	if (flags & DISK_CD && disk_action_writes((u8)call->action))
		return STATUS_WRITE_PROTECTED;
	if (flags & DISK_EMULATED)
		return emulation_check(call);
	return flags & DISK_UNKNOWN ? media_measure(call) : STATUS_OK;
}

static bool removable(const struct int13_call *call)
{
	return call->disk->flags & DISK_REMOVABLE;
}

/* INT 13, 49 - Get extended disk change status
 *
 * Out: AH 6 if the medium may have been exchanged since the last call
 */
enum int13_status int13_49_changed(const struct int13_call *call)
{
	return removable(call) ? media_changed(call) : STATUS_OK;
}

/* INT 13, 16 - Detect disk change: as 49, but an error for fixed disks */
enum int13_status int13_16_changed(const struct int13_call *call)
{
	return removable(call) ? media_changed(call) : STATUS_BAD_COMMAND;
}

#define LOCK 0 /* 1: unlock */
#define LOCK_STATE 2

/* INT 13, 45 - Lock or unlock media
 *
 * In:  AL 0 lock, 1 unlock, 2 get state
 * Out: AL 1 if locked, else 0
 */
enum int13_status int13_45_lock(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	enum int13_status status = STATUS_OK;

	if (regs->al > LOCK_STATE)
		return STATUS_BAD_COMMAND;
	if (removable(call) && regs->al != LOCK_STATE)
		status = media_lock(call, regs->al == LOCK);
	regs->al = call->disk->locks != 0;
	return status;
}

/* INT 13, 46 - Eject media
 *
 * In:  AL 0
 */
enum int13_status int13_46_eject(const struct int13_call *call)
{
	if (call->regs->al)
		return STATUS_BAD_COMMAND;
	return removable(call) ? media_eject(call) : STATUS_NOT_REMOVABLE;
}
