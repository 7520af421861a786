/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The first pass over the SCSI IDs: which targets exist, and which disks must be
 * started.
 */
#ifndef ROM_POST_TARGETS_H
#define ROM_POST_TARGETS_H

#include "scsi/scan.h"

static inline bool targets_is_cd(const struct scsi_inquiry *inquiry)
{
	return inquiry->type == INQUIRY_TYPE_CD ||
	       inquiry->type == INQUIRY_TYPE_OPTICAL;
}

static inline bool targets_is_drive(const struct scsi_inquiry *inquiry)
{
	return inquiry->type == INQUIRY_TYPE_DISK || targets_is_cd(inquiry);
}

/* Does the result of an INQUIRY show that the target or the bus hangs? */
static inline bool targets_hangs(enum scsi_result result)
{
	return result == SCSI_TIMEOUT || result == SCSI_BUS_ERROR;
}

/* Is it the ID of the controller, so that no target has it? */
bool targets_is_own(u8 id);

/* Note the user's key for this boot. A BIOS that calls boot entries decides by
 * itself what to boot. Moves FS.
 */
void targets_take_key(void);

/* Identify all targets, and start the disks that wait for a command, so that all spin
 * up together. Ends early if the bus hangs or targets are slow; the others are then
 * identified by targets_inquiry(). Moves FS.
 */
void targets_identify(void);

/* Begin with a unit. Returns the result of its INQUIRY and its data, all zero if none
 * has come. *ready is set if it was ready in the first pass. `inquiry` must lie in
 * DMA-able memory.
 */
enum scsi_result targets_inquiry(struct scsi_device device,
				 struct scsi_inquiry *inquiry, bool *ready);

/* Print a line with the IDs from `id` on that have or may have a target. Moves FS. */
void targets_name_skipped(u8 id);

#endif
