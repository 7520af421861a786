/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The map from SCSI results to INT 13h status codes; docs/errors.md explains it.
 * A medium error during a write is the one exception (transfer.c).
 */
#include "int13.h"

ROM_CONST u8 statuses[] = {
	[SCSI_OK] = STATUS_OK,
	[SCSI_NO_TARGET] = STATUS_TIMEOUT,
	[SCSI_TIMEOUT] = STATUS_TIMEOUT,
	[SCSI_BUS_ERROR] = STATUS_CONTROLLER,
	[SCSI_SHORT_DATA] = STATUS_CONTROLLER,
	[SCSI_OVERRUN] = STATUS_DMA_OVERRUN,
	[SCSI_BUSY] = STATUS_NOT_READY,
	[SCSI_RESERVED] = STATUS_IN_USE,
	[SCSI_SENSE_FAILED] = STATUS_SENSE_FAILED,
	[SCSI_NOT_READY] = STATUS_NOT_READY,
	[SCSI_NO_MEDIUM] = STATUS_NO_MEDIUM,
	[SCSI_MEDIUM_ERROR] = STATUS_READ_ERROR,
	[SCSI_HARDWARE_ERROR] = STATUS_CONTROLLER,
	[SCSI_ILLEGAL_REQUEST] = STATUS_BAD_COMMAND,
	[SCSI_LBA_OUT_OF_RANGE] = STATUS_NOT_FOUND,
	[SCSI_MEDIUM_CHANGED] = STATUS_CHANGED,
	[SCSI_ATTENTION] = STATUS_CONTROLLER,
	[SCSI_WRITE_PROTECTED] = STATUS_WRITE_PROTECTED,
	[SCSI_BLANK] = STATUS_NOT_FOUND,
	[SCSI_ABORTED] = STATUS_CONTROLLER,
	[SCSI_WRONG_TRACK] = STATUS_BAD_MEDIA,
	[SCSI_BAD_MEDIUM] = STATUS_BAD_MEDIA,
	[SCSI_BAD_BLOCKS] = STATUS_BAD_MEDIA,
};
_Static_assert(ARRAY_SIZE(statuses) == SCSI_BAD_BLOCKS + 1,
	       "every result has its status");

/* Record what the result of a command shows about a removable medium. */
static NOT_INLINE void note_medium(const struct int13_call *call,
				   enum scsi_result result)
{
	if (call->state->bus.medium_changed || result == SCSI_NO_MEDIUM)
		drives_note_change(call->state, call->disk);
	if (result == SCSI_NO_MEDIUM)
		drives_set_largest(call->disk);
}

enum int13_status int13_status_of(const struct int13_call *call,
				  enum scsi_result result)
{
	if (call->disk->flags & DISK_REMOVABLE)
		note_medium(call, result);
	return (enum int13_status)statuses[result];
}
