/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Reads the boot image of the emulated drive (int13/extra/emulated.h).
 */
#ifndef INT13_CD_EMULATION_H
#define INT13_CD_EMULATION_H

#include "int13/int13.h"
#include "int13/job.h"

/* Check that the disc with the boot image is in the drive: STATUS_OK,
 * STATUS_NO_MEDIUM if it is another disc, or the status of a failed read.
 * Moves FS.
 */
enum int13_status emulation_check(const struct int13_call *call);

/* Read block job->piece.blocks.lba into the buffer and copy the piece from it.
 * Returns the status of the read; on failure job->sectors is 0. Moves FS.
 */
enum int13_status emulation_copy_part(const struct int13_call *call,
				      struct int13_job *job);

#endif
