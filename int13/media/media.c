/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Functions for drives with removable media [EDD-4 "Removable media"]. This code
 * stays in memory only if there is such a drive (rom/rom.ld), so callers must
 * check DISK_REMOVABLE first.
 */
#include "int13/int13.h"

#include "pc/bios.h"

enum int13_status media_measure(const struct int13_call *call)
{
	struct disk_capacity capacity;

	return int13_status_of(
		call, drives_measure(call->state, call->disk, &capacity));
}

/* Send a command that does not depend on which medium is in the drive. If it
 * reports a change, that is recorded and the command is sent again.
 */
static enum int13_status unit_command(const struct int13_call *call,
				      u32 command)
{
	enum int13_status status = STATUS_CHANGED;

	for (u32 i = 0; i < 2 && status == STATUS_CHANGED; i++)
		status = int13_status_of(call, disk_simple(&call->state->bus,
							   &call->disk->device,
							   command));
	return status;
}

enum int13_status media_changed(const struct int13_call *call)
{
	struct disk *disk = call->disk;
	enum int13_status status = unit_command(call, CDB_TEST_UNIT_READY);

	if (status == STATUS_OK && disk->flags & DISK_CHANGED) {
		disk->flags &= (u8)~DISK_CHANGED;
		return STATUS_CHANGED;
	}
	return status;
}

#define MOST_LOCKS 255

enum int13_status media_lock(const struct int13_call *call, bool lock)
{
	struct disk *disk = call->disk;
	u8 last = lock ? MOST_LOCKS : 0;

	if (disk->locks == last)
		return lock ? STATUS_TOO_MANY_LOCKS : STATUS_NOT_LOCKED;
	/* Every lock is sent to the drive, as a reset may have unlocked it, but
	 * only the last unlock. For a drive that rejects the command, the count
	 * alone makes AH=46h refuse to eject.
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

#define EJECT_INTERCEPT 0x5200
#define FUNCTION_UNKNOWN 0x86

/* INT 15, 52 - Media eject intercept. The BIOS may refuse; a BIOS without this
 * function does not.
 */
static enum int13_status query_eject(const struct int13_call *call)
{
	struct bios_regs regs = {.eax = EJECT_INTERCEPT,
				 .edx = call->regs->edx};

	bios_call(0x15, &regs);
	u8 answer = (u8)(regs.eax >> 8);
	if (!(regs.flags & FLAGS_CF) || answer == FUNCTION_UNKNOWN)
		return STATUS_OK;
	return answer ? (enum int13_status)answer : STATUS_LOCKED;
}

enum int13_status media_eject(const struct int13_call *call)
{
	struct disk *disk = call->disk;

	if (disk->locks)
		return STATUS_LOCKED;
	if (unit_command(call, CDB_TEST_UNIT_READY) == STATUS_NO_MEDIUM)
		return STATUS_NO_MEDIUM;
	enum int13_status status = query_eject(call);
	if (status != STATUS_OK)
		return status;
	if (unit_command(call, CDB_STOP_AND_EJECT) != STATUS_OK)
		return STATUS_EJECT_FAILED;
	drives_note_change(call->state, disk);
	return STATUS_OK;
}
