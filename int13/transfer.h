/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Does a job by SCSI commands.
 */
#ifndef INT13_TRANSFER_H
#define INT13_TRANSFER_H

#include "int13.h"
#include "job.h"

/* Do the job on call->disk, whose size must be known. job->done is the number of
 * sectors transferred, also after an error. These errors are returned before the
 * first command:
 * STATUS_NOT_FOUND     sectors past the end of the medium
 * STATUS_DMA_BOUNDARY  the buffer ends past what the caller can address, or a read
 *                      would go into our own workspace
 * STATUS_CHANGED       a medium change that the caller was not yet informed of
 * Others are results of a command, as int13_status_of() maps them, or
 * STATUS_DMA_BOUNDARY if VDS cannot lock the buffer, or without VDS in virtual-8086
 * mode the CPU cannot reach it. Moves FS.
 */
enum int13_status int13_transfer(const struct int13_call *call,
				 struct int13_job *job);

#endif
