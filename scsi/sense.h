/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What to do after a command that did not end well. Pure: no I/O.
 */
#ifndef SCSI_SENSE_H
#define SCSI_SENSE_H

#include "scsi.h"

enum scsi_action {
	ACTION_DONE = 0,  /* final, be it success or failure */
	ACTION_RETRY,	  /* at once; few times */
	ACTION_ATTENTION, /* at once; as often as attentions may queue up */
	ACTION_WAIT,	  /* after a pause, while the caller's patience lasts */
	ACTION_START,	  /* START UNIT first, then as ACTION_WAIT */
};

struct scsi_verdict {
	enum scsi_result result; /* if it is not tried again */
	enum scsi_action action;
};

/* Fixed-format sense data [SCSI-2 "Sense data format"] of which `length`
 * bytes arrived.
 */
struct scsi_verdict sense_verdict(const u8 *sense, u32 length);

#endif
