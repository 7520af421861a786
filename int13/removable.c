/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Media that come and go [EDD-4 "Removable media", 8.18 to 8.21].
 */
#include "image.h"

#include "pc/bios.h"

enum int13_status int13_know_size(const struct int13_call *call)
{
	struct disk_capacity capacity;

	if (call->disk->flags & DISK_CD && writes((u8)call->action))
		return STATUS_WRITE_PROTECTED;
	if (call->disk->flags & DISK_IMAGE)
		return image_check(call);
	if (!(call->disk->flags & DISK_UNKNOWN))
		return STATUS_OK;
	return int13_status(
		call, drives_measure(call->state, call->disk, &capacity));
}

/* A command that does not care which medium is in: what it hears of a change
 * is remembered, then it is sent again.
 */
static enum int13_status unit_command(const struct int13_call *call,
				      u32 command)
{
	enum int13_status status = STATUS_CHANGED;

	for (u32 i = 0; i < 2 && status == STATUS_CHANGED; i++)
		status = int13_status(call, disk_simple(&call->state->bus,
							&call->disk->device,
							command));
	return status;
}

/* INT 13, 49 - Get extended disk change status
 *
 * Out: AH 6 if the medium may have been changed since the last call
 */
enum int13_status int13_49_changed(const struct int13_call *call)
{
	struct disk *disk = call->disk;

	if (!(disk->flags & DISK_REMOVABLE))
		return STATUS_OK;
	enum int13_status status = unit_command(call, CDB_TEST_UNIT_READY);
	if (status == STATUS_OK && disk->flags & DISK_CHANGED) {
		disk->flags &= (u8)~DISK_CHANGED;
		return STATUS_CHANGED;
	}
	return status;
}

/* INT 13, 16 - Detect disk change: the same, for drives that can */
enum int13_status int13_16_changed(const struct int13_call *call)
{
	return call->disk->flags & DISK_REMOVABLE ? int13_49_changed(call)
						  : STATUS_BAD_COMMAND;
}

#define LOCK 0 /* 1: unlock */
#define LOCK_STATE 2
#define MOST_LOCKS 255

static enum int13_status change_locks(const struct int13_call *call, bool lock)
{
	struct disk *disk = call->disk;
	u8 last = lock ? MOST_LOCKS : 0;

	if (disk->locks == last)
		return lock ? STATUS_TOO_MANY_LOCKS : STATUS_NOT_LOCKED;
	/* Only the last unlock reaches the drive, but every lock: a reset may
	 * have opened it. One that knows no locks is locked by what AH=46h says.
	 */
	if (lock || disk->locks == 1) {
		enum int13_status status = unit_command(
			call, lock ? CDB_PREVENT_REMOVAL : CDB_ALLOW_REMOVAL);
		if (status != STATUS_OK && status != STATUS_BAD_COMMAND &&
		    status != STATUS_NO_MEDIUM)
			return status;
	}
	disk->locks = (u8)(lock ? disk->locks + 1 : disk->locks - 1);
	return STATUS_OK;
}

/* INT 13, 45 - Lock or unlock media
 *
 * In:  AL 0 lock, 1 unlock, 2 ask
 * Out: AL 1 if locked, else 0
 */
enum int13_status int13_45_lock(const struct int13_call *call)
{
	struct int13_frame *regs = call->regs;
	enum int13_status status = STATUS_OK;

	if (regs->al > LOCK_STATE)
		return STATUS_BAD_COMMAND;
	if (call->disk->flags & DISK_REMOVABLE && regs->al != LOCK_STATE)
		status = change_locks(call, regs->al == LOCK);
	regs->al = call->disk->locks != 0;
	return status;
}

#define EJECT_INTERCEPT 0x5200
#define FUNCTION_UNKNOWN 0x86

/* INT 15, 52 - May the medium go? A BIOS without that function has no
 * objections.
 */
static enum int13_status ask_for_objections(const struct int13_call *call)
{
	struct bios_regs regs = {.eax = EJECT_INTERCEPT,
				 .edx = call->regs->edx};

	bios_call(0x15, &regs);
	u8 answer = (u8)(regs.eax >> 8);
	if (!(regs.flags & FLAGS_CF) || answer == FUNCTION_UNKNOWN)
		return STATUS_OK;
	return answer ? (enum int13_status)answer : STATUS_LOCKED;
}

/* INT 13, 46 - Eject media
 *
 * In:  AL 0
 */
enum int13_status int13_46_eject(const struct int13_call *call)
{
	struct disk *disk = call->disk;

	if (call->regs->al)
		return STATUS_BAD_COMMAND;
	if (!(disk->flags & DISK_REMOVABLE))
		return STATUS_NOT_REMOVABLE;
	if (disk->locks)
		return STATUS_LOCKED;
	if (unit_command(call, CDB_TEST_UNIT_READY) == STATUS_NO_MEDIUM)
		return STATUS_NO_MEDIUM;
	enum int13_status status = ask_for_objections(call);
	if (status != STATUS_OK)
		return status;
	if (unit_command(call, CDB_STOP_AND_EJECT) != STATUS_OK)
		return STATUS_EJECT_FAILED;
	drives_note_change(call->state, disk);
	return STATUS_OK;
}
