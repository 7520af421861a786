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

/* Is it a disk or CD drive that the settings do not leave out? */
bool targets_is_drive(const struct scsi_inquiry *inquiry);

/* Does the result of an INQUIRY show that the target or the bus hangs? */
static inline bool targets_hangs(enum scsi_result result)
{
	return result == SCSI_TIMEOUT || result == SCSI_BUS_ERROR;
}

/* The ID that is the n-th to be examined, from 0 */
u8 targets_id(u32 n);

/* Is no command to be sent to that ID? It is the controller's, or the settings leave it
 * out.
 */
bool targets_is_left_out(u8 id);

/* Note the user's key: for this boot, as a BIOS that calls boot entries decides by
 * itself what to boot, or for the set-up screen. Moves FS.
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

/* Has the first pass found a device with that ID? */
bool targets_has(u8 id);

/* Its INQUIRY data */
void targets_data(u8 id, struct scsi_inquiry *inquiry);

/* Print a line with the IDs from the n-th on that have or may have a target. Moves FS. */
void targets_name_skipped(u32 n);

#endif
