/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * From a job to SCSI commands.
 */
#ifndef INT13_TRANSFER_H
#define INT13_TRANSFER_H

#include "int13.h"
#include "job.h"

/* Do the job on a medium whose size is known; job->done says how far it came.
 * If the job as a whole cannot be done, nothing is done:
 * STATUS_NOT_FOUND   sectors beyond the end of the medium
 * STATUS_DMA_BOUNDARY  buffer too short, or out of the chip's reach
 * STATUS_CHANGED     another medium is in, which the caller does not know yet
 */
enum int13_status int13_transfer(const struct int13_call *call,
				 struct int13_job *job);

#endif
