/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Decides what to do after CHECK CONDITION. Pure: no I/O.
 */
#ifndef SCSI_SENSE_H
#define SCSI_SENSE_H

#include "scsi.h"

enum scsi_action {
	ACTION_DONE = 0,  /* do not retry: success or a final failure */
	ACTION_RETRY,	  /* retry at once, a few times */
	ACTION_ATTENTION, /* retry at once, once for each queued UNIT ATTENTION */
	ACTION_WAIT,	  /* retry after a pause, within request->patience_ms */
	ACTION_START,	  /* START UNIT once, then as ACTION_WAIT */
};

struct scsi_verdict {
	enum scsi_result result; /* if there is no retry */
	enum scsi_action action;
};

/* The verdict for fixed-format sense data [SCSI-2 "Sense data format"] of which
 * `length` bytes have arrived.
 */
struct scsi_verdict sense_verdict(const u8 *sense, u32 length);

#endif
